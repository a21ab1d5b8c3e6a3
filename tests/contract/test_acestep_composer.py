"""The ACE-Step composer against its API on loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from melodify_core.brief import music_prompt
from melodify_core.composers.acestep.composer import AceStepComposer
from melodify_core.config.settings import AceStep, Settings
from melodify_core.errors import MelodifyError, Misconfigured, Unavailable
from melodify_core.models import Brief, Commission, Progress, RawTake, Wish
from melodify_core.ports import CommissioningComposer, ProviderContext
from melodify_core.providers import longest_call_s, missing_settings, price_of
from tests.acestep_server import TURBO, AceStepServer, Fault, acestep_server
from tests.briefs import a_brief
from tests.jobs import PaidCalls, a_provider_context

FLAC = b"fLaC" + bytes(4000)
STALL_S = 0.6


@dataclass
class Asker:
    """A composer, its server, and what it reported."""

    server: AceStepServer
    composer: AceStepComposer
    paid_calls: PaidCalls = field(default_factory=PaidCalls)
    progress: list[Progress] = field(default_factory=list)

    @property
    def context(self) -> ProviderContext:
        async def progress(reached: Progress) -> None:
            self.progress.append(reached)

        return replace(a_provider_context(seed=42, begun=self.paid_calls.begin), progress=progress)

    async def orders(self, brief: Brief | None = None) -> Commission:
        return await self.composer.commission(brief or a_brief(), Wish(seconds=20), self.context)

    async def asks(self) -> RawTake:
        return await self.composer.collect(await self.orders(), self.context)

    async def outcome(self) -> str:
        try:
            await self.asks()
        except MelodifyError as error:
            return error.code
        return ""


def composer_of(url: str, **settings: Any) -> AceStepComposer:
    return AceStepComposer(AceStep.model_validate({"url": url, "poll_s": 0.01, "deadline_s": 20.0, **settings}))


@asynccontextmanager
async def asker(**settings: Any) -> AsyncIterator[Asker]:
    async with acestep_server(FLAC) as server:
        composer = composer_of(server.url, **settings)
        try:
            yield Asker(server, composer)
        finally:
            await composer.close()
        assert server.invalid == []


async def test_a_task_is_queued_watched_and_its_music_fetched() -> None:
    async with asker() as it:
        take = await it.asks()

    assert isinstance(it.composer, CommissioningComposer)
    assert (take.audio, take.content_type, take.model) == (FLAC, "audio/flac", TURBO)
    assert it.progress == ["queued", "running"]
    assert it.server.fetched == ["/tmp/api_audio/abc 1.flac"]  # noqa: S108


async def test_everything_that_decides_the_music_is_asked_for() -> None:
    brief = a_brief()
    async with asker(model="acestep-v15-sft", steps=32, thinking=True) as it:
        take = await it.asks()

    [asked] = it.server.asked
    assert asked.prompt == music_prompt(brief, Wish())
    assert (asked.audio_duration, asked.bpm, asked.seed, asked.use_random_seed) == (20, brief.bpm, 42, False)
    assert (asked.lyrics, asked.batch_size, asked.audio_format) == ("[inst]", 1, "flac")
    assert (asked.model, asked.inference_steps, asked.thinking) == ("acestep-v15-sft", 32, True)
    assert asked.key_scale == f"E {brief.mode}"
    assert (take.bpm, take.key, take.mode) == (brief.bpm, "E", brief.mode)


async def test_a_long_prompt_is_cut_at_a_sentence() -> None:
    long = a_brief().model_copy(update={"arrangement": "It builds slowly. " * 16, "soundscape": "Rain falls. " * 24})
    async with asker() as it:
        await it.orders(long)

    [asked] = it.server.asked
    assert len(asked.prompt) < 512
    assert asked.prompt.endswith(".")
    assert asked.prompt.startswith("Instrumental folk.")


async def test_a_killed_bot_finds_its_task_again() -> None:
    async with asker() as it:
        commission = await it.orders()
        await it.composer.close()
        second = composer_of(it.server.url)
        take = await second.collect(commission, it.context)
        await second.close()

    assert take.audio == FLAC
    assert len(it.server.asked) == 1


async def test_a_task_of_a_server_that_was_restarted_fails_at_once(caplog: pytest.LogCaptureFixture) -> None:
    async with asker() as it:
        commission = await it.orders()
        it.server.restart()
        with pytest.raises(Unavailable, match=r"music\.failed"):
            await it.composer.collect(commission, it.context)

    assert "was restarted" in caplog.text


async def test_a_task_that_fails_says_why_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    async with asker() as it:
        it.server.states, it.server.extra = ["running", "failed"], {"error": "CUDA out of memory"}
        assert await it.outcome() == "music.failed"

    assert "CUDA out of memory" in caplog.text


async def test_cancelling_is_no_error_though_the_api_has_no_way_to() -> None:
    async with asker() as it:
        await it.composer.cancel(await it.orders())


async def test_nothing_is_booked_on_a_machine_of_ones_own_unless_the_host_counts_it() -> None:
    async with asker() as free, asker(dollars_per_take=0.01) as counted:
        await free.asks()
        await counted.asks()

    assert free.paid_calls.begun == []
    assert [bill.dollars for bill in counted.paid_calls.bills] == [0.01]
    # One song is one line in the books, however often it is ordered and collected.
    assert len({bill.request_id for bill in counted.paid_calls.begun}) == 1
    assert price_of(Settings(composer="acestep", acestep=AceStep(dollars_per_take=0.01))) == 0.01


def test_it_needs_no_setting_and_no_stop_waits_for_it() -> None:
    chosen = Settings(composer="acestep")
    assert missing_settings(chosen) == []
    assert longest_call_s(chosen) == 0.0


BUSY, AWAY, CUT = Fault(429, "Server busy: queue is full"), Fault(503), Fault(cut=True)
# What is met where, what becomes of the job ("" is music), how many tasks were queued.
FAULTS: dict[str, tuple[str, list[Fault | None], str, int]] = {
    "order refused": ("/release_task", [Fault(400)], "provider.misconfigured", 0),
    "wrong key": ("/release_task", [Fault(401)], "provider.misconfigured", 0),
    "another server": ("/release_task", [Fault(404)], "provider.misconfigured", 0),
    "full queue": ("/release_task", [BUSY], "provider.busy", 0),
    "internal error": ("/release_task", [Fault(500)], "provider.unavailable", 0),
    "cut before the effect": ("/release_task", [CUT], "provider.unavailable", 0),
    "cut after the effect": ("/release_task", [Fault(cut=True, after=True)], "provider.unavailable", 1),
    "no answer about the task for a while": ("/query_result", [AWAY, CUT, Fault(500)], "", 1),
    "key changed meanwhile": ("/query_result", [Fault(401)], "provider.misconfigured", 1),
    "music not to be had for a while": ("/v1/audio", [AWAY, CUT], "", 1),
    "music gone": ("/v1/audio", [Fault(404)], "music.failed", 1),
    "music outside of its folder": ("/v1/audio", [Fault(403)], "music.failed", 1),
}


@pytest.mark.parametrize("name", FAULTS)
async def test_each_fault_has_its_error(name: str) -> None:
    path, faults, code, queued = FAULTS[name]
    async with asker(dollars_per_take=0.01) as it:
        it.server.faults[path] = list(faults)
        assert await it.outcome() == code
        assert len(it.server.asked) == queued

    assert len(it.paid_calls.bills) == int(not code or path == "/v1/audio")


@pytest.mark.parametrize("path", ["/release_task", "/query_result", "/v1/audio"])
async def test_a_stall_ends_with_the_deadline(path: str) -> None:
    async with asker(deadline_s=STALL_S) as it:
        it.server.faults[path] = [Fault()]
        assert await it.outcome() == "provider.too_slow"


@pytest.mark.parametrize("odd", [{"status": [1]}, {"result": "[" * 100_000}], ids=["status", "result"])
async def test_what_is_no_answer_about_a_task_is_no_music(odd: dict[str, Any]) -> None:
    async with asker(deadline_s=STALL_S) as it:
        it.server.odd = odd
        assert await it.outcome() in ("music.failed", "provider.too_slow")


@pytest.mark.parametrize("file", ["", "/v1/audio", "/v1/audio?path=", "//[x"])
async def test_a_task_without_a_file_has_no_music(file: str) -> None:
    async with asker() as it:
        it.server.file = file
        assert await it.outcome() == "music.failed"


async def test_nobody_but_the_server_of_the_settings_is_asked_for_the_music() -> None:
    async with asker() as it:
        it.server.file = "http://192.0.2.1/v1/audio?path=%2Fx.flac"
        assert (await it.asks()).audio == FLAC
        assert it.server.fetched == ["/x.flac"]


@pytest.mark.parametrize("audio", [b"", b"<html>"])
async def test_an_answer_without_sound_is_no_music(audio: bytes) -> None:
    async with asker() as it:
        it.server.audio = audio
        assert await it.outcome() == "music.failed"


async def test_the_check_finds_a_good_server_and_asks_for_no_music() -> None:
    async with asker(model=TURBO, api_key="a-key") as it:
        it.server.key = "a-key"
        await it.composer.check()
        assert it.server.asked == []


async def test_a_server_that_still_loads_its_models_passes_the_check() -> None:
    async with asker(model=TURBO) as it:
        it.server.loaded = []
        await it.composer.check()


@pytest.mark.parametrize(
    ("settings", "key", "faults", "setting"),
    [
        ({}, "a-key", {}, "MELODIFY_ACESTEP__API_KEY"),
        ({"model": "acestep-v9"}, "", {}, f'acestep.model: the server at .* has no model "acestep-v9" .*{TURBO}'),
        ({}, "", {"/health": [Fault(404)]}, r"acestep\.url: .*deploy/acestep/README\.md"),
    ],
)
async def test_the_check_names_the_setting_that_fixes_a_mistake(
    settings: dict[str, Any], key: str, faults: dict[str, list[Fault | None]], setting: str
) -> None:
    async with asker(**settings) as it:
        it.server.key, it.server.faults = key, faults
        with pytest.raises(Misconfigured, match=setting):
            await it.composer.check()


async def test_a_server_that_is_not_there_is_only_away() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        away = composer_of(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(Unavailable, match=r"provider\.unavailable"):
            await away.check()
        await away.close()


async def test_a_cancelled_job_waits_for_its_task_no_more() -> None:
    async with asker() as it:
        it.server.states = ["running"]
        waiting = asyncio.create_task(it.asks())
        while not it.server.looked:
            await asyncio.sleep(0.01)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        looked = len(it.server.looked)
        await asyncio.sleep(0.1)
        assert len(it.server.looked) == looked
