"""A real `melodify run --no-work` that takes orders and a real `melodify worker` that makes them, on one PostgreSQL."""

import asyncio
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.discord_server import Discord, Fault, little_discord
from tests.pictures import sunset
from tests.process.running import Process, melodify, until


@pytest.fixture
async def world() -> AsyncIterator[Discord]:
    async with little_discord() as world:
        yield world


async def ended(process: Process) -> str:
    """Return what it said."""
    out, errors = await asyncio.wait_for(process.communicate(), 60)
    assert b"Traceback" not in errors, errors.decode()
    return (out + errors).decode()


async def test_a_song_that_one_process_takes_is_made_and_posted_by_another(
    world: Discord, postgres_url: str, tmp_path: Path
) -> None:
    shared = {"MELODIFY_DATABASE__URL": postgres_url}
    async with melodify(world, tmp_path, "migrate", **shared) as process:
        assert "are up to date" in await ended(process)
    async with (
        melodify(world, tmp_path, "run --no-work", **shared) as taking,
        melodify(world, tmp_path, "worker", **shared) as making,
    ):
        await world.connected()
        await world.post_picture(sunset())
        await until(world.songs)
        for process in (taking, making):
            process.send_signal(signal.SIGTERM)
            await asyncio.wait_for(process.wait(), 60)
        assert (taking.returncode, making.returncode) == (0, 0)
    (song,) = world.songs()
    assert [song["channel_id"]] == [thread["id"] for thread in world.threads]


@pytest.mark.parametrize(
    ("token", "fault", "code", "sentence"),
    [
        ("", None, 2, "discord.token is missing"),
        ("MTAwMA.other.token", None, 2, "Discord does not accept discord.token"),
        (None, Fault("GET", "/users/@me", 503), 1, "Discord cannot be reached"),
    ],
    ids=["no token", "a wrong token", "Discord is away"],
)
async def test_a_worker_that_cannot_begin_says_why(
    world: Discord, tmp_path: Path, token: str | None, fault: Fault | None, code: int, sentence: str
) -> None:
    world.faults += [fault] if fault else []
    variables = {} if token is None else {"MELODIFY_DISCORD__TOKEN": token}
    async with melodify(world, tmp_path, "worker", **variables) as process:
        assert sentence in await ended(process)
    assert process.returncode == code
    assert not (tmp_path / "data").exists()
