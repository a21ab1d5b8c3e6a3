"""Sends 200 commands and 200 posts with pictures at the same moment, from 200 members, in the simulated Discord."""

import asyncio
import gc
import itertools
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil

from melodify_core.media.worker_pool import WorkerPool
from tests.stories import PICTURE, World, command_payload, percentile, story_settings, world

MEMBERS = 200
WAIT_S = 120.0
NO_LIMITS = dict.fromkeys(
    ("songs_per_minute", "songs_per_hour", "songs_per_day", "waiting_per_user", "waiting_per_guild", "waiting"), 0
)


@dataclass(frozen=True, slots=True)
class Rush:
    """Seconds until each was acknowledged and until all were accepted, how many were, and bytes per waiting job."""

    commands_s: list[float]
    posts_s: list[float]
    accepted: int
    accepted_after_s: float
    bytes_per_job: float


async def rush(here: World) -> Rush:
    """Send all at once. A command is acknowledged by its response, a post by the bot's reply to it."""
    process = psutil.Process()
    members = [here.guild.add_member(here.env.create_user(f"member{number}")) for number in range(MEMBERS)]
    # A few of each first, so that one-time imports and connections do not count.
    for _ in range(10):
        await here.command()
        await here.post("", PICTURE)
    await here.env.settle()
    first = open_orders(here)
    commands = [command_payload(here.env, member, here.channel, {"image": PICTURE}) for member in members]
    pictures = [here.env.backend.store_attachments(here.channel.id, [PICTURE]) for _ in members]
    gc.collect()
    before = process.memory_info().rss
    began = time.perf_counter()
    posts = [
        here.env.backend.create_message(here.channel.id, member.id, attachments=picture).id
        for member, picture in zip(members, pictures, strict=True)
    ]
    for payload in commands:
        here.env.backend.emit("INTERACTION_CREATE", payload)
    commands_s, posts_s = await acknowledged(here, {int(payload["id"]) for payload in commands}, set(posts), began)
    # The database is polled from outside: there is no event to wait for.
    while open_orders(here) - first < 2 * MEMBERS and time.perf_counter() - began < WAIT_S:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    accepted, after_s = open_orders(here) - first, time.perf_counter() - began
    gc.collect()
    return Rush(commands_s, posts_s, accepted, after_s, (process.memory_info().rss - before) / accepted)


async def acknowledged(
    here: World, waiting: set[int], unanswered: set[int], began: float
) -> tuple[list[float], list[float]]:
    """Return the seconds until each command and each post was acknowledged, infinity where it was not."""
    backend = here.env.backend
    commands_s: list[float] = []
    posts_s: list[float] = []
    read = 0
    while (waiting or unanswered) and time.perf_counter() - began < WAIT_S:
        await asyncio.sleep(0.001)
        done = {number for number in waiting if backend.interactions[number].responded}
        messages = backend.messages[here.channel.id]
        fresh = list(itertools.islice(messages.values(), read, None))
        read = len(messages)
        answered = {int((each.reference or {}).get("message_id", 0)) for each in fresh} & unanswered
        now = time.perf_counter() - began
        commands_s += [now] * len(done)
        posts_s += [now] * len(answered)
        waiting -= done
        unanswered -= answered
    lost = float("inf")
    return commands_s + [lost] * len(waiting), posts_s + [lost] * len(unanswered)


def open_orders(here: World) -> int:
    """Return how many orders were ever accepted."""
    with closing(here.database()) as database:
        return int(database.execute("SELECT count(*) FROM usage").fetchone()[0])


async def measure(folder: Path, pool: WorkerPool) -> Rush:
    """Return the figures; one job runs at a time, so that the others wait."""
    work = {"drain_s": 0, "jobs": 1}
    async with world(story_settings(folder, limits=NO_LIMITS, work=work), pool, composes=True) as here:
        return await rush(here)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder, closing(WorkerPool()) as pool:
        found = asyncio.run(measure(Path(folder), pool))
    for name, times in (("commands", found.commands_s), ("posts with a picture", found.posts_s)):
        p50, p99 = (percentile(times, share) * 1000 for share in (0.5, 0.99))
        print(f"{len(times)} {name} at once: acknowledged at p50 {p50:.0f} ms, p99 {p99:.0f} ms (target: 1000 ms)")
    print(
        f"of {2 * MEMBERS} orders {found.accepted} were accepted (target: all) within {found.accepted_after_s:.1f} s; "
        f"{found.bytes_per_job / 1000:.0f} KB per waiting job, the simulator's own memory included (target: <= 200 KB)"
    )
