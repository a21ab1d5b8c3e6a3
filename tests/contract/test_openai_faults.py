"""Every fault of the way to OpenAI with its expected error, and how often it was asked and paid."""

import asyncio
import json
import time
from contextlib import suppress
from typing import Any

import openai
import pytest
from aiohttp import web

from melodify_core.brief import music_prompt
from melodify_core.captioners.openai import OpenAICaptioner
from melodify_core.captioners.openai.faults import pause_s
from melodify_core.captioners.openai.wire import client_of
from melodify_core.composers.arranger.styles import style_of
from melodify_core.config.settings import OpenAI
from melodify_core.errors import MelodifyError, Refused, Unavailable
from melodify_core.models import Brief, Wish
from tests.contract.openai_asking import Reports, caption, picture, reports, server, settings_of
from tests.openai_server import (
    READING,
    Act,
    OpenAIServer,
    answers,
    breaks_off,
    chat_reply,
    closed_port,
    fails,
    hangs_up,
    reply,
    response,
    says,
    stalls,
)

__all__ = ["picture", "reports", "server"]  # fixtures

REFUSING = [{"type": "refusal", "refusal": "I cannot help with that."}]
BUSY = fails(429, "rate_limit_exceeded")


def failed(code: str) -> Act:
    return answers(lambda: response([], status="failed", error={"code": code, "message": "no"}))


# What goes wrong before an answer: script, error, calls (the fallback model's included). Nothing is paid.
UNPAID: list[tuple[str, list[Act], type[MelodifyError], str, int]] = [
    ("bad request", [fails(400, "unsupported_parameter")], Unavailable, "provider.misconfigured", 1),
    ("content policy", [fails(400, "content_policy_violation")], Refused, "caption.refused", 1),
    ("prompt policy", [fails(400, "invalid_prompt")], Refused, "caption.refused", 1),
    ("wrong key", [fails(401, "invalid_api_key")], Unavailable, "provider.misconfigured", 1),
    ("no permission", [fails(403, "forbidden")], Unavailable, "provider.misconfigured", 1),
    ("both models unknown", [fails(404, "model_not_found")] * 2, Unavailable, "provider.misconfigured", 2),
    ("rate limit", [BUSY] * 3, Unavailable, "provider.busy", 3),
    ("rate limit with Retry-After", [fails(429, retry_after="0.1")] * 3, Unavailable, "provider.busy", 3),
    ("Retry-After past the deadline", [fails(429, retry_after="900")] * 2, Unavailable, "provider.busy", 2),
    ("Retry-After as a date", [fails(429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT")] * 3, Unavailable, "busy", 3),
    ("no quota", [fails(429, "insufficient_quota")], Unavailable, "provider.exhausted", 1),
    ("server error", [fails(500)] * 3, Unavailable, "provider.unavailable", 3),
    ("overloaded", [fails(503, retry_after="0")] * 3, Unavailable, "provider.unavailable", 3),
    ("error that is not JSON", [answers(lambda: _page(502))] * 3, Unavailable, "provider.unavailable", 3),
    ("cut twice before the answer", [hangs_up] * 2, Unavailable, "provider.unavailable", 2),
    ("busy, and no fallback", [BUSY, BUSY, fails(404, "model_not_found")], Unavailable, "provider.busy", 3),
]

# An answer came, and is charged: it is asked for once, whatever is in it.
PAID: list[tuple[str, Act, type[MelodifyError], str]] = [
    ("refusal", answers(lambda: response(REFUSING)), Refused, "caption.refused"),
    ("policy in a failed answer", failed("image_content_policy_violation"), Refused, "caption.refused"),
    ("failed", failed("server_error"), Unavailable, "provider.unavailable"),
    ("failed for its rate", failed("rate_limit_exceeded"), Unavailable, "provider.busy"),
    (
        "incomplete",
        answers(lambda: reply('{"title": "A', status="incomplete", incomplete_details={"reason": "max_output_tokens"})),
        Unavailable,
        "provider.unavailable",
    ),
    (
        "filtered",
        answers(lambda: response([], status="incomplete", incomplete_details={"reason": "content_filter"})),
        Refused,
        "caption.refused",
    ),
    ("truncated JSON", answers(lambda: reply(json.dumps(READING)[:40])), Unavailable, "provider.unavailable"),
    ("no JSON in it", answers(lambda: reply("I see a sunset.")), Unavailable, "provider.unavailable"),
    ("empty", answers(lambda: response([])), Unavailable, "provider.unavailable"),
    ("wrong shape", answers(lambda: reply('{"colour": "red"}')), Unavailable, "provider.unavailable"),
    ("no text", answers(lambda: reply(json.dumps(READING | {"title": "", "caption": " "}))), Unavailable, "provider"),
    ("a page", says("<html></html>", "text/html"), Unavailable, "provider.unavailable"),
    ("null", says("null"), Unavailable, "provider.unavailable"),
    ("a list", says("[1]"), Unavailable, "provider.unavailable"),
    ("odd types", says('{"status": 5, "output": {"a": 1}, "usage": []}'), Unavailable, "provider.unavailable"),
    ("nested without end", says('{"a":' * 5000), Unavailable, "provider.unavailable"),
    ("too long", says(" " * 400_000), Unavailable, "provider.unavailable"),
    ("cut in the answer", breaks_off, Unavailable, "provider.unavailable"),
]


def _page(status: int) -> Any:
    return web.Response(status=status, text="<html>bad gateway</html>", content_type="text/html")


@pytest.mark.parametrize(("script", "kind", "code", "calls"), [case[1:] for case in UNPAID], ids=[c[0] for c in UNPAID])
async def test_without_an_answer_nothing_is_paid(
    server: OpenAIServer, reports: Reports, script: list[Act], kind: type[MelodifyError], code: str, calls: int
) -> None:
    server.script = list(script)
    with pytest.raises(kind, match=code):
        await caption(settings_of(server, tries=2, moderation=False), reports)
    assert len(server.paid) == calls
    assert reports.bills == []


@pytest.mark.parametrize(("act", "kind", "code"), [case[1:] for case in PAID], ids=[case[0] for case in PAID])
async def test_an_answer_is_paid_once_and_never_asked_for_again(
    server: OpenAIServer, reports: Reports, act: Act, kind: type[MelodifyError], code: str
) -> None:
    server.script = [act]
    with pytest.raises(kind, match=code):
        await caption(settings_of(server, moderation=False), reports)
    assert len(server.paid) == 1
    assert len(reports.bills) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (lambda: chat_reply(None, refusal="no"), Refused, "caption.refused"),
        (lambda: chat_reply("", "content_filter"), Refused, "caption.refused"),
        (lambda: chat_reply('{"title": "A', "length"), Unavailable, "provider.unavailable"),
        (lambda: chat_reply("no idea"), Unavailable, "provider.unavailable"),
        (lambda: chat_reply(None), Unavailable, "provider.unavailable"),
    ],
)
async def test_chat_answers_of_no_use_are_paid_once(
    server: OpenAIServer, reports: Reports, answer: Any, kind: type[MelodifyError], code: str
) -> None:
    server.script = [answers(answer)]
    with pytest.raises(kind, match=code):
        await caption(settings_of(server, api="chat"), reports)
    assert len(server.paid) == 1
    assert len(reports.bills) == 1


@pytest.mark.parametrize("act", [BUSY, fails(500), fails(408), hangs_up, fails(429, retry_after="0.05")])
async def test_what_passes_is_asked_again_and_paid_once(server: OpenAIServer, reports: Reports, act: Act) -> None:
    server.script = [act]
    assert isinstance(await caption(settings_of(server), reports), Brief)
    assert len(server.paid) == 2
    assert len(reports.bills) == 1


@pytest.mark.parametrize("script", [[fails(404, "model_not_found")], [BUSY] * 2, [fails(503)] * 2])
async def test_the_fallback_model_answers_where_the_model_cannot(
    server: OpenAIServer, reports: Reports, script: list[Act]
) -> None:
    server.script = list(script)
    assert isinstance(await caption(settings_of(server, tries=2), reports), Brief)
    assert server.paid[-1].body["model"] == "gpt-5.6-luna"
    assert [bill.model for bill in reports.bills] == ["gpt-5.6-luna"]


@pytest.mark.parametrize(
    ("changes", "dollars"),
    [
        ({}, (1000 * 0.20 + 200 * 1.20) / 1e6),
        ({"fallback_dollars_per_million_input": 3.0}, (1000 * 3.0 + 200 * 1.20) / 1e6),
        ({"fallback_model": "another"}, (1000 * 0.10 + 200 * 0.50) / 1e6),
    ],
)
async def test_the_fallback_model_is_billed_at_its_own_price(
    server: OpenAIServer, reports: Reports, changes: dict[str, Any], dollars: float
) -> None:
    server.script = [fails(404, "model_not_found")]
    await caption(settings_of(server, **changes), reports)
    assert reports.bills[0].dollars == pytest.approx(dollars)


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"x_ratelimit_reset_requests": "300ms", "x_ratelimit_remaining_requests": "0"}, 0.3, 0.3),
        ({"x_ratelimit_reset_requests": "1m0.5s", "x_ratelimit_reset_tokens": "2s"}, 60.5, 60.5),
        (
            {
                "x_ratelimit_reset_requests": "9s",
                "x_ratelimit_remaining_requests": "12",
                "x_ratelimit_reset_tokens": "120ms",
                "x_ratelimit_remaining_tokens": "0",
            },
            0.12,
            0.12,
        ),
        ({"x_ratelimit_reset": "7"}, 7, 7),
        ({"x_ratelimit_reset": f"{(time.time() + 9000) * 1000:.0f}"}, 50, 9000),
        ({"x_ratelimit_reset_requests": "1s", "retry_after": "3"}, 3, 3),
        ({"x_ratelimit_reset_requests": "soon"}, 0.3, 0.5),
    ],
)
async def test_a_rate_limit_is_waited_for_as_long_as_it_lasts(
    server: OpenAIServer, headers: dict[str, str], least: float, most: float
) -> None:
    server.script = [fails(429, "rate_limit_exceeded", **headers)]
    client = client_of(settings_of(server))
    with pytest.raises(openai.RateLimitError) as caught:
        await client.responses.with_raw_response.create(model="m", input="hello")
    await client.close()
    assert least <= pause_s(caught.value, 0) <= most


async def test_a_stall_ends_at_the_deadline_and_is_not_repeated(server: OpenAIServer, reports: Reports) -> None:
    server.script = [stalls] * 3
    with pytest.raises(Unavailable, match="too_slow"):
        await caption(settings_of(server, deadline_s=1.5), reports)
    assert len(server.paid) == 1
    assert (len(reports.paid_calls.begun), reports.paid_calls.lost, reports.paid_calls.freed) == (1, 1, 0)


@pytest.mark.parametrize(
    ("script", "lost", "freed"),
    [([BUSY], 0, 1), ([fails(400)], 0, 1), ([fails(500)], 1, 0), ([hangs_up], 1, 0), ([hangs_up, BUSY], 1, 1)],
)
async def test_a_call_is_given_back_only_where_it_is_known_to_be_free(
    server: OpenAIServer, reports: Reports, script: list[Act], lost: int, freed: int
) -> None:
    server.script = list(script)
    with suppress(Unavailable):
        await caption(settings_of(server, tries=len(script), fallback_model="", moderation=False), reports)
    assert len(reports.paid_calls.begun) == len(server.paid) == len(script)
    assert (reports.paid_calls.lost, reports.paid_calls.freed, reports.bills) == (lost, freed, [])


async def test_an_answer_that_broke_off_is_billed_at_its_expected_price(server: OpenAIServer, reports: Reports) -> None:
    server.script = [breaks_off]
    with pytest.raises(Unavailable):
        await caption(settings_of(server, moderation=False), reports)
    assert [bill.dollars for bill in reports.bills] == [bill.dollars for bill in reports.paid_calls.begun]
    assert reports.bills[0].dollars > 0


async def test_nobody_listening_is_unavailable(reports: Reports) -> None:
    settings = OpenAI(base_url=f"http://127.0.0.1:{closed_port()}/v1", tries=2, moderation=False)
    with pytest.raises(Unavailable, match=r"provider\.unavailable"):
        await caption(settings, reports)
    assert (len(reports.paid_calls.begun), reports.paid_calls.freed) == (2, 2)


async def test_a_cancelled_caption_is_cancelled_and_leaves_room_for_the_next(
    server: OpenAIServer, reports: Reports
) -> None:
    server.script = [stalls]
    captioner = OpenAICaptioner(settings_of(server, calls=1, moderation=False))
    task = asyncio.create_task(captioner.caption(reports.picture, Wish(), reports.context()))
    while not server.paid:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert isinstance(await captioner.caption(reports.picture, Wish(), reports.context()), Brief)
    await captioner.close()


@pytest.mark.parametrize(
    ("changes", "field", "value"),
    [
        ({"bpm": 9000}, "bpm", 220),
        ({"bpm": "120"}, "bpm", 120),
        ({"bpm": None}, "bpm", 80),
        ({"bpm": True}, "bpm", 80),
        ({"bpm": "120 BPM"}, "bpm", 120),
        ({"bpm": "about 96.4 beats"}, "bpm", 96),
        ({"bpm": 10**400}, "bpm", 80),
        ({"valence": -7, "mode": "minor"}, "valence", -1.0),
        ({"valence": ".25"}, "valence", 0.25),
        ({"valence": "−0,3", "mode": "minor"}, "valence", -0.3),
        ({"arousal": "NaN"}, "arousal", -0.35),
        ({"energy": "huge"}, "energy", "gentle"),
        ({"energy": "Calm", "arousal": None}, "arousal", -0.7),
        ({"energy": "very lively", "arousal": 0.4}, "energy", "lively"),
        ({"energy": "calm to lively", "arousal": 0.4}, "energy", "lively"),
        ({"mode": "Minor"}, "mode", "minor"),
        ({"mode": "A minor", "valence": 0.3}, "mode", "minor"),
        ({"mode": "단조"}, "mode", "minor"),
        ({"mode": "dorian"}, "mode", "minor"),
        ({"mode": "mixolydian", "valence": -0.3}, "mode", "major"),
        ({"mode": "major or minor", "valence": -0.3}, "mode", "minor"),
        ({"mode": None, "valence": -1}, "valence", -1.0),
        ({"mode": "major", "valence": -1}, "valence", -0.5),
        ({"mode": "minor", "valence": 1}, "valence", 0.5),
        ({"mode": "minor", "valence": 0.4}, "valence", 0.4),
        ({"energy": "calm", "arousal": 1}, "arousal", -0.1),
        ({"energy": "intense", "arousal": -1}, "arousal", 0.2),
        ({"energy": "gentle", "arousal": 0.2}, "arousal", 0.2),
        ({"mood": []}, "mood", ("warm",)),
        ({"mood": ["calm"] * 9}, "mood", ("calm",)),
        ({"instruments": ["Felt Piano", "gun", "2 violins", 7]}, "instruments", ("felt piano",)),
        ({"instruments": []}, "instruments", ("piano",)),
        (
            {"instruments": ["guitar", "soft strings", "singing bowls"]},
            "instruments",
            ("guitar", "soft strings", "singing bowls"),
        ),
        (
            {"instruments": ["singing", "singing strings", "choir", "vocals", "lyrics", "harp"]},
            "instruments",
            ("harp",),
        ),
        ({"instruments": "가야금, 해금, 대금, 장구"}, "instruments", ("gayageum", "haegeum", "daegeum", "janggu")),
        (
            {"instruments": ["피아노", "어쿠스틱 기타", "바이올린"]},
            "instruments",
            ("piano", "acoustic guitar", "violin"),
        ),
        ({"mood": ["singing", "calm"]}, "mood", ("calm",)),
        ({"genre": "Indie Folk"}, "genre", "indie folk"),
        ({"genre": "국악"}, "genre", "korean traditional"),
        ({"genre": ["재즈"]}, "genre", "jazz"),
        ({"genre": "lofi hip hop"}, "genre", "lo-fi hip hop"),
        ({"genre": "dubstep"}, "genre", ""),
        ({"arrangement": "Slow build. Soft close; buy now"}, "arrangement", "slow build, soft close"),
        ({"title": "x" * 900}, "title", "x" * 79 + "…"),
        ({"title": ""}, "title", "Warm light lies on still water."),
        ({"caption": 5}, "caption", "Amber Dusk"),
        ({"surprise": 1}, "title", "Amber Dusk"),
    ],
)
async def test_fields_are_fixed_where_they_can_be(
    server: OpenAIServer, reports: Reports, changes: dict[str, Any], field: str, value: object
) -> None:
    server.reading = READING | changes
    brief = await caption(settings_of(server, moderation=False), reports)
    assert getattr(brief, field) == value


@pytest.mark.parametrize(
    ("changes", "reported"),
    [
        ({}, []),
        ({"bpm": "96.3", "arousal": -0.35004}, []),
        ({"bpm": None, "mode": None, "instruments": ["piano"]}, []),
        ({"bpm": 900}, [("bpm", "900", "220")]),
        ({"bpm": "fast"}, [("bpm", "fast", "80")]),
        ({"bpm": "120 BPM"}, []),
        ({"bpm": "900 BPM"}, [("bpm", "900 BPM", "220")]),
        ({"mode": "locrian"}, [("mode", "locrian", "minor")]),
        ({"mode": "Minor", "energy": "Gentle"}, []),
        ({"mode": "A단조", "genre": "국악", "instruments": ["해금"]}, []),
        ({"mode": "A minor to C major"}, [("mode", "A minor to C major", "major")]),
        ({"valence": -1}, [("valence", "-1", "-0.5")]),
        ({"mode": "minor", "valence": 1}, [("valence", "1", "0.5")]),
        ({"energy": "calm", "arousal": 1}, [("arousal", "1", "-0.1")]),
        ({"genre": "dubstep"}, [("genre", "dubstep", "")]),
        ({"genre": ["<@1>", "reggaeton"]}, [("genre", "reggaeton", "")]),
        ({"genre": ["dubstep", "jazz trio"]}, []),
        ({"genre": None}, []),
        ({"instruments": ["singing", "harp"]}, [("instruments", "singing", "")]),
        ({"valence": -7, "arousal": "NaN"}, [("valence", "-7", "-0.5"), ("arousal", "NaN", "-0.35")]),
        ({"energy": "huge"}, [("energy", "huge", "gentle")]),
        ({"instruments": ["piano", "laser cannon", "<@123> https://x.y"]}, [("instruments", "laser cannon", "")]),
        (
            {"instruments": [f"gun {number}" for number in range(50)]},
            [("instruments", f"gun {n}", "") for n in range(8)],
        ),
    ],
)
async def test_what_could_not_be_taken_over_is_noted(
    server: OpenAIServer, reports: Reports, changes: dict[str, Any], reported: list[tuple[str, str, str]]
) -> None:
    server.reading = READING | changes
    brief = await caption(settings_of(server, moderation=False), reports)
    assert [(each.name, each.said, each.used) for each in brief.adjusted] == reported


@pytest.mark.parametrize(
    "changes",
    [
        {"instruments": ["zither of doom"], "genre": "dubstep"},
        {"instruments": [], "genre": []},
        {"instruments": ["x" * 5000], "genre": "y" * 5000},
        {"instruments": None, "genre": 7},
    ],
)
async def test_without_a_usable_instrument_and_genre_a_paid_answer_is_a_song_by_its_mood(
    server: OpenAIServer, reports: Reports, changes: dict[str, Any]
) -> None:
    server.reading = READING | changes | {"valence": 0.3, "arousal": -0.9, "energy": "calm"}
    brief = await caption(settings_of(server, moderation=False), reports)
    assert brief.instruments == ("piano",)
    assert style_of("auto", brief) == "ambient"
    assert music_prompt(brief, Wish()).startswith("Instrumental background music. calm")
