"""A real `melodify run`, REST and gateway over loopback, stopped and killed in the middle of its work."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.discord_server import CHANNEL_ID, TOKEN, Discord, Fault, little_discord
from tests.loopback import fetched, free_port, value
from tests.pictures import sunset
from tests.process.running import FRESH, melodify, until


@pytest.fixture
async def world() -> AsyncIterator[Discord]:
    async with little_discord() as world:
        yield world


async def test_a_mention_with_a_picture_gets_a_song_in_a_thread_through_proxies(world: Discord, tmp_path: Path) -> None:
    async with melodify(world, tmp_path, "run", FRESH) as process:
        await world.connected()
        await world.post_picture(sunset())
        await until(world.songs)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 30) == 0
    (song,) = world.songs()
    (thread,) = world.threads
    assert song["channel_id"] == thread["id"]


async def test_sigterm_lets_a_running_job_end_before_the_bot_leaves(world: Discord, tmp_path: Path) -> None:
    async with melodify(world, tmp_path) as process:
        await world.connected()
        await world.post_picture(sunset())
        await until(lambda: any("Composing" in edit or "Looking" in edit for edit in world.edits))
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 40) == 0
    assert len(world.songs()) == 1


async def test_sigterm_during_the_start_is_an_orderly_end(world: Discord, tmp_path: Path) -> None:
    async with melodify(world, tmp_path, "run", FRESH) as process:
        # The studio is about to open.
        await until((tmp_path / "data" / "melodify.db").exists)
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    assert "Traceback" not in errors.decode()


async def test_a_job_survives_kill_9_and_is_posted_once(world: Discord, tmp_path: Path) -> None:
    async with melodify(world, tmp_path) as process:
        await world.connected()
        await world.post_picture(sunset())
        await until(lambda: any("Composing" in edit for edit in world.edits))
        process.kill()
        await process.wait()
    assert world.songs() == []
    async with melodify(world, tmp_path) as process:
        await until(world.songs)
        await asyncio.sleep(1)
        process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 40) == 0
    assert len(world.songs()) == 1


async def test_pictures_in_a_watched_channel_are_seen_after_a_start_and_after_a_session_that_is_lost(
    world: Discord, tmp_path: Path
) -> None:
    watched = {"MELODIFY_DISCORD__MESSAGE_CONTENT": "true", "MELODIFY_DISCORD__WATCHED_CHANNELS": f"[{CHANNEL_ID}]"}
    world.post_now()
    await world.post_picture(sunset(), "")
    async with melodify(world, tmp_path, **watched) as process:
        await until(lambda: len(world.songs()) == 1)
        sessions = world.drop_sessions()
        await world.post_picture(sunset(), "")
        await world.invalidate(sessions)
        await until(lambda: len(world.songs()) == 2)
        await asyncio.sleep(1)
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 40) == 0
    assert len(world.songs()) == 2


async def test_without_a_token_run_says_so_and_exits_with_2(world: Discord, tmp_path: Path) -> None:
    async with melodify(world, tmp_path, MELODIFY_DISCORD__TOKEN="") as process:
        _, errors = await asyncio.wait_for(process.communicate(), 30)
    text = errors.decode()
    assert process.returncode == 2
    assert "discord.token is missing" in text
    assert "Traceback" not in text


@pytest.mark.parametrize("form", ["json", "text"])
async def test_a_token_that_discord_does_not_know_exits_with_2(world: Discord, tmp_path: Path, form: str) -> None:
    variables = {"MELODIFY_DISCORD__TOKEN": "MTAwMA.other.token", "MELODIFY_LOG__FORMAT": form}
    async with melodify(world, tmp_path, **variables) as process:
        _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 2
    last = errors.decode().splitlines()[-1]
    sentence = json.loads(last)["message"] if form == "json" else last
    assert sentence.startswith("Discord does not accept discord.token")
    assert "Traceback" not in errors.decode()


async def test_a_discord_that_is_away_is_one_sentence(world: Discord, tmp_path: Path) -> None:
    nowhere = {"MELODIFY_DISCORD__API_URL": "http://127.0.0.1:9/api/v10"}
    async with melodify(world, tmp_path, **nowhere) as process:
        _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert "Discord cannot be reached" in errors.decode()
    assert "Traceback" not in errors.decode()


async def test_a_discord_with_troubles_of_its_own_is_one_sentence(world: Discord, tmp_path: Path) -> None:
    world.faults.append(Fault("GET", "/users/@me", 503))
    async with melodify(world, tmp_path) as process:
        _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 1
    assert "Discord cannot be reached" in errors.decode()
    assert "Traceback" not in errors.decode()


@pytest.mark.parametrize(
    ("token", "content", "code", "line"),
    [
        (TOKEN, "false", 0, "Discord knows the token: this bot is Melodify"),
        (TOKEN, "true", 0, "the Message Content intent is on"),
        ("MTAwMA.other.token", "false", 1, "Discord does not accept discord.token"),
    ],
)
async def test_check_asks_discord_about_the_token(
    world: Discord, tmp_path: Path, token: str, content: str, code: int, line: str
) -> None:
    variables = {"MELODIFY_DISCORD__TOKEN": token, "MELODIFY_DISCORD__MESSAGE_CONTENT": content}
    async with melodify(world, tmp_path, "check", **variables) as process:
        report, errors = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == code, errors
    assert line in report.decode()
    assert token not in report.decode()


async def test_a_second_process_on_the_same_database_exits_with_2(world: Discord, tmp_path: Path) -> None:
    async with melodify(world, tmp_path) as first:
        await world.connected()
        async with melodify(world, tmp_path) as second:
            _, errors = await asyncio.wait_for(second.communicate(), 30)
        assert second.returncode == 2
        assert "Another Melodify process" in errors.decode()
        assert "Traceback" not in errors.decode()
        assert first.returncode is None


@pytest.mark.parametrize(("command", "code"), [("run", 2), ("check --offline", 1)])
async def test_a_start_with_too_few_open_files_says_so(tmp_path: Path, command: str, code: int) -> None:
    shell = f"ulimit -n 40; exec {sys.executable} -m bot {command}"
    environment = os.environ | {"MELODIFY_DISCORD__TOKEN": TOKEN}
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", shell), cwd=tmp_path, env=environment, stdout=PIPE, stderr=PIPE
    )
    said = b"".join(await asyncio.wait_for(process.communicate(), 60)).decode()
    assert "may open only 40 files" in said
    assert "Traceback" not in said
    assert process.returncode == code


async def test_a_low_limit_of_open_files_is_raised_as_far_as_it_may(world: Discord, tmp_path: Path) -> None:
    shell = f"ulimit -Sn 100; exec {sys.executable} -m bot run"
    environment = os.environ | {
        "MELODIFY_DISCORD__TOKEN": TOKEN,
        "MELODIFY_DISCORD__API_URL": world.api_url,
        "MELODIFY_DISCORD__GATEWAY_URL": world.gateway_url,
    }
    process = await asyncio.create_subprocess_exec(
        *("bash", "-c", shell), cwd=tmp_path, env=environment, stdout=PIPE, stderr=PIPE
    )
    try:
        await world.connected()
        limits = Path(f"/proc/{process.pid}/limits").read_text()
    finally:
        process.kill()
        await process.communicate()
    (line,) = [line for line in limits.splitlines() if line.startswith("Max open files")]
    assert int(line.split()[3]) == 256


async def test_a_running_bot_says_that_it_is_ready_and_logs_lines_of_json(world: Discord, tmp_path: Path) -> None:
    port = free_port()
    async with melodify(world, tmp_path, MELODIFY_OPS__PORT=str(port)) as process:
        await world.connected()
        async with asyncio.timeout(30):
            while (answer := await fetched(port, "/readyz"))[0] != 200:
                await asyncio.sleep(0.1)
        assert answer[1] == "gateway: well\ndatabase: well\nstorage: well\nmaintenance: well\nheartbeat: well\n"
        await world.post_picture(sunset())
        await until(world.songs)
        measured = (await fetched(port, "/metrics"))[1]
        process.send_signal(signal.SIGTERM)
        _, errors = await asyncio.wait_for(process.communicate(), 30)
    assert value(measured, "melodify_orders_total", result="accepted") == 1
    assert value(measured, "melodify_discord_requests_total", status="200") > 3
    lines = [json.loads(line) for line in errors.decode().splitlines()]
    (song,) = [line for line in lines if "posted in" in line["message"]]
    assert song["stage"] == "delivering"
    assert {line["job"] for line in lines if "job" in line} == {song["job"]}
    assert TOKEN not in errors.decode()
    # What the libraries do at start and stop is of no use to a host; DBOS even warns of SQLite.
    assert [line for line in lines if "dbos" in line["logger"] or "pool" in line["logger"].casefold()] == []


async def test_check_beside_a_running_bot_says_so_and_finds_nothing_wrong(world: Discord, tmp_path: Path) -> None:
    port = {"MELODIFY_OPS__PORT": str(free_port())}
    async with melodify(world, tmp_path, **port):
        await world.connected()
        async with melodify(world, tmp_path, "check", **port) as check:
            report, errors = await asyncio.wait_for(check.communicate(), 30)
    text = report.decode()
    assert "WRONG" not in text
    assert "melodify.db: a running Melodify uses it" in text
    assert "a Melodify answers there" in text
    assert "Ready, and running already." in text
    assert check.returncode == 0, errors
