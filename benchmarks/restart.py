"""Measures how soon a bot begins its first job after a start.

1 000 jobs wait, and 50 requests are not orders yet.
"""

import asyncio
import tempfile
import time
from pathlib import Path
from typing import cast

import psutil

from benchmarks.load import settings_for
from bot.requests.request import Request, RequestProgress
from melodify_core.jobs.engine import Engine, make_tables
from melodify_core.library import Library, RequestBook, connect, upgrade
from melodify_core.media.picture import PictureLimits, prepare
from melodify_core.models import Order, Place, Wish
from melodify_core.services.request_journal import RequestJournal
from melodify_core.storage.folder import FolderStorage
from melodify_core.studio import job_of
from tests.discord_server import CHANNEL_ID, GUILD_ID, little_discord
from tests.postgres import fresh_database, postgres_server
from tests.process.asking import Asking
from tests.process.asking_discord import AskingDiscord
from tests.stories import a_picture

WAITING, REQUESTS, TARGET_S = 1000, 50, 3.0
PICTURE = a_picture(size=(64, 48))
PLACE = Place(channel_id=int(CHANNEL_ID), guild_id=int(GUILD_ID))


async def leave_behind(url: str, folder: Path, world: AskingDiscord) -> None:
    """Leave jobs and requests in the database, like a process that dies."""
    settings, storage = settings_for(url), FolderStorage(folder / "files")
    database = connect(url)
    upgrade(database)
    make_tables(database)
    library, engine = Library(database, b"salt"), Engine(database, settings.work, "local", database)
    await engine.connect()
    bounds = PictureLimits(max_bytes=1 << 20, max_pixels=1 << 20, longest_side=768)
    checked = prepare(PICTURE, bounds)
    for number in range(WAITING):
        order = Order(world.new_id(), number % 200, PLACE, PICTURE, Wish(seconds=10))
        job = job_of(order, checked, settings)
        await storage.save(job.picture_key, checked.jpeg, "image/jpeg")
        with library.transaction() as connection:
            engine.enqueue(connection, job, library.reserve(connection, job, time.time(), 0.0))
    await engine.close()
    journal = RequestJournal(RequestBook(database))
    for number in range(REQUESTS):
        request = Request.model_validate(
            {
                "first_id": world.new_id(),
                "way": "post",
                "user_id": 1000 + number,
                "pictures": [{"url": world.upload("photo.png", PICTURE), "size": len(PICTURE)}],
                "sent": 1,
                "wish": Wish(seconds=10),
                "place": PLACE,
                "message_id": 1,
            }
        )
        await journal.begin(request.first_id, request.user_id, RequestProgress(request=request).model_dump_json())
    database.dispose()


async def measure(url: str, folder: Path) -> tuple[float, float]:
    """Return the seconds from the start of the process to the first call to a provider, and its CPU seconds."""
    async with little_discord(AskingDiscord()) as discord:
        world = cast("AskingDiscord", discord)
        await leave_behind(url, folder, world)
        asking, log = Asking(url, folder, world), folder / "calls.log"
        began = time.perf_counter()
        process = await asking.start()
        try:
            while log.read_text() == "" and process.returncode is None:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.005)
            spent = psutil.Process(process.pid).cpu_times()
            return time.perf_counter() - began, spent.user + spent.system
        finally:
            process.kill()
            await process.wait()


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder, postgres_server() as server, fresh_database(server) as postgres:
        for name, url in (("SQLite", f"sqlite:///{folder}/melodify.db"), ("PostgreSQL", postgres)):
            place = Path(folder) / name
            place.mkdir()
            seconds, cpu_s = asyncio.run(measure(url, place))
            print(
                f"a start on {name} with {WAITING} waiting jobs and {REQUESTS} open requests: the first job begins "
                f"after {seconds:.1f} s, {cpu_s:.1f} s of CPU, the imports included (target: <= {TARGET_S:.0f} s)",
                flush=True,
            )
