"""A real `melodify run` with song pages on: what it serves, in which order it closes, and what it says at start."""

import asyncio
import json
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.discord_server import Discord, little_discord
from tests.loopback import free_port
from tests.pictures import sunset
from tests.process.running import Process, melodify, until

Variables = dict[str, str]


@pytest.fixture
async def world() -> AsyncIterator[Discord]:
    async with little_discord() as world:
        yield world


def pages_on(port: int, public_port: int | None = None) -> Variables:
    return {
        "MELODIFY_WEB__PUBLIC_URL": f"http://127.0.0.1:{public_port or port}",
        "MELODIFY_WEB__PORT": str(port),
    }


async def said_at_the_end(process: Process) -> str:
    _, errors = await asyncio.wait_for(process.communicate(), 40)
    assert "Traceback" not in errors.decode(), errors.decode()
    return errors.decode()


async def test_a_song_s_page_is_served_until_the_bot_leaves(world: Discord, tmp_path: Path) -> None:
    port = free_port()
    async with melodify(world, tmp_path, **pages_on(port)) as process, aiohttp.ClientSession() as visitor:
        await world.connected()
        await world.post_picture(sunset())
        await until(world.songs)
        link = world.songs()[0]["embeds"][0]["url"]  # of the title
        async with visitor.get(f"{link}/events") as answer:
            assert (await answer.text()).endswith("event: end\ndata: \n\n")
        async with visitor.get(link) as answer:
            assert (answer.status, "<audio" in await answer.text()) == (200, True)
        process.send_signal(signal.SIGTERM)
        errors = await said_at_the_end(process)
        with pytest.raises(aiohttp.ClientConnectionError):
            await visitor.get(link)
    assert process.returncode == 0
    # Whoever reads the log shall not see the page.
    assert link.rpartition("/")[2] not in errors
    assert all(json.loads(line) for line in errors.splitlines())


async def test_a_port_in_use_is_one_sentence_before_anything_is_begun(world: Discord, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with melodify(world, tmp_path, **pages_on(port)) as process:
            errors = await said_at_the_end(process)
    assert process.returncode == 2
    [line] = errors.strip().splitlines()
    assert f"web.port: 127.0.0.1, port {port} cannot be listened on" in line
    assert not (tmp_path / "data").exists()


async def test_a_second_melodify_hears_of_the_first_before_it_hears_of_the_port(world: Discord, tmp_path: Path) -> None:
    port = free_port()
    async with melodify(world, tmp_path, **pages_on(port)):
        await world.connected()
        async with melodify(world, tmp_path, **pages_on(port)) as second:
            errors = await said_at_the_end(second)
    assert second.returncode == 2
    first, then = errors.strip().splitlines()
    assert "Another Melodify process uses the database" in first
    assert f"port {port} cannot be listened on" in then


async def test_a_host_that_is_none_is_one_sentence(world: Discord, tmp_path: Path) -> None:
    host = {"MELODIFY_WEB__HOST": "192.0.2.1"}  # RFC 5737: nobody's
    async with melodify(world, tmp_path, **pages_on(free_port()), **host) as process:
        errors = await said_at_the_end(process)
    assert process.returncode == 2
    assert len(errors.strip().splitlines()) == 1
    assert "set web.host or web.port" in errors


async def test_a_folder_that_cannot_be_made_is_one_sentence(world: Discord, tmp_path: Path) -> None:
    # Like a missing volume, for every user: not even root can write into a process's own entry.
    folder = {"MELODIFY_FOLDER__PATH": "/proc/self/files"}
    async with melodify(world, tmp_path, **pages_on(free_port()), **folder) as process:
        errors = await said_at_the_end(process)
    assert process.returncode == 2
    assert "folder.path" in errors


async def test_what_is_off_is_not_imported() -> None:
    code = (
        "import sys, bot.cli.run, bot.cli.worker, bot.client, bot.cli.check; "
        "print({'jinja2', 'bot.web', 'bot.web.app'} & sys.modules.keys())"
    )
    run = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.PIPE)
    assert (await run.communicate())[0].decode().strip() == "set()"


async def checked(world: Discord, folder: Path, variables: Variables) -> tuple[int | None, str]:
    async with melodify(world, folder, "check", **variables) as process:
        report, errors = await asyncio.wait_for(process.communicate(), 40)
    assert "Traceback" not in errors.decode()
    return process.returncode, report.decode()


async def test_check_says_that_the_page_is_reached(world: Discord, tmp_path: Path) -> None:
    port = free_port()
    code, report = await checked(world, tmp_path, pages_on(port))
    assert f"ok      the song page is reached under http://127.0.0.1:{port}" in report
    assert code == 0


async def test_check_asks_a_bot_that_runs_already(world: Discord, tmp_path: Path) -> None:
    port = free_port()
    async with melodify(world, tmp_path, **pages_on(port)) as process:
        await world.connected()
        other = {"MELODIFY_DATABASE__URL": f"sqlite:///{tmp_path}/other.db"}
        _, report = await checked(world, tmp_path, pages_on(port) | other)
        process.send_signal(signal.SIGTERM)
        await said_at_the_end(process)
    assert "ok      the song page is reached" in report


async def test_check_says_when_nobody_or_somebody_else_answers(world: Discord, tmp_path: Path) -> None:
    code, report = await checked(world, tmp_path, pages_on(free_port(), public_port=free_port()))
    assert code == 1
    assert "WRONG   web.public_url: http://127.0.0.1" in report
    assert "cannot be reached" in report
    runner = web.AppRunner(web.Application())
    await runner.setup()
    somebody = web.TCPSite(runner, "127.0.0.1", other := free_port())
    await somebody.start()
    code, report = await checked(world, tmp_path, pages_on(free_port(), public_port=other))
    await runner.cleanup()
    assert code == 1
    assert "answers with 404, but not for the song page" in report
