"""Measures what one member can do to others: 100 of the worst pictures known, while 20 members order songs."""

import asyncio
import tempfile
import time
from contextlib import closing
from pathlib import Path

from PIL import Image

from melodify_core.media.worker_pool import WorkerPool
from tests.pictures import ENDLESS, encoded, photo, png, repeated_scan
from tests.stories import World, command_payload, percentile, story_settings, world

MEMBERS = 20
ATTACKS = 100
WAIT_S = 300.0
LARGE = (7000, 7000)


def worst() -> list[bytes]:
    """Return files that are refused at once, that take long and are accepted, and that are decoded three times."""
    last_scans = repeated_scan(9, LARGE)
    return [
        repeated_scan(400, LARGE),
        *(make() for make in ENDLESS.values()),
        last_scans,
        last_scans[:-40],
        encoded(Image.new("RGBA", LARGE), "PNG"),
        png(*LARGE, bits=8, rows=bytes(7000 * 3 + 1) * 6500),
        encoded(Image.new("L", LARGE), "WEBP", lossless=True),
        encoded(Image.new("RGBA", (4100, 4100)), "WEBP", lossless=True),
        encoded(Image.new("RGB", (5000, 5000)), "AVIF", speed=10),
        encoded(Image.new("P", LARGE), "GIF")[:-20],
    ]


async def wait_s(folder: Path, pool: WorkerPool, attack: list[bytes]) -> list[float]:
    """Return the seconds until each member's song was posted, while another member sends the attack in a channel."""
    async with world(story_settings(folder, work={"drain_s": 0}), pool, composes=True) as here:
        await here.command()  # imports and first connections do not count
        await here.songs_done()
        members = [here.guild.add_member(here.env.create_user(f"member{number}")) for number in range(MEMBERS)]
        picture = ("photo.jpg", photo(1600, 1200))
        commands = [command_payload(here.env, member, here.channel, {"image": picture}) for member in members]
        attacker = here.guild.add_member(here.env.create_user("attacker"))
        files = [here.env.backend.store_attachments(here.channel.id, [("worst.png", data)]) for data in attack]
        began = time.time()
        for stored in files:
            here.env.backend.create_message(here.channel.id, attacker.id, attachments=stored)
        for command in commands:
            here.env.backend.emit("INTERACTION_CREATE", command)
        return await ended(here, [member.id for member in members], began)


async def ended(here: World, members: list[int], began: float) -> list[float]:
    """Wait for the members' songs; one that does not come in time takes forever."""
    query = f"SELECT ended_at FROM usage WHERE ended_at > 0 AND user_id IN ({','.join('?' * len(members))})"  # noqa: S608
    rows: list[tuple[float]] = []
    while len(rows) < len(members) and time.time() - began < WAIT_S:
        # The database is polled from outside: there is no event to wait for.
        await asyncio.sleep(0.1)
        with closing(here.database()) as database:
            rows = database.execute(query, members).fetchall()
    return [at - began for (at,) in rows] + [float("inf")] * (len(members) - len(rows))


def measure(attack: list[bytes]) -> list[float]:
    """Return the members' waiting times in a bot of their own."""
    with tempfile.TemporaryDirectory() as folder, closing(WorkerPool()) as pool:
        return asyncio.run(wait_s(Path(folder), pool, attack))


def main() -> None:
    """Print the figures."""
    files = worst()
    attack = [files[number % len(files)] for number in range(ATTACKS)]
    alone, attacked = measure([]), measure(attack)
    for name, share in (("half of them", 0.5), ("all", 1.0)):
        before, now = percentile(alone, share), percentile(attacked, share)
        print(
            f"{MEMBERS} members' songs, {name} within {before:.1f} s; {now:.1f} s while another member sends "
            f"{ATTACKS} of the worst pictures: {now / before:.2f} times (target: <= 2)"
        )
