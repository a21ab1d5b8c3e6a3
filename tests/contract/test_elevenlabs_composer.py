"""The ElevenLabs composer against its API on loopback. The server counts the songs it makes."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from melodify_core.brief import music_prompt, short_prompt
from melodify_core.composers.elevenlabs.composer import ElevenLabsComposer
from melodify_core.config.settings import ElevenLabs, Settings
from melodify_core.errors import MelodifyError, Misconfigured, Unavailable
from melodify_core.models import Bill, RawTake, Wish
from melodify_core.providers import longest_call_s, missing_settings, price_of
from tests.briefs import a_brief
from tests.elevenlabs_server import KEY, ElevenLabsServer, Fault, elevenlabs_server, error
from tests.jobs import PaidCalls, a_provider_context

MP3 = b"ID3" + bytes(4000)
STALL_S = 0.6


@dataclass
class Asker:
    """A composer, its server, and what it reported."""

    server: ElevenLabsServer
    composer: ElevenLabsComposer
    paid_calls: PaidCalls = field(default_factory=PaidCalls)

    @property
    def bills(self) -> list[Bill]:
        return self.paid_calls.bills

    async def asks(self, wish: Wish | None = None) -> RawTake:
        context = a_provider_context(begun=self.paid_calls.begin)
        return await self.composer.compose(a_brief(), wish or Wish(), context)


def composer_of(url: str, **settings: Any) -> ElevenLabsComposer:
    values = {"api_key": KEY, "endpoint": url, "deadline_s": 20.0, **settings}
    return ElevenLabsComposer(ElevenLabs.model_validate(values), pause_s=0.01)


@asynccontextmanager
async def asker(**settings: Any) -> AsyncIterator[Asker]:
    async with elevenlabs_server(MP3) as server:
        composer = composer_of(server.url, **settings)
        try:
            yield Asker(server, composer)
        finally:
            await composer.close()


async def outcome(work: Awaitable[RawTake]) -> str:
    try:
        await work
    except MelodifyError as error:
        return error.code
    return ""


async def test_one_key_is_all_that_a_song_needs() -> None:
    async with asker() as it:
        take = await it.asks()
        assert it.server.invalid == []

    assert (take.audio, take.content_type, take.model) == (MP3, "audio/mpeg", "music_v2")
    assert [bill.request_id for bill in it.bills] == ["song-1"]


async def test_length_and_voice_are_asked_for_in_the_api_s_own_fields() -> None:
    async with asker(model="music_v1") as it:
        await it.asks(Wish(seconds=120))
        await it.asks(Wish(seconds=10, vocals=True, language="ko"))

    plain, sung = it.server.asked
    assert (plain.music_length_ms, plain.force_instrumental, plain.model_id) == (120_000, True, "music_v1")
    assert plain.prompt == music_prompt(a_brief(), Wish())
    assert (sung.music_length_ms, sung.force_instrumental) == (10_000, False)
    assert "nstrumental" not in sung.prompt
    assert sung.prompt.endswith("With vocals in Korean.")


async def test_a_song_is_billed_by_the_minute() -> None:
    async with asker(dollars_per_minute=0.6) as it:
        await it.asks(Wish(seconds=90))

    [bill] = it.bills
    assert bill.provider == "elevenlabs"
    assert bill.dollars == pytest.approx(0.9)
    chosen = Settings.model_validate({"composer": "elevenlabs", "elevenlabs": {"dollars_per_minute": 0.6}})
    assert price_of(chosen) == pytest.approx(0.3)


def test_a_missing_key_is_named_with_the_page_that_makes_one() -> None:
    [sentence] = missing_settings(Settings(composer="elevenlabs"))
    assert "MELODIFY_ELEVENLABS__API_KEY" in sentence
    assert "elevenlabs.api_key_file" in sentence
    assert "https://elevenlabs.io/app/settings/api-keys" in sentence


def test_a_stop_waits_for_the_deadline_of_a_call() -> None:
    chosen = Settings(composer="elevenlabs", elevenlabs=ElevenLabs(deadline_s=99.0))
    assert longest_call_s(chosen) == 99.0 + 15.0


WRONG_KEY = error(401, "invalid_api_key", "Invalid API key")
NO_CREDIT = error(401, "quota_exceeded", "This request exceeds your quota of 100.")
FREE_PLAN = error(402, "paid_plan_required", "The Music API is not available on the free plan.")
NOT_ALLOWED = error(401, "missing_permissions", "The API key lacks the permission music_generation.")
REGION = error(403, "forbidden", "ElevenLabs is not available in your country.")
REDIRECTED = Fault(302, b"", headers={"location": "https://help.elevenlabs.io/not-served-there"})
NO_MODEL = Fault(422, [{"loc": ["body", "model_id"], "msg": "Input should be 'music_v1'", "type": "literal_error"}])
RETIRED = error(400, "model_deprecated", "This model is retired.")
BAD_PROMPT = error(400, "bad_prompt", "The prompt names an artist.")
BLOCKED = Fault(422, {"type": "validation_error", "code": "content_policy_violation", "message": "no"})
BUSY = error(429, "system_busy")
CROWD = error(429, "too_many_concurrent_requests")
PATIENCE = Fault(429, BUSY.detail, headers={"retry-after": "3600"})
AWAY = error(503, "service_unavailable")

# What is met, what becomes of the job ("" is music), calls, songs made (and billed).
FAULTS: dict[str, tuple[list[Fault | None], str, int, int]] = {
    "malformed": ([Fault(422, [{"loc": ["body"], "msg": "no", "type": "x"}])], "provider.refused", 1, 0),
    "wrong key": ([WRONG_KEY], "provider.misconfigured", 1, 0),
    "no permission": ([NOT_ALLOWED], "provider.misconfigured", 1, 0),
    "no credit": ([NO_CREDIT], "provider.exhausted", 1, 0),
    "no plan": ([FREE_PLAN], "provider.exhausted", 1, 0),
    "region not served": ([REGION], "provider.misconfigured", 1, 0),
    "region not served, by a redirect": ([REDIRECTED], "provider.misconfigured", 1, 0),
    "model unknown": ([NO_MODEL], "provider.misconfigured", 1, 0),
    "model retired": ([RETIRED], "provider.misconfigured", 1, 0),
    "busy once": ([BUSY], "", 2, 1),
    "busy twice": ([CROWD, BUSY], "provider.busy", 2, 0),
    "busy for longer than the deadline": ([PATIENCE], "provider.busy", 1, 0),
    "internal error": ([error(500, "internal")], "provider.unavailable", 1, 0),
    "internal error after the effect": ([error(500, "internal", after=True)], "provider.unavailable", 1, 1),
    "away once": ([AWAY], "", 2, 1),
    "away twice": ([AWAY, AWAY], "provider.unavailable", 2, 0),
    "too slow itself": ([error(504, "timeout")], "provider.too_slow", 1, 0),
    "no JSON": ([Fault(500, b"<html>")], "provider.unavailable", 1, 0),
    "JSON without end": ([Fault(500, b"[" * 100_000)], "provider.unavailable", 1, 0),
    "cut before the effect": ([Fault(cut=True)], "provider.unavailable", 1, 0),
    "cut after the effect": ([Fault(cut=True, after=True)], "provider.unavailable", 1, 1),
    "blocked once": ([BAD_PROMPT], "", 2, 1),
    "blocked twice": ([BAD_PROMPT, BLOCKED], "music.blocked", 2, 0),
    "blocked, then busy": ([BLOCKED, BUSY], "", 3, 1),
}
# After these nobody knows whether the last call is billed.
UNKNOWN = {name for name in FAULTS if name.startswith(("internal", "cut", "too slow", "no JSON", "JSON without"))}


@pytest.mark.parametrize("name", FAULTS)
async def test_each_fault_has_its_error_and_is_given_back_only_where_it_is_free(name: str) -> None:
    faults, code, calls, paid = FAULTS[name]
    async with asker() as it:
        it.server.faults = list(faults)
        assert await outcome(it.asks()) == code
        assert (it.server.calls, it.server.made) == (calls, paid)

    billed, lost = int(not code), int(name in UNKNOWN)
    assert [bill.dollars for bill in it.paid_calls.begun] == [pytest.approx(0.4)] * calls
    assert (len(it.bills), it.paid_calls.lost, it.paid_calls.freed) == (billed, lost, calls - billed - lost)


async def test_after_a_block_a_plainer_prompt_goes_out() -> None:
    async with asker() as it:
        it.server.faults = [BAD_PROMPT]
        await it.asks()

    assert [body["prompt"] for body in it.server.bodies] == [
        music_prompt(a_brief(), Wish()),
        short_prompt(a_brief(), Wish()),
    ]


@pytest.mark.parametrize("answer", [b"", b"<html>", b'{"detail": null}'])
async def test_an_answer_without_sound_fails_and_is_paid_once(answer: bytes) -> None:
    async with asker() as it:
        it.server.answers = [answer]
        assert await outcome(it.asks()) == "music.failed"

    assert (it.server.made, len(it.bills)) == (1, 1)


async def test_an_answer_larger_than_the_bound_is_dropped_and_stays_in_the_books(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("melodify_core.composers.elevenlabs.composer.MAX_ANSWER_BYTES", 1000)
    async with asker() as it:
        assert await outcome(it.asks()) == "provider.unavailable"

    assert (it.server.made, it.paid_calls.lost) == (1, 1)


@pytest.mark.parametrize("after", [False, True])
async def test_a_stall_past_the_deadline_is_not_asked_again_and_stays_in_the_books(after: bool) -> None:
    async with asker(deadline_s=STALL_S) as it:
        it.server.faults = [Fault(after=after)]
        assert await outcome(it.asks()) == "provider.too_slow"
        assert (it.server.calls, it.server.made) == (1, int(after))

    assert (it.paid_calls.lost, it.paid_calls.freed) == (1, 0)


async def test_no_more_calls_at_once_than_the_setting_allows() -> None:
    async with asker(calls=1) as it:
        it.server.faults = [Fault()]
        first, second = (asyncio.create_task(it.asks()) for _ in range(2))
        while not it.server.calls:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert it.server.calls == 1

        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await second).audio
    assert it.paid_calls.lost == 1


async def test_a_call_that_never_left_is_given_back() -> None:
    async with asker() as it:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
            away = composer_of(f"http://127.0.0.1:{taken.getsockname()[1]}", tries=1)
            kept, it.composer = it.composer, away
            assert await outcome(it.asks()) == "provider.unavailable"
            with pytest.raises(Unavailable, match=r"provider\.unavailable"):
                await away.check()
            await away.close()
            it.composer = kept

    assert (len(it.paid_calls.begun), it.paid_calls.lost, it.paid_calls.freed) == (1, 0, 1)


KEYS, PLANS = "https://elevenlabs.io/app/settings/api-keys", "https://elevenlabs.io/app/subscription"
MISTAKES = [
    (WRONG_KEY, "MELODIFY_ELEVENLABS__API_KEY", KEYS),
    (NO_CREDIT, "elevenlabs.api_key", PLANS),
    (FREE_PLAN, "elevenlabs.api_key", PLANS),
    (REGION, "elevenlabs.api_key", "does not serve"),
    (REDIRECTED, "elevenlabs.api_key", "does not serve"),
]


@pytest.mark.parametrize(("fault", "setting", "page"), MISTAKES)
async def test_the_check_names_the_setting_and_the_page_that_fix_a_mistake(
    fault: Fault, setting: str, page: str
) -> None:
    async with asker() as it:
        it.server.faults = [fault]
        with pytest.raises(Misconfigured) as caught:
            await it.composer.check()
        assert it.server.made == 0

    [problem] = caught.value.problems
    assert setting in problem
    assert page in problem


@pytest.mark.parametrize(
    ("fault", "setting", "page"),
    [
        *MISTAKES,
        (NOT_ALLOWED, "elevenlabs.api_key", KEYS),
        (NO_MODEL, "elevenlabs.model: ElevenLabs has no", "compose"),
    ],
)
async def test_a_mistake_that_shows_only_in_a_job_is_logged_with_its_fix(
    fault: Fault, setting: str, page: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with asker() as it:
        it.server.faults = [fault]
        await outcome(it.asks())

    assert setting in caplog.text
    assert page in caplog.text
    assert KEY not in caplog.text


async def test_a_plan_without_the_music_api_is_told_at_the_start() -> None:
    async with asker() as it:
        it.server.tier = "free"
        with pytest.raises(Misconfigured, match=PLANS):
            await it.composer.check()


async def test_a_key_that_may_make_music_only_passes_the_check() -> None:
    async with asker() as it:
        it.server.faults = [NOT_ALLOWED]
        await it.composer.check()
