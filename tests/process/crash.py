"""Kills real workers, many times, and counts what became of every job. Used by the tests and by benchmarks/crash.py."""

import asyncio
import json
import os
import random
import signal
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from dbos import DBOSClient, DBOSPortableJSONSerializer

from melodify_core.library import connect, upgrade
from melodify_core.library.schema import costs, usage
from tests.discord_server import CHANNEL_ID, Discord, job_of
from tests.process.crash_worker import REFUSED_ONE_IN
from tests.process.prepared import ROOT, Prepared

JOBS_PER_LIFE = 2
LIFE_S = 150.0
# The last one works off what all the others have left.
LAST_LIFE_S = 600.0
STEPS = ("caption", "compose")


@dataclass
class Ledger:
    """What became of the jobs: the counts that must be nought, and those that must not."""

    kills: int = 0
    jobs: int = 0
    songs: int = 0
    apologies: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    unsettled: list[str] = field(default_factory=list)
    unbooked: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.jobs} jobs: {self.songs} songs and {self.apologies} apologies; lost "
            f"{len(self.lost)}, posted twice {len(self.doubled)}, recorded steps repeated {len(self.repeated)}, "
            f"usage rows neither charged with a song nor refunded {len(self.unsettled)}, jobs with paid calls that are "
            f"in no books {len(self.unbooked)}"
        )


@dataclass
class Proving:
    """One database, one Discord, and worker after worker that is killed."""

    url: str
    folder: Path
    discord: Discord
    result: Ledger = field(default_factory=Ledger)
    _steps: set[tuple[str, ...]] = field(default_factory=set)
    _seen: int = 0
    _number: int = 100_000

    def __post_init__(self) -> None:
        engine = connect(self.url)
        upgrade(engine)
        engine.dispose()
        # What Discord remembers for minutes is not what saves us: only the look for the earlier post.
        self.discord.remembers_nonces = False

    async def live(self, *, boundary: int = 0, after_s: float | None = None, life_s: float = LIFE_S) -> bool:
        """Let one worker live: until its trap springs, until it is killed from outside, or to its end.

        Returns whether it was killed.
        """
        orders = self.orders() if boundary or after_s is not None else []
        self._log.touch()
        ready = self._lines().count("ready")
        process = await self.start(orders, boundary=boundary, stays=after_s is not None, life_s=life_s)
        if after_s is not None:
            await self.until_ready(process, ready + 1)
            await asyncio.sleep(after_s)
            if process.returncode is None:  # else the check below reports why it ended by itself
                process.send_signal(signal.SIGKILL)
        async with asyncio.timeout(life_s):
            await process.wait()
        killed = process.returncode == -signal.SIGKILL
        if not killed and process.returncode != 0:
            _, errors = await process.communicate()
            raise AssertionError(f"the worker ended with {process.returncode}: {errors.decode()[-2000:]}")
        self.result.kills += killed
        await asyncio.to_thread(self._look_at_records)
        return killed

    async def start(
        self,
        orders: list[dict[str, Any]],
        *,
        boundary: int = 0,
        stays: bool = False,
        serves: bool = True,
        life_s: float = LIFE_S,
    ) -> Prepared:
        """Start a worker that takes these orders."""
        plan = {
            "settings": {"database": {"url": self.url, "takeover_s": 1}, "work": {"poll_s": 0.1, "jobs": 4}}
            | {
                "limits": {
                    "songs_per_minute": 0,
                    "songs_per_hour": 0,
                    "songs_per_day": 0,
                    "waiting_per_user": 0,
                    "waiting_per_guild": 0,
                    "waiting": 0,
                }
            },
            "api_url": self.discord.api_url,
            "folder": str(self.folder / "files"),
            "log": str(self.folder / "calls.log"),
            "boundary": boundary,
            "orders": orders,
            "stays": stays,
            "serves": serves,
            "idle_s": life_s - 5,
        }
        self._log.touch()
        environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
        return Prepared(("tests.process.crash_worker", json.dumps(plan)), ROOT, environment)

    @property
    def _log(self) -> Path:
        return self.folder / "calls.log"

    def orders(self, number: int = JOBS_PER_LIFE) -> list[dict[str, Any]]:
        """Return so many new orders, each with a status message in the channel."""
        orders = []
        for _ in range(number):
            self._number += 1
            status = self.discord.status_message(CHANNEL_ID, str(self._number))
            orders.append({"job_id": str(self._number), "user_id": self._number % 5, "status_id": int(status["id"])})
        return orders

    async def until_ready(self, process: Prepared, number: int) -> None:
        """Wait until so many workers, over all, have taken their orders."""
        async with asyncio.timeout(LIFE_S):
            while self._lines().count("ready") < number and process.returncode is None:
                await asyncio.sleep(0.02)

    def _lines(self) -> list[str]:
        return self._log.read_text().splitlines()

    def _look_at_records(self) -> None:
        """A call for a step that was recorded when the last worker died is a repeat."""
        lines = self._lines()
        for line in lines[self._seen :]:
            if tuple(line.split()) in self._steps:
                self.result.repeated.append(line)
        self._seen = len(lines)
        engine = connect(self.url)
        client = DBOSClient(system_database_engine=engine, serializer=DBOSPortableJSONSerializer())
        for job_id in {line.split()[1] for line in lines if " " in line}:
            for step in client.list_workflow_steps(job_id):
                self._steps.add((str(step["function_name"]), job_id))
        client.destroy()
        engine.dispose()

    def settle(self) -> Ledger:
        """Count what became of every job that was accepted."""
        engine = connect(self.url)
        with engine.connect() as connection:
            states = {row.job_id: row.state for row in connection.execute(sa.select(usage.c.job_id, usage.c.state))}
            booked = Counter(connection.scalars(sa.select(costs.c.job_id)))
        engine.dispose()
        self.result.unbooked = [job_id for job_id, calls in self._paid_calls().items() if calls > booked[job_id]]
        songs, apologies = self._songs(), self._apologies()
        result = self.result
        result.jobs, result.songs, result.apologies = len(states), songs.total(), apologies.total()
        for job_id, state in states.items():
            if not songs[job_id] and not apologies[job_id]:
                result.lost.append(job_id)
            if songs[job_id] > 1 or (songs[job_id] and apologies[job_id]):
                result.doubled.append(job_id)
            if state != ("charged" if songs[job_id] else "refunded"):
                result.unsettled.append(f"{job_id} {state}")
        return result

    def _paid_calls(self) -> Counter[str]:
        """Count the calls of each job; those of the composer that it refuses cost nothing."""
        calls = [line.split() for line in self._lines() if " " in line]
        return Counter(job for what, job in calls if what == "caption" or int(job) % REFUSED_ONE_IN)

    def _songs(self) -> Counter[str]:
        return Counter(map(job_of, self.discord.songs()))

    def _apologies(self) -> Counter[str]:
        first = self.discord.first_status
        return Counter(
            first[message["id"]]
            for message in self.discord.messages.values()
            if message["id"] in first and "does not count" in message["content"]
        )


async def prove(proving: Proving, boundaries: int, random_kills: int, seed: int = 7) -> Ledger:
    """Kill a worker at each of so many boundaries, then at so many random moments; then let one end the work."""
    chance = random.Random(seed)
    for boundary in range(1, boundaries + 1):
        await proving.live(boundary=boundary)
    for _ in range(random_kills):
        await proving.live(after_s=chance.uniform(0.0, 1.2))
    while await proving.live(life_s=LAST_LIFE_S):
        pass
    return proving.settle()
