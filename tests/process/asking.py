"""Kills a real bot while members ask in every way, from the first second of each start; counts what became of all."""

import asyncio
import json
import os
import random
import signal
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sa

from melodify_core.library import connect, upgrade
from melodify_core.library.schema import costs, requests, usage
from tests.discord_server import BOT_ID, job_of
from tests.process.asking_discord import LOADING, AskingDiscord
from tests.process.crash_worker import REFUSED_ONE_IN
from tests.stories import a_picture

PICTURES = (a_picture(size=(64, 48)), a_picture("gold", size=(64, 48)))
# How lines end that promise more.
PROMISES = ("one moment …", ":R>.")
CONNECTED_S = 100.0
LAST_LIFE_S = 300.0
LAST_LINE_S = 60.0


@dataclass
class Outcome:
    """What became of the requests: the counts that must be nought, and those that must not."""

    kills: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    songs: int = 0
    apologies: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    open_lines: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    unbooked: list[str] = field(default_factory=list)
    refused: int = 0

    def __str__(self) -> str:
        ways = ", ".join(f"{number} by {way}" for way, number in sorted(self.asked.items()))
        return (
            f"{self.kills} kills, {self.asked.total()} requests ({ways}), {self.acknowledged} acknowledged: "
            f"{self.songs} songs, {self.apologies} apologies and {self.refused} refusals; "
            f"lost {len(self.lost)}, doubled {len(self.doubled)}, "
            f"lines left open {len(self.open_lines)}, unsettled {len(self.unsettled)}, "
            f"jobs with paid calls that are in no books {len(self.unbooked)}"
        )


@dataclass
class Asking:
    """One database, one Discord, and bot after bot that is killed."""

    url: str
    folder: Path
    discord: AskingDiscord
    outcome: Outcome = field(default_factory=Outcome)

    def __post_init__(self) -> None:
        engine = connect(self.url)
        upgrade(engine)
        engine.dispose()

    async def start(self) -> asyncio.subprocess.Process:
        """Start a bot."""
        nothing = ("songs_per_minute", "songs_per_hour", "songs_per_day", "waiting_per_user", "waiting_per_guild")
        settings = {
            "database": {"url": self.url, "takeover_s": 1},
            "work": {"poll_s": 0.1, "jobs": 4},
            "folder": {"path": str(self.folder / "files")},
            "limits": dict.fromkeys((*nothing, "waiting"), 0),
        }
        addresses = {"api_url": self.discord.api_url, "gateway_url": self.discord.gateway_url}
        plan = {"settings": settings, "discord": addresses, "log": str(self._log)}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        self._log.touch()
        with (self.folder / "errors.log").open("ab") as errors:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-W", "ignore", "-m", "tests.process.asking_worker", json.dumps(plan)),
                env=environment,
                stderr=errors,
            )

    @property
    def _log(self) -> Path:
        return self.folder / "calls.log"

    async def live(self, chance: random.Random, *, asks: int) -> None:
        """Let one bot live: members ask as soon as it listens, and it is killed within the second after."""
        process = await self.start()
        try:
            connected = asyncio.create_task(self.discord.connected(CONNECTED_S))
            # One in four dies while it starts, before it hears anything.
            if chance.random() < 0.25:
                await asyncio.wait({connected}, timeout=chance.uniform(0.3, 1.5))
            else:
                await connected
                await self.ask(chance, asks)
                await asyncio.sleep(chance.uniform(0.0, 1.0))
            connected.cancel()
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
                self.outcome.kills += 1
            await process.wait()
        if process.returncode != -signal.SIGKILL:
            raise AssertionError(f"the bot ended: {(self.folder / 'errors.log').read_text()[-3000:]}")
        async with asyncio.timeout(10):
            while self.discord.sockets:
                await asyncio.sleep(0.01)

    async def ask(self, chance: random.Random, number: int) -> None:
        """Let so many members ask, each in a way of its own."""
        for _ in range(number):
            songs = [song for song in self.discord.songs() if not song["channel_id"].startswith("9")]
            match chance.choice(("post", "several", "command", "private", "press")):
                case "several":
                    await self.discord.post(*PICTURES)
                case "command":
                    await self.discord.command(PICTURES[0])
                case "private":
                    await self.discord.command(PICTURES[0], private=True)
                case "press" if songs:
                    await self.discord.press(chance.choice(songs))
                case _:
                    await self.discord.post(PICTURES[0])

    async def last_life(self) -> None:
        """Let one bot work off what all the others have left."""
        process = await self.start()
        try:
            await self.discord.connected(CONNECTED_S)
            end = time.monotonic() + LAST_LIFE_S
            # A dead process's lease has to run out first.
            while self._open() and time.monotonic() < end:
                await asyncio.sleep(0.5)
            end = time.monotonic() + LAST_LINE_S
            while self._open_lines() and time.monotonic() < end:
                await asyncio.sleep(0.1)
        finally:
            process.terminate()
            await process.wait()

    def _open_lines(self) -> list[str]:
        """Return the bot's lines that still promise something."""
        lines = [message for message in self.discord.messages.values() if message["author"]["id"] == BOT_ID]
        return [line["content"] for line in lines if line["content"].endswith(PROMISES) or line["flags"] & LOADING]

    def _open(self) -> int:
        engine = connect(self.url)
        waiting = sa.select(sa.func.count()).select_from(usage).where(usage.c.state.in_(("waiting", "running")))
        asked = sa.select(sa.func.count()).select_from(requests)
        with engine.connect() as connection:
            number = int(connection.scalar(waiting) or 0) + int(connection.scalar(asked) or 0)
        engine.dispose()
        return number

    def settle(self) -> Outcome:
        """Count what became of every request."""
        outcome, discord = self.outcome, self.discord
        engine = connect(self.url)
        with engine.connect() as connection:
            rows = connection.execute(sa.select(usage.c.job_id, usage.c.user_id, usage.c.state)).all()
            booked = Counter(connection.scalars(sa.select(costs.c.job_id)))
        engine.dispose()
        songs = Counter(job_of(song) for song in discord.songs())
        jobs = Counter(str(row.user_id) for row in rows)
        for asked in discord.asked.values():
            outcome.asked[asked.way if asked.songs == 1 else "several"] += 1
            outcome.acknowledged += asked.acknowledged
            refused = any(discord.messages[answer]["content"] for answer in asked.answers if asked.way == "press")
            outcome.refused += refused
            if asked.acknowledged and not refused and jobs[asked.user_id] < asked.songs:
                outcome.lost.append(f"{asked.way} of {asked.user_id}: {jobs[asked.user_id]} of {asked.songs}")
            if jobs[asked.user_id] > asked.songs:
                outcome.doubled.append(asked.user_id)
        for row in rows:
            if songs[row.job_id] > 1:
                outcome.doubled.append(row.job_id)
            if row.state != ("charged" if songs[row.job_id] else "refunded"):
                outcome.unsettled.append(f"{row.job_id} {row.state}")
        outcome.songs = songs.total()
        lines = [message for message in discord.messages.values() if message["author"]["id"] == BOT_ID]
        outcome.apologies = sum("does not count" in line["content"] for line in lines)
        outcome.open_lines = self._open_lines()
        outcome.unbooked = [job_id for job_id, calls in self._paid_calls().items() if calls > booked[job_id]]
        return outcome

    def _paid_calls(self) -> Counter[str]:
        """Count the calls of each job; those of the composer that it refuses cost nothing."""
        calls = [line.split() for line in self._log.read_text().splitlines()]
        return Counter(job for what, job in calls if what == "caption" or int(job) % REFUSED_ONE_IN)


async def prove(asking: Asking, kills: int, asks: int = 3, seed: int = 7) -> Outcome:
    """Kill so many bots, and let one end the work."""
    chance = random.Random(seed)
    while asking.outcome.kills < kills:
        await asking.live(chance, asks=asks)
    await asking.last_life()
    return await asyncio.to_thread(asking.settle)
