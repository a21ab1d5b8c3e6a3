"""`melodify check` for real: a tiny picture is read by a server of one's own, and with `--live` a song is paid for."""

import asyncio
import io
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from bot.cli.check import check
from bot.cli.live import agreed, make_tiny_songs, read_tiny_picture, tiny
from melodify_core.config.settings import Settings
from tests.gemini_server import KEY, SONG, Fault, GeminiServer, gemini_server
from tests.openai_server import USAGE, OpenAIServer, answers, closed_port, fails, openai_server
from tests.pictures import opened
from tests.sounds import chords, wav

READING = (USAGE["input_tokens"] * 0.10 + USAGE["output_tokens"] * 0.50) / 1e6


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with openai_server() as server:
        yield server


@pytest.fixture
async def gemini() -> AsyncIterator[GeminiServer]:
    async with gemini_server(await asyncio.to_thread(lambda: wav(chords(10.0)))) as server:
        yield server


def own_server(server: OpenAIServer, **changes: Any) -> Settings:
    openai = {"base_url": server.url, "api": "chat", "fallback_model": "", "tries": 1}
    return Settings.model_validate({"captioner": "openai", "moderation": "off", "openai": openai} | changes)


def with_two_keys(server: OpenAIServer, gemini: GeminiServer) -> Settings:
    return own_server(server, composer="gemini", gemini={"api_key": KEY, "endpoint": gemini.url, "tries": 1})


async def test_a_server_of_ones_own_reads_a_tiny_picture_and_its_answer_is_told(server: OpenAIServer) -> None:
    [trial] = await read_tiny_picture(own_server(server))
    assert trial.good
    assert '"Amber Dusk", calm, warm; folk; nylon guitar, cello; 84 BPM' in trial.text
    assert "characters, finish reason stop" in trial.text
    [call] = server.paid
    assert call.size < 30_000


async def test_a_model_that_only_thinks_is_told_with_what_came_back(server: OpenAIServer) -> None:
    body = {"choices": [{"finish_reason": "length", "message": {"content": "", "reasoning": "Hm. " * 500}}]}
    server.script = [answers(lambda: web.json_response(body))]
    [trial] = await read_tiny_picture(own_server(server))
    assert not trial.good
    assert "0 characters, 2000 characters of thoughts, finish reason length" in trial.text


async def test_nothing_is_read_where_it_might_cost() -> None:
    assert await read_tiny_picture(Settings()) == []
    openai = {"api_key": "sk-1"}
    assert await read_tiny_picture(Settings.model_validate({"captioner": "openai", "openai": openai})) == []


async def test_the_check_itself_has_the_line(server: OpenAIServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.models = {"gpt-6-luna"}
    await check(own_server(server), "", online=False)
    assert "ok      a tiny picture was read in" in capsys.readouterr().out
    server.script = [fails(500)]
    await check(own_server(server), "", online=False)
    assert "WRONG   a tiny picture was not read in" in capsys.readouterr().out


async def test_what_cannot_be_reached_is_named_with_its_address(capsys: pytest.CaptureFixture[str]) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    own = {"captioner": "openai", "moderation": "off", "openai": {"base_url": f"{url}/v1", "model": "m", "tries": 1}}
    await check(Settings.model_validate(own | {"composer": "acestep", "acestep": {"url": url}}), "", online=False)
    said = capsys.readouterr().out
    assert f"WRONG   composer acestep cannot be reached now: at {url} (acestep.url)" in said
    assert f"WRONG   captioner openai cannot be reached now: m at {url}/v1" in said


async def test_a_live_check_asks_for_the_price_makes_one_song_and_says_what_it_spent(
    server: OpenAIServer, gemini: GeminiServer
) -> None:
    asked: list[str] = []

    def agree(question: str) -> bool:
        asked.append(question)
        return True

    trials = await make_tiny_songs(with_two_keys(server, gemini), agree)
    assert [trial.good for trial in trials] == [True, True]
    assert asked[0].startswith("A short song will cost about $0.08")
    assert f'openai and gemini ({SONG}) made 10 s of "Amber Dusk"' in trials[0].text
    assert trials[1].text.startswith(f"spent ${READING + 0.08:.4f}, expected $0.08")
    assert (len(server.paid), gemini.made) == (1, 1)


async def test_a_host_who_does_not_agree_pays_nothing(server: OpenAIServer, gemini: GeminiServer) -> None:
    [trial] = await make_tiny_songs(with_two_keys(server, gemini), lambda _: False)
    assert not trial.good
    assert "see --yes" in trial.text
    assert (server.calls, gemini.made) == ([], 0)


async def test_what_failed_and_what_it_cost_all_the_same_is_told(server: OpenAIServer, gemini: GeminiServer) -> None:
    gemini.faults = [Fault(status=503, error={"code": "unavailable", "message": "no"})]
    trials = await make_tiny_songs(with_two_keys(server, gemini), lambda _: True)
    assert not trials[0].good
    assert trials[0].text.startswith("gemini made no song (provider.")
    assert trials[1].text.startswith("spent $0.0")


async def test_each_composer_that_may_play_is_heard(server: OpenAIServer, gemini: GeminiServer) -> None:
    settings = with_two_keys(server, gemini).model_copy(update={"composers": ("gemini", "arranger")})
    gemini.faults = [Fault(status=503, error={"code": "unavailable", "message": "no"})]
    trials = await make_tiny_songs(
        settings, lambda question: question.startswith("2 short songs will cost about $0.08")
    )
    assert [trial.good for trial in trials] == [False, True, True, True]
    assert trials[0].text.startswith("gemini made no song")
    assert trials[2].text.startswith("openai and arranger (arranger) made ")


async def test_what_costs_nothing_is_not_asked_about() -> None:
    def never(question: str) -> bool:
        raise AssertionError(question)

    trials = await make_tiny_songs(Settings(), never)
    assert trials[0].text.startswith("palette and arranger")
    assert trials[1].text == "spent $0.0000, expected $0.0000"


def test_without_a_terminal_only_yes_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert not agreed("It costs.", yes=False)
    assert agreed("It costs.", yes=True)


def test_the_tiny_picture_is_one() -> None:
    assert opened(tiny()).size == (96, 96)
