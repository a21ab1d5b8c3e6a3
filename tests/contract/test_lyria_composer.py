"""The Lyria composer, real SDKs against servers on loopback: what both families of models have in common, and Lyria 2.

The servers count the music they make: that is what Google bills.
"""

import asyncio
import base64
import logging
import socket
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2

from melodify_core.brief import NEGATIVE_PROMPT, music_prompt, short_prompt
from melodify_core.composers.lyria import LyriaComposer
from melodify_core.composers.lyria.composer import LIST_DOLLARS
from melodify_core.config.settings import Lyria, Vertex
from melodify_core.errors import Misconfigured, Unavailable
from melodify_core.models import Wish
from tests.briefs import a_brief
from tests.contract.lyria_asking import CLIP, JOB, LYRIA_2, MP3, PROJECT, SOUND, asker, outcome
from tests.sounds import chords, wav
from tests.vertex_server import Fault

MODELS = (LYRIA_2, CLIP)
Status = grpc.StatusCode
STALL_S = 1.5  # a loaded machine needs half a second until the call leaves

RECITATION = Fault(Status.INVALID_ARGUMENT, "The request was blocked by recitation checks, please retry.")
SAFETY = Fault(Status.INVALID_ARGUMENT, "The prompt violates our usage guidelines and was filtered for safety reasons.")
BUSY = Fault(Status.RESOURCE_EXHAUSTED, "Quota exceeded for online_prediction_requests_per_minute.")
DAY = Fault(Status.RESOURCE_EXHAUSTED, "Quota exceeded for requests per day per project.")
AWAY = Fault(Status.UNAVAILABLE, "The service is currently unavailable.")
INTERNAL_AFTER = Fault(Status.INTERNAL, after=True)
CUT = Fault(cut=True)
CUT_AFTER = Fault(cut=True, after=True)
STALL = Fault()
STALL_AFTER = Fault(after=True)
DISABLED = Fault(
    Status.PERMISSION_DENIED,
    "Vertex AI API has not been used in project 1 before or it is disabled.",
    details=(
        error_details_pb2.ErrorInfo(
            reason="SERVICE_DISABLED",
            domain="googleapis.com",
            metadata={"activationUrl": "https://console.developers.google.com/apis/api/activate-me"},
        ),
    ),
)
DENIED = Fault(
    Status.PERMISSION_DENIED,
    "Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/projects/x'.",
    details=(
        error_details_pb2.ErrorInfo(reason="IAM_PERMISSION_DENIED"),
        error_details_pb2.RequestInfo(request_id="request-7"),
    ),
)
PATIENCE = Fault(Status.RESOURCE_EXHAUSTED, details=(error_details_pb2.RetryInfo(retry_delay=Duration(seconds=3600)),))

# What is met, what becomes of the job ("" is music), calls that reached the model, music made (and billed by Google).
FAULTS: dict[str, tuple[list[Fault | None], str, int, int]] = {
    "wrong argument": ([Fault(Status.INVALID_ARGUMENT, "Request is malformed.")], "provider.refused", 1, 0),
    "unauthenticated": ([Fault(Status.UNAUTHENTICATED)], "provider.misconfigured", 1, 0),
    "permission denied": ([DENIED], "provider.misconfigured", 1, 0),
    "API disabled": ([DISABLED], "provider.misconfigured", 1, 0),
    "not found": ([Fault(Status.NOT_FOUND)], "provider.misconfigured", 1, 0),
    "busy once": ([BUSY], "", 2, 1),
    "busy twice": ([BUSY, BUSY], "provider.busy", 2, 0),
    "busy for longer than the deadline": ([PATIENCE], "provider.busy", 1, 0),
    "the day's quota gone": ([DAY], "provider.exhausted", 1, 0),
    "internal error": ([Fault(Status.INTERNAL)], "provider.unavailable", 1, 0),
    "internal error after the effect": ([INTERNAL_AFTER], "provider.unavailable", 1, 1),
    "away once": ([AWAY], "", 2, 1),
    "away twice": ([AWAY, AWAY], "provider.unavailable", 2, 0),
    "cut before the effect": ([CUT], "provider.unavailable", 1, 0),
    "cut after the effect": ([CUT_AFTER], "provider.unavailable", 1, 1),
    "blocked by recitation once": ([RECITATION], "", 2, 1),
    "blocked by recitation twice": ([RECITATION, RECITATION], "music.blocked", 2, 0),
    "blocked for safety twice": ([SAFETY, SAFETY], "music.blocked", 2, 0),
    "blocked, then busy": ([RECITATION, BUSY], "", 3, 1),
    "blocked, then cut": ([RECITATION, CUT_AFTER], "provider.unavailable", 2, 1),
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("faults", "code", "calls", "paid"), FAULTS.values(), ids=FAULTS.keys())
async def test_each_fault_has_its_error_and_its_number_of_paid_calls(
    model: str, faults: list[Fault | None], code: str, calls: int, paid: int
) -> None:
    async with asker(model) as it:
        it.server.faults = list(faults)

        code_met = await outcome(it.asks())

        assert code_met == code
        assert (len(it.server.asked), it.server.made) == (calls, paid)
        assert len(it.bills) == (0 if code else 1)


# After these nobody knows whether Google bills the last call.
UNKNOWN = {
    "internal error",
    "internal error after the effect",
    "cut before the effect",
    "cut after the effect",
    "blocked, then cut",
}


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("name", FAULTS)
async def test_a_call_is_given_back_only_where_it_is_known_to_be_free(model: str, name: str) -> None:
    faults, code, calls, paid = FAULTS[name]
    async with asker(model) as it:
        it.server.faults = list(faults)
        await outcome(it.asks())

    billed, lost = int(not code), int(name in UNKNOWN)
    assert [bill.dollars for bill in it.paid_calls.begun] == [LIST_DOLLARS[model]] * calls
    assert (len(it.bills), it.paid_calls.lost, it.paid_calls.freed) == (billed, lost, calls - billed - lost)
    assert paid <= billed + lost


@pytest.mark.parametrize("model", MODELS)
async def test_a_call_that_is_given_up_at_the_deadline_stays_in_the_books(model: str) -> None:
    async with asker(model, deadline_s=STALL_S) as it:
        it.server.faults = [STALL_AFTER]
        await outcome(it.asks())

    assert (len(it.paid_calls.begun), it.paid_calls.lost, it.paid_calls.freed) == (1, 1, 0)


async def test_an_answer_too_large_for_grpc_was_made_and_stays_in_the_books(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("melodify_core.google.MAX_ANSWER_BYTES", 1000)
    async with asker(LYRIA_2) as it:
        assert await outcome(it.asks()) == "provider.unavailable"

    assert it.server.made == 1
    assert (it.paid_calls.lost, it.paid_calls.freed) == (1, 0)


@pytest.mark.parametrize("model", MODELS)
async def test_a_call_that_never_left_is_given_back(model: str) -> None:
    async with asker(model, tries=1) as it:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
            vertex = Vertex(project=PROJECT, endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}")
            it.composer = LyriaComposer(Lyria.model_validate({"model": model, "tries": 1}), vertex)
            assert await outcome(it.asks()) == "provider.unavailable"
            await it.composer.close()

    assert (len(it.paid_calls.begun), it.paid_calls.lost, it.paid_calls.freed) == (1, 0, 1)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("fault", "paid"), [(STALL, 0), (STALL_AFTER, 1)])
async def test_a_stall_past_the_deadline_is_not_asked_again(model: str, fault: Fault, paid: int) -> None:
    async with asker(model, deadline_s=STALL_S) as it:
        it.server.faults = [fault]

        assert await outcome(it.asks()) == "provider.too_slow"
        assert (len(it.server.asked), it.server.made) == (1, paid)


@pytest.mark.parametrize("model", MODELS)
async def test_a_server_that_is_not_there_is_tried_again_and_then_unavailable(model: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: refused
        vertex = Vertex(project=PROJECT, endpoint=f"http://127.0.0.1:{taken.getsockname()[1]}")
        composer = LyriaComposer(Lyria.model_validate({"model": model, "deadline_s": 10.0}), vertex, pause_s=0.01)
        with pytest.raises(Unavailable, match=r"provider\.unavailable"):
            await composer.check()
        await composer.close()


@pytest.mark.parametrize("model", MODELS)
async def test_tries_are_a_setting(model: str) -> None:
    async with asker(model, tries=1) as it:
        it.server.faults = [AWAY]

        assert await outcome(it.asks()) == "provider.unavailable"
        assert len(it.server.asked) == 1


@pytest.mark.parametrize("model", MODELS)
async def test_no_more_calls_at_once_than_the_setting_allows(model: str) -> None:
    async with asker(model, calls=1) as it:
        it.server.faults = [STALL]
        first, second = (asyncio.create_task(it.asks()) for _ in range(2))
        while not it.server.asked:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.2)
        assert len(it.server.asked) == 1

        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await second).audio


@pytest.mark.parametrize("model", MODELS)
async def test_a_cancelled_job_cancels_its_call_and_the_composer_goes_on(model: str) -> None:
    async with asker(model, calls=1) as it:
        it.server.faults = [STALL]
        asking = asyncio.create_task(it.asks())
        while not it.server.asked:
            await asyncio.sleep(0.01)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

        assert (await it.asks()).audio


@pytest.mark.parametrize("model", MODELS)
async def test_a_failure_is_logged_with_the_job_and_the_request_id(
    model: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with asker(model) as it:
        it.server.faults = [DENIED]
        await outcome(it.asks())

    assert f"job {JOB}: lyria: provider.misconfigured" in caplog.text
    assert "request id request-7" in caplog.text


@pytest.mark.parametrize("model", MODELS)
async def test_no_base64_that_a_service_repeats_reaches_the_log(model: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "melodify_core")
    echoed = base64.b64encode(bytes(range(256))).decode()
    async with asker(model) as it:
        it.server.faults = [Fault(Status.INVALID_ARGUMENT, f"Cannot read {echoed}")]
        await outcome(it.asks())

    assert "Cannot read" in caplog.text
    assert echoed[:64] not in caplog.text


@pytest.mark.parametrize(("model", "dollars"), [(LYRIA_2, 0.06), (CLIP, 0.04), ("lyria-3-pro-preview", 0.08)])
async def test_a_take_is_billed_at_its_list_price(model: str, dollars: float) -> None:
    async with asker(model) as it:
        take = await it.asks()

    assert [(bill.provider, bill.model, bill.dollars) for bill in it.bills] == [("vertex", model, dollars)]
    assert take.model == model


async def test_the_price_of_a_take_is_a_setting() -> None:
    async with asker(LYRIA_2, dollars_per_take=0.0) as it:
        await it.asks()

    assert [bill.dollars for bill in it.bills] == [0.0]


MISTAKES = [
    (Fault(Status.UNAUTHENTICATED), "vertex.key_file", "iam-admin/serviceaccounts"),
    (DENIED, "vertex.key_file", "roles/aiplatform.user"),
    (DISABLED, "vertex.project", "https://console.developers.google.com/apis/api/activate-me"),
    (
        Fault(Status.PERMISSION_DENIED, "x", details=(error_details_pb2.ErrorInfo(reason="BILLING_DISABLED"),)),
        "vertex.project",
        "console.cloud.google.com/billing",
    ),
    (
        Fault(Status.PERMISSION_DENIED, "x", details=(error_details_pb2.ErrorInfo(reason="CONSUMER_INVALID"),)),
        "vertex.project",
        "console.cloud.google.com/cloud-resource-manager",
    ),
    (
        Fault(Status.NOT_FOUND, "Publisher Model `publishers/google/models/lyria-1` was not found."),
        "lyria.model",
        "vertex-ai/model-garden",
    ),
]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("fault", "setting", "page"), MISTAKES)
async def test_the_check_names_the_setting_and_the_page_that_fix_a_mistake(
    model: str, fault: Fault, setting: str, page: str
) -> None:
    async with asker(model) as it:
        it.server.faults = [fault]
        with pytest.raises(Misconfigured) as caught:
            await it.composer.check()

        assert len(caught.value.problems) == 1
        assert setting in caught.value.problems[0]
        assert page in caught.value.problems[0]
        assert it.server.made == 0


WRONG_PLACES = [
    Fault(Status.PERMISSION_DENIED, "Permission denied on 'locations/moon1' (or it may not exist)."),
    Fault(Status.NOT_FOUND, "The requested URL was not found."),
]


@pytest.mark.parametrize("fault", WRONG_PLACES)
@pytest.mark.parametrize(("model", "setting"), [(LYRIA_2, "vertex.location"), (CLIP, "lyria.model")])
async def test_a_wrong_region_is_named_unless_the_model_has_only_one(model: str, setting: str, fault: Fault) -> None:
    async with asker(model) as it:
        it.server.faults = [fault]
        with pytest.raises(Misconfigured) as caught:
            await it.composer.check()

    assert caught.value.problems[0].startswith(f"{setting}: ")


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize(("fault", "code"), [(AWAY, "provider.unavailable"), (BUSY, "provider.busy")])
async def test_the_check_tells_what_is_only_away_from_what_is_wrong(model: str, fault: Fault, code: str) -> None:
    async with asker(model) as it:
        it.server.faults = [fault]
        with pytest.raises(Unavailable) as caught:
            await it.composer.check()

    assert caught.value.code == code


@pytest.mark.parametrize("model", MODELS)
async def test_the_check_makes_no_music(model: str) -> None:
    async with asker(model) as it:
        await it.composer.check()

        assert len(it.server.paths) == 1
        assert it.server.made == 0
        assert it.bills == []


@pytest.mark.parametrize("model", MODELS)
async def test_the_check_sees_a_key_file_that_is_none(model: str) -> None:
    vertex = Vertex.model_validate({"project": PROJECT, "key_file": __file__})
    composer = LyriaComposer(Lyria.model_validate({"model": model}), vertex)
    with pytest.raises(Misconfigured, match=r"^vertex\.key_file: .* is not a service account key") as caught:
        await composer.check()
    await composer.close()

    assert "iam-admin/serviceaccounts" in caught.value.problems[0]


async def test_lyria_2_is_asked_with_prompt_negative_prompt_and_seed_in_its_project_and_region() -> None:
    async with asker(LYRIA_2) as it:
        await it.asks(seed=2**32 + 7)

    path = f"projects/{PROJECT}/locations/us-central1/publishers/google/models/lyria-002"
    assert it.server.paths == [path]
    asked = {"prompt": music_prompt(a_brief(), Wish()), "negative_prompt": NEGATIVE_PROMPT, "seed": 7.0}
    assert it.server.asked == [asked]


async def test_lyria_2_is_never_shown_the_picture() -> None:
    async with asker(LYRIA_2, send_picture=True) as it:
        await it.asks()

    assert it.pictures == 0


@pytest.mark.parametrize("field_name", ["audioContent", "bytesBase64Encoded"])
async def test_both_known_shapes_of_an_answer_are_read(field_name: str) -> None:
    async with asker(LYRIA_2) as it:
        it.server.field_name = field_name
        take = await it.asks()

    assert take.audio == SOUND
    assert take.content_type == "audio/wav"
    assert (take.bpm, take.key, take.mode, take.instruments) == (None, None, None, ())


async def test_a_whole_clip_of_more_than_4_mib_comes_through() -> None:
    clip = wav(chords(33.0))
    async with asker(LYRIA_2) as it:
        it.server.audio = clip
        take = await it.asks()

    assert len(clip) > 4 * 1024 * 1024
    assert take.audio == clip


async def test_the_second_prompt_is_the_short_one() -> None:
    async with asker(LYRIA_2) as it:
        it.server.faults = [RECITATION]
        await it.asks()

    prompts = [asked["prompt"] for asked in it.server.asked]
    assert prompts == [music_prompt(a_brief(), Wish()), short_prompt(a_brief(), Wish())]


async def test_a_precondition_about_the_content_is_a_block_and_one_about_the_account_is_not() -> None:
    async with asker(LYRIA_2) as it:
        it.server.faults = [Fault(Status.FAILED_PRECONDITION, "Generation stopped.")] * 2
        assert await outcome(it.asks()) == "music.blocked"

        it.server.faults = [Fault(Status.FAILED_PRECONDITION, "The project must accept the terms.")]
        assert await outcome(it.asks()) == "provider.refused"


FILTERED = {"predictions": [{"raiFilteredReason": "Your prompt was filtered."}]}
# Answers with status OK; a filtered one is not billed by Google, any other is taken for paid.
ODD: dict[str, tuple[list[dict[str, Any]], str, int]] = {
    "filtered once": ([FILTERED], "", 1),
    "filtered twice": ([FILTERED, FILTERED], "music.blocked", 0),
    "filtered, says the metadata": ([{"metadata": {"filteredReason": "x"}}] * 2, "music.blocked", 0),
    "no prediction": ([{}], "music.failed", 1),
    "a prediction that is a text": ([{"predictions": ["RIFF"]}], "music.failed", 1),
    "audio that is no text": ([{"predictions": [{"audioContent": {"data": 1}}]}], "music.failed", 1),
    "empty audio": ([{"predictions": [{"audioContent": ""}]}], "music.failed", 1),
    "no Base64": ([{"predictions": [{"audioContent": "?!"}]}], "music.failed", 1),
    "audio of the wrong type": (
        [{"predictions": [{"audioContent": base64.b64encode(b"<html>no</html>").decode(), "mimeType": "audio/wav"}]}],
        "music.failed",
        1,
    ),
    "an MP3 that calls itself WAV": (
        [{"predictions": [{"audioContent": base64.b64encode(MP3).decode(), "mimeType": "audio/wav"}]}],
        "",
        1,
    ),
}


@pytest.mark.parametrize(("answers", "code", "bills"), ODD.values(), ids=ODD.keys())
async def test_an_odd_answer_has_its_error_and_is_paid_once(
    answers: list[dict[str, Any]], code: str, bills: int
) -> None:
    async with asker(LYRIA_2) as it:
        it.server.answers = list(answers)
        calls = len(answers) + (code == "" and answers[0] == FILTERED)

        assert await outcome(it.asks()) == code
        assert (it.server.made, len(it.bills)) == (calls, bills)
