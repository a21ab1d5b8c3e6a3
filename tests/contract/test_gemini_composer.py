"""The Gemini composer, the real google-genai against its API on loopback. The server counts the music it makes."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import SecretStr

from melodify_core.brief import music_prompt, short_prompt
from melodify_core.composers.gemini.composer import GeminiComposer
from melodify_core.composers.gemini.models import KNOWN
from melodify_core.config.settings import Gemini, Settings
from melodify_core.errors import Misconfigured, Unavailable
from melodify_core.models import Bill, Picture, Progress, RawTake, Wish
from melodify_core.ports import ProviderContext
from melodify_core.providers import longest_call_s, missing_settings, price_of
from tests.briefs import a_brief
from tests.contract.lyria_asking import JOB, JPEG, MP3, outcome
from tests.gemini_server import (
    BAD_KEY,
    CLIP,
    KEY,
    SONG,
    CreateInteraction,
    Fault,
    GeminiServer,
    error,
    gemini_server,
    interaction,
    older,
    pointing,
)
from tests.jobs import PaidCalls

STALL_S = 1.5  # a loaded machine needs half a second until the call leaves


@dataclass
class Asker:
    """A composer, its server, and what it reported."""

    server: GeminiServer
    composer: GeminiComposer
    paid_calls: PaidCalls = field(default_factory=PaidCalls)
    pictures: int = 0

    @property
    def bills(self) -> list[Bill]:
        return self.paid_calls.bills

    async def asks(self, wish: Wish | None = None) -> RawTake:
        async def progress(reached: Progress) -> None:
            raise AssertionError(f"the API knows no progress: {reached}")

        async def picture() -> Picture:
            self.pictures += 1
            return Picture(JPEG, 64, 48, "0" * 64)

        context = ProviderContext(JOB, 42, "a" * 64, 77, picture, self.paid_calls.begin, progress)
        return await self.composer.compose(a_brief(), wish or Wish(), context)


def composer_of(url: str, **settings: Any) -> GeminiComposer:
    values = {"api_key": KEY, "endpoint": url, "deadline_s": 20.0, **settings}
    return GeminiComposer(Gemini.model_validate(values), pause_s=0.01)


@asynccontextmanager
async def asker(**settings: Any) -> AsyncIterator[Asker]:
    async with gemini_server(MP3) as server:
        composer = composer_of(server.url, **settings)
        try:
            yield Asker(server, composer)
        finally:
            await composer.close()
    assert server.invalid == []


async def test_one_key_is_all_that_a_song_needs() -> None:
    async with asker() as it:
        take = await it.asks()

    assert (take.audio, take.content_type, take.model) == (MP3, "audio/mpeg", SONG)
    assert [bill.request_id for bill in it.bills] == ["v1_interaction"]


@pytest.mark.parametrize("file", ["abc", "abc:download?alt=media"])
async def test_music_that_the_answer_only_points_to_is_fetched_with_the_key(file: str) -> None:
    async with asker() as it:
        it.server.answers = [pointing(SONG, f"{it.server.url}/v1beta/files/{file}")]
        take = await it.asks()

    assert it.server.fetched == ["/v1beta/files/abc:download?alt=media"]
    assert (take.audio, it.server.made, len(it.bills)) == (MP3, 1, 1)


async def test_an_address_that_is_cut_off_once_is_read_again() -> None:
    async with asker() as it:
        it.server.answers = [pointing(SONG, f"{it.server.url}/v1beta/files/abc")]
        it.server.faults = [None, Fault(cut=True, status=500)]
        assert (await it.asks()).audio == MP3

    assert (len(it.server.fetched), it.server.made) == (2, 1)


@pytest.mark.parametrize(
    "uri",
    [
        "https://evil.example/song.mp3",
        "https://storage.googleapis.com.evil.example/song.mp3",
        "https://evil.example/.googleapis.com/song.mp3",
        "http://storage.googleapis.com/song.mp3",
        "https://storage.googleapis.com:8443/song.mp3",
        "https://key@evil.example#.googleapis.com",
        "file:///etc/passwd",
        "//evil",
        "http://[bad",
        "{other}/v1beta/files/abc",
    ],
)
async def test_no_other_host_than_googles_is_asked(uri: str, caplog: pytest.LogCaptureFixture) -> None:
    async with asker() as it, gemini_server(MP3) as other:
        it.server.answers = [pointing(SONG, uri.replace("{other}", other.url))]
        assert await outcome(it.asks()) == "music.failed"

    assert (it.server.made, len(it.bills), other.fetched) == (1, 1, [])
    assert "the music's address cannot be read" in caplog.text


async def test_an_address_that_is_refused_is_paid_once_and_no_music() -> None:
    async with asker() as it:
        it.server.answers = [pointing(SONG, f"{it.server.url}/v1beta/files/abc")]
        it.server.faults = [None, Fault(status=404)]
        assert await outcome(it.asks()) == "music.failed"

    assert (it.server.made, len(it.server.fetched), len(it.bills)) == (1, 1, 1)


async def test_the_plainest_request_is_sent_and_nothing_is_stored() -> None:
    async with asker() as it:
        await it.asks()

    [body] = it.server.bodies
    assert set(body) == {"model", "input", "store"}
    assert (body["model"], body["store"]) == (SONG, False)
    assert body["input"].startswith(music_prompt(a_brief(), Wish()))
    assert it.pictures == 0


async def test_the_picture_goes_along_where_the_setting_allows() -> None:
    async with asker(send_picture=True) as it:
        await it.asks()

    [body] = it.server.bodies
    text, image = body["input"][0]["content"]
    assert text["text"].startswith("Instrumental folk.")
    assert (base64.b64decode(image["data"]), image["mime_type"]) == (JPEG, "image/jpeg")


@pytest.mark.parametrize(("model", "wished", "prompted"), [(CLIP, 20, 20), (CLIP, 90, 30), (SONG, 120, 120)])
async def test_the_prompt_says_the_length_as_far_as_the_model_goes(model: str, wished: int, prompted: int) -> None:
    async with asker(model=model) as it:
        await it.asks(Wish(seconds=wished))

    assert f"About {prompted} seconds long." in prompt_of(it.server.asked[0])


async def test_the_music_is_instrumental_unless_singing_is_wished() -> None:
    async with asker() as it:
        await it.asks(Wish())
        await it.asks(Wish(vocals=True, language="ko"))

    plain, sung = map(prompt_of, it.server.asked)
    assert "Instrumental only, no vocals." in plain
    assert "nstrumental" not in sung
    assert "With vocals in Korean." in sung


async def test_a_song_of_minutes_comes_through_whole() -> None:
    async with asker() as it:
        it.server.audio = MP3 + bytes(5 * 1024 * 1024)
        take = await it.asks()

    assert take.audio == it.server.audio


@pytest.mark.parametrize(("settings", "dollars"), [({}, 0.08), ({"model": CLIP}, 0.04), ({"price": 0.5}, 0.5)])
async def test_a_take_is_billed_at_the_models_price_or_at_the_settings(
    settings: dict[str, Any], dollars: float
) -> None:
    async with asker(**settings) as it:
        await it.asks()

    assert [(bill.provider, bill.dollars) for bill in it.bills] == [("gemini", dollars)]
    chosen = Settings(composer="gemini", gemini=Gemini.model_validate(settings))
    assert price_of(chosen) == dollars


async def test_a_model_that_is_not_known_here_works_with_a_price() -> None:
    async with asker(model="lyria-4", price=0.2) as it:
        it.server.models.add("lyria-4")
        await it.composer.check()
        await it.asks(Wish(seconds=120))

    assert "About 120 seconds long." in prompt_of(it.server.asked[0])
    assert [(bill.model, bill.dollars) for bill in it.bills] == [("lyria-4", 0.2)]


def test_a_model_that_is_not_known_here_needs_a_price() -> None:
    gemini = Gemini(api_key=SecretStr(KEY), model="lyria-4")
    [sentence] = missing_settings(Settings(composer="gemini", gemini=gemini))
    assert sentence.startswith("gemini.price is missing")
    assert all(name in sentence for name in KNOWN)
    priced = gemini.model_copy(update={"price": 0.0})
    assert missing_settings(Settings(composer="gemini", gemini=priced)) == []


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"composer": "gemini"}, 'composer = "gemini" needs it'),
        ({"composers": ["gemini", "arranger"]}, 'composers = ["gemini", "arranger"] needs it'),
    ],
)
def test_a_missing_key_names_the_setting_that_chose_the_composer(chosen: dict[str, Any], words: str) -> None:
    [sentence] = missing_settings(Settings.model_validate(chosen))
    assert sentence.startswith(f"gemini.api_key is missing and {words}: set MELODIFY_GEMINI__API_KEY or ")


def test_a_missing_key_is_named_with_the_page_that_makes_one() -> None:
    [sentence] = missing_settings(Settings(composer="gemini"))
    assert "MELODIFY_GEMINI__API_KEY" in sentence
    assert "gemini.api_key_file" in sentence
    assert "https://aistudio.google.com/app/apikey" in sentence


def test_a_stop_waits_for_the_deadline_of_a_call() -> None:
    gemini = Gemini(deadline_s=99.0)
    assert longest_call_s(Settings(composer="gemini", gemini=gemini)) == 99.0 + 15.0


DAY = error(429, "quota_exceeded")
NO_BILLING = older(
    429,
    "RESOURCE_EXHAUSTED",
    "You exceeded your current quota, please check your plan and billing details. * Quota exceeded for metric: "
    "generativelanguage.googleapis.com/generate_content_free_tier_requests, limit: 0",
)
MINUTE = older(
    429,
    "RESOURCE_EXHAUSTED",
    "You exceeded your current quota, please check your plan and billing details.",
    {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "0.01s"},
)
BUSY = error(429, "rate_limit_exceeded")
PATIENCE = Fault(429, BUSY.error, headers={"retry-after": "3600"})
AWAY = error(503, "service_unavailable")
REGION = error(400, "failed_precondition", "User location is not supported for the API use.")
UNPAID = error(400, "failed_precondition", "Billing is disabled.")
OFFENCE = error(400, "invalid_request", "The prompt violates our usage guidelines and was blocked.")
GONE = error(404, "model_not_found", "Model 'lyria-3.5' was not found.")

# What is met, what becomes of the job ("" is music), calls that reached the model, music made (and billed by Google).
FAULTS: dict[str, tuple[list[Fault | None], str, int, int]] = {
    "malformed": ([error(400, "invalid_request", "The request is malformed.")], "provider.refused", 1, 0),
    "unknown parameter": ([error(400, "parameter_unknown")], "provider.refused", 1, 0),
    "wrong key": ([error(401, "authentication")], "provider.misconfigured", 1, 0),
    "wrong key, the older words": ([BAD_KEY], "provider.misconfigured", 1, 0),
    "no credit": ([error(402, "payment_required")], "provider.exhausted", 1, 0),
    "no billing": ([UNPAID], "provider.exhausted", 1, 0),
    "region not served": ([REGION], "provider.misconfigured", 1, 0),
    "permission denied": ([error(403, "permission_denied")], "provider.misconfigured", 1, 0),
    "model unknown": ([GONE], "provider.misconfigured", 1, 0),
    "busy once": ([BUSY], "", 2, 1),
    "busy once, the older words": ([MINUTE], "", 2, 1),
    "busy twice": ([BUSY, BUSY], "provider.busy", 2, 0),
    "busy for longer than the deadline": ([PATIENCE], "provider.busy", 1, 0),
    "the day's quota gone": ([DAY], "provider.exhausted", 1, 0),
    "a quota of nothing": ([NO_BILLING], "provider.exhausted", 1, 0),
    "internal error": ([error(500, "api_error")], "provider.unavailable", 1, 0),
    "internal error after the effect": ([error(500, "api_error", after=True)], "provider.unavailable", 1, 1),
    "away once": ([AWAY], "", 2, 1),
    "away twice": ([AWAY, AWAY], "provider.unavailable", 2, 0),
    "too slow itself": ([error(504, "deadline_exceeded")], "provider.too_slow", 1, 0),
    "cut before the effect": ([Fault(cut=True)], "provider.unavailable", 1, 0),
    "cut after the effect": ([Fault(cut=True, after=True)], "provider.unavailable", 1, 1),
    "blocked by code once": ([error(400, "safety")], "", 2, 1),
    "blocked by code twice": ([error(400, "recitation"), error(400, "blocklist")], "music.blocked", 2, 0),
    "blocked by words twice": ([OFFENCE, OFFENCE], "music.blocked", 2, 0),
    "blocked, then busy": ([error(400, "prohibited_content"), BUSY], "", 3, 1),
}
# After these nobody knows whether Google bills the last call.
UNKNOWN = {name for name in FAULTS if name.startswith(("internal", "cut", "too slow"))}


@pytest.mark.parametrize("name", FAULTS)
async def test_each_fault_has_its_error_and_is_given_back_only_where_it_is_free(name: str) -> None:
    faults, code, calls, paid = FAULTS[name]
    async with asker() as it:
        it.server.faults = list(faults)
        assert await outcome(it.asks()) == code
        assert (len(it.server.asked), it.server.made) == (calls, paid)

    billed, lost = int(not code), int(name in UNKNOWN)
    assert [bill.dollars for bill in it.paid_calls.begun] == [0.08] * calls
    assert (len(it.bills), it.paid_calls.lost, it.paid_calls.freed) == (billed, lost, calls - billed - lost)


async def test_after_a_block_a_plainer_prompt_goes_out_without_the_picture() -> None:
    async with asker(send_picture=True) as it:
        it.server.faults = [error(400, "safety")]
        await it.asks()

    assert isinstance(it.server.bodies[1]["input"], str)
    assert it.server.bodies[1]["input"].startswith(short_prompt(a_brief(), Wish()))


def answering(*content: Any, **fields: Any) -> dict[str, Any]:
    """Return an answer with this content instead of music."""
    return interaction(SONG, MP3) | {"steps": [{"type": "model_output", "content": list(content)}]} | fields


REFUSED = answering(status="failed", errors=[{"code": "prohibited_content", "message": "no"}])
IN_A_STEP = answering(status="failed") | {
    "steps": [{"type": "model_output", "error": {"code": 3, "message": "The music was blocked by recitation checks."}}]
}
WORDS = answering({"type": "text", "text": "The artist sings of safety; recitation follows."})
HTML = base64.b64encode(b"<html>").decode()
# Answers with status 200, what becomes of the job, bills.
ODD: dict[str, tuple[list[Any], str, int]] = {
    "refused once": ([REFUSED], "", 1),
    "refused twice": ([REFUSED, IN_A_STEP], "music.blocked", 0),
    "lyrics about a refusal": ([interaction(SONG, MP3, "Safety first, artist, blocked by recitation")], "", 1),
    "words only": ([WORDS], "music.failed", 1),
    "failed": ([answering(status="failed")], "provider.unavailable", 0),
    "an object of another kind": ([{"kind": "?"}], "music.failed", 1),
    "steps that are a text": ([answering() | {"steps": "none"}], "music.failed", 1),
    "a text": (["no object"], "music.failed", 1),
    "a list": ([[1, 2]], "music.failed", 1),
    "a list in lists without end": ([b"[" * 100_000], "music.failed", 1),
    "errors that are a number": ([answering(errors=1)], "music.failed", 1),
    "empty audio": ([answering({"type": "audio", "data": ""})], "music.failed", 1),
    "no Base64": ([answering({"type": "audio", "data": "?!"})], "music.failed", 1),
    "no audio": ([answering({"type": "audio", "mime_type": "audio/mpeg", "data": HTML})], "music.failed", 1),
}


@pytest.mark.parametrize(("answers", "code", "bills"), ODD.values(), ids=ODD.keys())
async def test_an_odd_answer_has_its_error_and_is_paid_once(answers: list[Any], code: str, bills: int) -> None:
    async with asker() as it:
        it.server.answers = list(answers)
        calls = len(answers) + (code == "" and bool(answers[0].get("errors")))

        assert await outcome(it.asks()) == code
        assert (it.server.made, len(it.bills)) == (calls, bills)


async def test_an_answer_larger_than_the_bound_is_dropped_and_stays_in_the_books(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("melodify_core.composers.gemini.wire.MAX_ANSWER_BYTES", 1000)
    async with asker() as it:
        assert await outcome(it.asks()) == "provider.unavailable"

    assert (it.server.made, it.paid_calls.lost) == (1, 1)


@pytest.mark.parametrize("after", [False, True])
async def test_a_stall_past_the_deadline_is_not_asked_again_and_stays_in_the_books(after: bool) -> None:
    async with asker(deadline_s=STALL_S) as it:
        await it.composer._model.prepare()  # else the first test of all would load the SDK's parts meanwhile
        it.server.faults = [Fault(after=after)]

        assert await outcome(it.asks()) == "provider.too_slow"
        assert (len(it.server.asked), it.server.made) == (1, int(after))
        assert (it.paid_calls.lost, it.paid_calls.freed) == (1, 0)


async def test_no_more_calls_at_once_than_the_setting_allows() -> None:
    async with asker(calls=1) as it:
        it.server.faults = [Fault()]
        first, second = (asyncio.create_task(it.asks()) for _ in range(2))
        while not it.server.asked:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert len(it.server.asked) == 1

        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await second).audio


async def test_a_cancelled_job_cancels_its_call_and_the_composer_goes_on() -> None:
    async with asker(calls=1) as it:
        it.server.faults = [Fault()]
        asking = asyncio.create_task(it.asks())
        while not it.server.asked:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

        assert it.paid_calls.lost == 1
        assert (await it.asks()).audio


async def test_a_call_that_never_left_is_given_back() -> None:
    async with asker(tries=1) as it:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
            away = composer_of(f"http://127.0.0.1:{taken.getsockname()[1]}", tries=1)
            it.composer, kept = away, it.composer
            assert await outcome(it.asks()) == "provider.unavailable"
            with pytest.raises(Unavailable, match=r"provider\.unavailable"):
                await away.check()
            await away.close()
            it.composer = kept

    assert (len(it.paid_calls.begun), it.paid_calls.lost, it.paid_calls.freed) == (1, 0, 1)


DISABLED = older(
    403,
    "PERMISSION_DENIED",
    "Generative Language API has not been used in project 1 before or it is disabled.",
    {"reason": "SERVICE_DISABLED", "metadata": {"activationUrl": "https://console.developers.google.com/activate-me"}},
)
MISTAKES = [
    (BAD_KEY, "gemini.api_key", "https://aistudio.google.com/app/apikey"),
    (error(401, "authentication"), "MELODIFY_GEMINI__API_KEY", "https://aistudio.google.com/app/apikey"),
    (older(403, "PERMISSION_DENIED", "no"), "gemini.api_key", "https://aistudio.google.com/app/apikey"),
    (DISABLED, "gemini.api_key", "https://console.developers.google.com/activate-me"),
    (REGION, "gemini.api_key", "/available-regions"),
    (UNPAID, "gemini.api_key", "/billing"),
    (DAY, f'gemini.api_key: the key\'s quota for "{SONG}"', "/rate-limits"),
    (
        older(404, "NOT_FOUND", "models/lyria-3.5 is not found."),
        f'gemini.model: the Gemini API has no model "{SONG}"',
        "",
    ),
]


@pytest.mark.parametrize(("fault", "setting", "page"), MISTAKES)
async def test_the_check_names_the_setting_and_the_page_that_fix_a_mistake(
    fault: Fault, setting: str, page: str
) -> None:
    async with asker() as it:
        it.server.faults = [fault]
        with pytest.raises(Misconfigured) as caught:
            await it.composer.check()

    [problem] = caught.value.problems
    assert setting in problem
    assert page in problem
    assert it.server.made == 0


@pytest.mark.parametrize(("fault", "setting", "page"), MISTAKES)
async def test_a_mistake_that_shows_only_in_a_job_is_logged_with_its_fix(
    fault: Fault, setting: str, page: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with asker() as it:
        it.server.faults = [fault]
        assert await outcome(it.asks()) in ("provider.misconfigured", "provider.exhausted")

    assert f"job {JOB}: gemini: provider." in caplog.text
    assert setting in caplog.text
    assert page in caplog.text


async def test_the_check_spends_nothing_and_asks_for_the_chosen_model() -> None:
    async with asker(model=CLIP) as it:
        await it.composer.check()

    assert (it.server.looked, it.server.bodies, it.server.made) == ([CLIP], [], 0)


@pytest.mark.parametrize(("fault", "code"), [(AWAY, "provider.unavailable"), (BUSY, "provider.busy")])
async def test_the_check_tells_what_is_only_away_from_what_is_wrong(fault: Fault, code: str) -> None:
    async with asker() as it:
        it.server.faults = [fault]
        with pytest.raises(Unavailable) as caught:
            await it.composer.check()

    assert caught.value.code == code


async def test_a_wrong_key_is_found_before_anything_is_made() -> None:
    async with asker(api_key="AIza-wrong") as it:
        with pytest.raises(Misconfigured, match="does not accept the key"):
            await it.composer.check()
        assert await outcome(it.asks()) == "provider.misconfigured"

    assert it.server.made == 0


async def test_neither_the_key_nor_what_a_service_repeats_reaches_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    echoed = base64.b64encode(bytes(range(256))).decode()
    async with asker() as it:
        it.server.faults = [error(400, "invalid_request", f"Cannot read {echoed}")]
        await outcome(it.asks())

    ours = [record.getMessage() for record in caplog.records if record.name.startswith("melodify_core")]
    assert any("Cannot read" in message for message in ours)
    assert echoed[:64] not in caplog.text
    assert KEY not in caplog.text


async def test_the_environment_of_other_tools_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "GOOGLE_API_KEY": "AIza-other",
        "GEMINI_API_KEY": "AIza-another",
        "GOOGLE_GENAI_USE_VERTEXAI": "true",
        "GOOGLE_GENAI_API_VERSION": "v1",
        "GOOGLE_GEMINI_BASE_URL": "http://127.0.0.1:9",
    }.items():
        monkeypatch.setenv(name, value)
    async with asker() as it:
        await it.composer.check()
        assert (await it.asks()).audio == MP3


def prompt_of(asked: CreateInteraction) -> str:
    """Return the prompt of a request without a picture."""
    assert isinstance(asked.input, str)
    return asked.input
