"""A real process that makes songs until it is killed: the services, the engine, discord.py's REST, on a real database.

Only the providers are small, so that hundreds of kills take minutes and not hours; what was asked of them is written
to a file that outlives the process. `python -m tests.process.crash_worker SETTINGS` where SETTINGS is JSON.
"""

import asyncio
import inspect
import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from bot.cli.worker import rest_client
from bot.client import use_proxies
from bot.posts.delivery import DiscordDelivery
from bot.posts.status_messages import StatusBoard
from melodify_core.bootstrap import Role, Services, open_services
from melodify_core.config.settings import Settings
from melodify_core.errors import Rejected
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Bill, Brief, Order, Picture, Place, RawTake, Wish
from melodify_core.ports import ProviderContext
from melodify_core.providers import Providers
from melodify_core.storage.folder import FolderStorage
from tests.briefs import BRIEF
from tests.discord_server import CHANNEL_ID, GUILD_ID, TOKEN
from tests.sounds import chords, wav
from tests.stories import a_picture

REFUSED_ONE_IN = 8
SOUND = wav(chords(1.5))


class Threads(WorkerPool):
    """The pool in threads: a process that lives for a second or two has no time for worker processes."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(1)  # PyAV captures the log of FFmpeg for the whole process

    async def run(self, deadline_s: float, work: Any, *args: Any, **_: Any) -> Any:  # type: ignore[override]  # any work will do
        return await asyncio.wait_for(
            asyncio.get_running_loop().run_in_executor(self._threads, lambda: work(*args)), deadline_s
        )

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)


class Trap:
    """Kills the process, as power loss would, at one of its boundaries. 0 never does."""

    def __init__(self, boundary: int) -> None:
        self._left = boundary

    def passed(self) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


class Trapped:
    """Another object with a boundary before and after each of its async methods."""

    def __init__(self, inner: object, trap: Trap) -> None:
        self._inner = inner
        self._trap = trap

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not inspect.iscoroutinefunction(found):
            return found

        async def call(*args: Any, **named: Any) -> Any:
            self._trap.passed()
            result = await found(*args, **named)
            self._trap.passed()
            return result

        return call


@dataclass
class Reader:
    """A captioner that says one Brief and writes down that it was asked."""

    log: Path
    name: str = "reader"

    async def check(self) -> None: ...

    async def close(self) -> None: ...

    async def caption(self, picture: Picture, wish: Wish, context: ProviderContext) -> Brief:
        del picture, wish
        bill = Bill(provider="reader", model="m", dollars=0.01)
        call = await context.begun(bill)
        _note(self.log, "caption", context)
        await asyncio.sleep(0.05)
        await call.billed(bill)
        return BRIEF


@dataclass
class Player:
    """A composer that plays one sound, writes down that it was asked, and refuses one job in eight."""

    log: Path
    name: str = "player"
    delay_s: float = 0.1

    async def check(self) -> None: ...

    async def close(self) -> None: ...

    async def compose(self, brief: Brief, wish: Wish, context: ProviderContext) -> RawTake:
        del brief, wish
        bill = Bill(provider="player", model="m", dollars=0.05)
        call = await context.begun(bill)
        _note(self.log, "compose", context)
        await asyncio.sleep(self.delay_s)
        if int(context.job_id) % REFUSED_ONE_IN == 0:
            await call.free()
            raise Rejected("provider.refused")
        await call.billed(bill)
        return RawTake(SOUND, "audio/wav", bpm=90, key="E", mode="minor", instruments=("organ",))


def _note(log: Path, what: str, context: ProviderContext) -> None:
    with log.open("a") as file:
        file.write(f"{what} {context.job_id}\n")


async def take_orders(services: Services, orders: list[dict[str, Any]], log: Path) -> None:
    """Hand the orders in; whether they were accepted, the database says."""
    for order in orders:
        place = Place(channel_id=int(CHANNEL_ID), guild_id=int(GUILD_ID), status_id=order["status_id"])
        await services.studio.submit(
            Order(order["job_id"], order["user_id"], place, a_picture(size=(64, 48)), Wish(seconds=10))
        )
    with log.open("a") as file:
        file.write("ready\n")


async def main(plan: dict[str, Any]) -> None:
    """Work until the trap springs, or until nothing is left to do."""
    settings = Settings.model_validate(plan["settings"] | {"discord": {"token": TOKEN, "api_url": plan["api_url"]}})
    use_proxies(settings)
    log, trap, threads = Path(plan["log"]), Trap(plan["boundary"]), Threads()
    storage = FolderStorage(Path(plan["folder"]))
    async with rest_client(settings) as client:
        await client.login(TOKEN)
        delivery = Trapped(DiscordDelivery(client, StatusBoard(client)), trap)
        providers = Providers(
            cast("Any", Trapped(Reader(log), trap)),
            cast("Any", Trapped(Player(log), trap)),
            cast("Any", Trapped(storage, trap)),
        )
        role = Role(serves=plan["serves"])
        async with open_services(settings, cast("Any", delivery), threads, role=role, providers=providers) as services:
            await take_orders(services, plan["orders"], log)
            if plan["stays"]:
                await asyncio.Event().wait()
            await services.studio.idle(plan["idle_s"])
    threads.close()


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
