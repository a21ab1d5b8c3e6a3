"""The pipeline composer against Vertex AI's own protos over gRPC and a Cloud Storage on loopback."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform_v1.types import PipelineJob
from google.cloud.storage import Client
from google.rpc import error_details_pb2

from melodify_core.brief import NEGATIVE_PROMPT, music_prompt
from melodify_core.composers.pipeline import PipelineComposer, music
from melodify_core.composers.pipeline.order import model_of, run_id
from melodify_core.config.settings import Gcs, Pipeline, Vertex
from melodify_core.errors import Misconfigured, Unavailable
from melodify_core.models import Bill, Commission, Picture, Progress, Wish
from melodify_core.ports import CommissioningComposer, ProviderContext
from tests.briefs import a_brief
from tests.gcs_server import BUCKET, gcs_server
from tests.jobs import PaidCalls
from tests.pipeline_server import (
    CANCELLED,
    FAILED,
    PAUSED,
    PENDING,
    QUEUED,
    RUNNING,
    SUCCEEDED,
    Fault,
    PipelineServer,
    pipeline_server,
)
from tests.sounds import chords, wav

JOB = "1234567890123456789"
RUN = f"projects/melodify-test/locations/us-central1/pipelineJobs/melodify-{JOB}"
TEMPLATE = "https://us-central1-kfp.pkg.dev/melodify-test/pipelines/melodify-music/sha256:" + "0123456789abcdef" * 4
SOUND = wav(chords(1.0))

PERMISSION = Fault(grpc.StatusCode.PERMISSION_DENIED)
NOT_FOUND = Fault(grpc.StatusCode.NOT_FOUND)
INVALID = Fault(grpc.StatusCode.INVALID_ARGUMENT)
EXHAUSTED = Fault(grpc.StatusCode.RESOURCE_EXHAUSTED)
AWAY = Fault(grpc.StatusCode.UNAVAILABLE)
AWAY_AFTER = Fault(grpc.StatusCode.UNAVAILABLE, after=True)
INTERNAL = Fault(grpc.StatusCode.INTERNAL)
STALL = Fault(None)
STALL_AFTER = Fault(None, after=True)


@dataclass
class Records:
    """What the composer reported of one context."""

    paid_calls: PaidCalls = field(default_factory=PaidCalls)
    progress: list[Progress] = field(default_factory=list)


def a_provider_context(records: Records, job_id: str = JOB) -> ProviderContext:
    async def progress(reached: Progress) -> None:
        records.progress.append(reached)

    async def picture() -> Picture:
        raise AssertionError("a pipeline is shown no picture")

    return ProviderContext(job_id, 42, "a" * 64, 77, picture, records.paid_calls.begin, progress)


@pytest.fixture(scope="module")
def gcs() -> Iterator[Client]:
    with gcs_server() as url:
        options = {"api_endpoint": url}
        anybody = AnonymousCredentials()
        client = Client(project="melodify-test", credentials=anybody, client_options=options)
        yield client
        client.close()


@pytest.fixture
async def vertex(gcs: Client) -> AsyncIterator[PipelineServer]:
    """The service; a run that succeeds writes SOUND."""
    for blob in gcs.list_blobs(BUCKET):
        blob.delete()
    async with pipeline_server((QUEUED, PENDING, RUNNING, RUNNING, SUCCEEDED)) as service:
        service.work = writing(gcs, SOUND)
        yield service


@pytest.fixture
async def composer_of(vertex: PipelineServer, gcs: Client) -> AsyncIterator[Callable[..., PipelineComposer]]:
    opened: list[PipelineComposer] = []

    def make(**changes: Any) -> PipelineComposer:
        place = {"project": "melodify-test", "endpoint": vertex.url} | changes.pop("vertex", {})
        storage = {"endpoint": gcs.api_endpoint, "deadline_s": 5} | changes.pop("gcs", {})
        opened.append(PipelineComposer(settings(**changes), Vertex(**place), Gcs(**storage)))
        return opened[-1]

    yield make
    for composer in opened:
        await composer.close()


def settings(**changes: Any) -> Pipeline:
    usual: dict[str, Any] = {
        "template_uri": TEMPLATE,
        "output": f"gs://{BUCKET}/runs",
        "poll_s": 0.01,
        "longest_poll_s": 0.02,
        "deadline_s": 5,
        "dollars_per_take": 0.07,
        "labels": {"team": "music"},
    }
    return Pipeline(**usual | changes)


def writing(gcs: Client, data: bytes) -> Callable[[PipelineJob], Any]:
    async def work(job: PipelineJob) -> None:
        name = job.runtime_config.parameter_values["output_uri"].removeprefix(f"gs://{BUCKET}/")
        blob = gcs.bucket(BUCKET).blob(name)
        await asyncio.to_thread(blob.upload_from_string, data, content_type="audio/wav")

    return work


async def composed(composer: PipelineComposer, records: Records) -> bytes:
    context = a_provider_context(records)
    commission = await composer.commission(a_brief(), Wish(seconds=20), context)
    return (await composer.collect(commission, context)).audio


def ordered(service: PipelineServer) -> PipelineJob:
    (job,) = service.runs.values()
    return job


async def test_a_run_is_ordered_watched_and_its_music_fetched(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer]
) -> None:
    composer, records = composer_of(), Records()
    context = a_provider_context(records)
    commission = await composer.commission(a_brief(), Wish(seconds=20), context)
    take = await composer.collect(commission, context)
    assert isinstance(composer, CommissioningComposer)
    assert commission == Commission(name=RUN)
    assert (take.audio, take.content_type, take.model) == (SOUND, "audio/wav", model_of(settings()))
    assert records.progress == ["queued", "provisioning", "running"]
    assert records.paid_calls.bills == [
        Bill(provider="vertex-pipeline", model=take.model, dollars=0.07, request_id=RUN)
    ]
    assert (vertex.created, vertex.calls["create"]) == (1, 1)


async def test_the_run_gets_prompt_length_seed_and_place_as_parameters(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer]
) -> None:
    brief, wish = a_brief(), Wish(seconds=20, style="jazz", hint="a secret hint")
    await composer_of().commission(brief, wish, a_provider_context(Records()))
    config = ordered(vertex).runtime_config
    assert dict(config.parameter_values) == {
        "prompt": music_prompt(brief, wish),
        "negative_prompt": NEGATIVE_PROMPT,
        "seconds": 20,
        "seed": 42,
        "output_uri": f"gs://{BUCKET}/runs/{JOB}/music.wav",
    }
    assert config.gcs_output_directory == f"gs://{BUCKET}/runs/runs"
    assert "secret" not in str(ordered(vertex))


async def test_the_run_is_pinned_labelled_and_runs_as_the_settings_say(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer]
) -> None:
    network = "projects/1/global/networks/default"
    composer = composer_of(service_account="music@melodify-test.iam.gserviceaccount.com", network=network)
    await composer.commission(a_brief(), Wish(), a_provider_context(Records()))
    job = ordered(vertex)
    assert (job.template_uri, job.network) == (TEMPLATE, network)
    assert job.service_account == "music@melodify-test.iam.gserviceaccount.com"
    assert dict(job.labels) == {"team": "music", "melodify_job": JOB, "melodify_guild": "77"}
    assert not job.pipeline_spec


async def test_a_repeat_of_the_order_finds_the_first_run(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer]
) -> None:
    context = a_provider_context(Records())
    first = await composer_of().commission(a_brief(), Wish(), context)
    second = await composer_of().commission(a_brief(), Wish(), context)
    assert first == second
    assert (vertex.created, vertex.calls["create"]) == (1, 2)


@pytest.mark.parametrize("job_id", ["123", "A", "it's", "ünï", "x" * 200, "-a", "a b"])
def test_run_ids_are_valid_whatever_the_job_is_called(job_id: str) -> None:
    assert run_id(job_id) == run_id(job_id)
    assert run_id(job_id).replace("-", "").isalnum()
    assert run_id(job_id).isascii()
    assert run_id(job_id).islower()
    assert len(run_id(job_id)) <= 128


def test_jobs_with_like_names_have_different_runs() -> None:
    assert len({run_id(job_id) for job_id in ("a", "A", "a b", "a-b", "a_b", "ab")}) == 6


async def test_a_run_that_failed_belongs_to_its_job_and_no_new_one_is_created(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer]
) -> None:
    vertex.states = [FAILED]
    for _ in range(2):
        with pytest.raises(Unavailable, match=r"music\.failed"):
            await composed(composer_of(), Records())
    assert vertex.created == 1


# the faults of create; the error; created runs.
ORDERS: dict[str, tuple[list[Fault | None], str, int]] = {
    "permission denied": ([PERMISSION], "provider.misconfigured", 0),
    "not found": ([NOT_FOUND], "provider.misconfigured", 0),
    "invalid argument": ([INVALID], "provider.misconfigured", 0),
    "quota exhausted for good": ([EXHAUSTED] * 9, "provider.busy", 0),
    "away for good": ([AWAY] * 9, "provider.unavailable", 0),
    "a stall": ([STALL], "provider.too_slow", 0),
}


@pytest.mark.parametrize(("faults", "code", "created"), ORDERS.values(), ids=ORDERS)
async def test_an_order_that_fails_says_so_and_creates_nothing(
    vertex: PipelineServer,
    composer_of: Callable[..., PipelineComposer],
    faults: list[Fault | None],
    code: str,
    created: int,
) -> None:
    vertex.faults, records = {"create": faults}, Records()
    with pytest.raises(Unavailable) as caught:
        await composed(composer_of(deadline_s=1), records)
    assert (caught.value.code, vertex.created, records.paid_calls.bills) == (code, created, [])
    # Refused, or looked for and not found: it costs nothing.
    assert (len(records.paid_calls.begun), records.paid_calls.freed) == (1, 1)


async def test_an_order_whose_answer_never_came_stays_in_the_books_by_its_run(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer]
) -> None:
    vertex.faults, records = {"create": [AWAY_AFTER, AWAY, AWAY]}, Records()
    with pytest.raises(Unavailable, match=r"provider\.unavailable"):
        await composer_of().commission(a_brief(), Wish(), a_provider_context(records))
    assert (vertex.created, records.paid_calls.freed, records.paid_calls.lost) == (1, 0, 1)
    assert [bill.request_id for bill in records.paid_calls.begun] == [RUN]


PASSING: dict[str, dict[str, list[Fault | None]]] = {
    "away before the effect": {"create": [AWAY]},
    "away after the effect": {"create": [AWAY_AFTER]},
    "an internal error": {"create": [INTERNAL]},
    "quota exhausted for now": {"create": [EXHAUSTED]},
    "polls that fail in between": {"get": [None, AWAY, EXHAUSTED, INTERNAL, None, AWAY]},
}


@pytest.mark.parametrize("faults", PASSING.values(), ids=PASSING)
async def test_what_passes_is_waited_out_with_one_run(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer], faults: dict[str, list[Fault | None]]
) -> None:
    vertex.faults, records = faults, Records()
    assert await composed(composer_of(), records) == SOUND
    assert (vertex.created, len(records.paid_calls.bills)) == (1, 1)


# faults by method; the run's states; what is written; the error; bills. One run is created in each.
RUNS: dict[str, tuple[dict[str, list[Fault | None]], list[int], bytes | None, str, int]] = {
    "the task fails": ({}, [RUNNING, FAILED], SOUND, "music.failed", 1),
    "it fails before any machine worked": ({}, [QUEUED, FAILED], SOUND, "music.failed", 0),
    "it is cancelled": ({}, [RUNNING, CANCELLED], SOUND, "music.failed", 1),
    "nothing was written": ({}, [RUNNING, SUCCEEDED], None, "music.failed", 1),
    "an empty file was written": ({}, [RUNNING, SUCCEEDED], b"", "music.failed", 1),
    "garbage was written": ({}, [RUNNING, SUCCEEDED], b"<html>no music</html>", "music.failed", 1),
    "the run is gone": ({"get": [NOT_FOUND]}, [RUNNING], SOUND, "music.failed", 1),
    "polling is forbidden": ({"get": [PERMISSION]}, [RUNNING], SOUND, "provider.misconfigured", 1),
    "it is paused for too long": ({}, [RUNNING, PAUSED], SOUND, "music.failed", 1),
    "it goes on for ever": ({}, [RUNNING], SOUND, "provider.too_slow", 1),
    "it waits for ever": ({}, [QUEUED], SOUND, "provider.too_slow", 0),
    "polls fail for ever": ({"get": [AWAY] * 999}, [RUNNING], SOUND, "provider.too_slow", 0),
    "a poll stalls": ({"get": [STALL] * 9}, [RUNNING], SOUND, "provider.too_slow", 0),
}


@pytest.mark.parametrize(("faults", "states", "written", "code", "bills"), RUNS.values(), ids=RUNS)
async def test_a_run_without_music_becomes_the_right_error(
    vertex: PipelineServer,
    gcs: Client,
    composer_of: Callable[..., PipelineComposer],
    faults: dict[str, list[Fault | None]],
    states: list[int],
    written: bytes | None,
    code: str,
    bills: int,
) -> None:
    vertex.faults, vertex.states, records = faults, states, Records()
    vertex.work = writing(gcs, written) if written is not None else vertex_idle
    with pytest.raises(Unavailable) as caught:
        await composed(composer_of(deadline_s=1, paused_s=0.1), records)
    assert caught.value.code == code
    assert (vertex.created, len(records.paid_calls.bills)) == (1, bills)
    # Known to be free is only what has ended before any machine worked; all else that was not billed stays booked.
    freed = int(states == [QUEUED, FAILED])
    assert (records.paid_calls.freed, records.paid_calls.lost) == (freed, 1 - bills - freed)


async def vertex_idle(job: PipelineJob) -> None:
    del job


async def test_music_that_is_too_large_is_not_taken(
    vertex: PipelineServer,
    gcs: Client,
    composer_of: Callable[..., PipelineComposer],
) -> None:
    vertex.work = writing(gcs, bytes(music.MAX_BYTES + 1))
    with pytest.raises(Unavailable, match=r"music\.failed"):
        await composed(composer_of(), Records())


async def test_a_storage_that_is_away_is_told_and_the_run_billed(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer]
) -> None:
    records = Records()
    with pytest.raises(Unavailable, match=r"provider\.(unavailable|too_slow)"):
        await composed(composer_of(gcs={"endpoint": "http://127.0.0.1:9", "deadline_s": 0.5}), records)
    assert (vertex.created, len(records.paid_calls.bills)) == (1, 1)


async def test_the_failed_tasks_error_stands_in_the_log_with_the_job(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer], caplog: pytest.LogCaptureFixture
) -> None:
    vertex.states, vertex.task_error = [RUNNING, FAILED], "CUDA out of memory"
    with caplog.at_level(logging.WARNING), pytest.raises(Unavailable):
        await composed(composer_of(), Records())
    assert f"job {JOB}: pipeline: {RUN} wrote no music" in caplog.text
    assert "compose-music: CUDA out of memory" in caplog.text


async def test_the_providers_request_id_stands_in_the_log_with_the_job(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer], caplog: pytest.LogCaptureFixture
) -> None:
    details = (error_details_pb2.RequestInfo(request_id="req-17"),)
    vertex.faults = {"create": [Fault(grpc.StatusCode.PERMISSION_DENIED, "may not", details=details)]}
    with caplog.at_level(logging.WARNING), pytest.raises(Unavailable):
        await composed(composer_of(), Records())
    assert f"job {JOB}: pipeline: provider.misconfigured (PermissionDenied: may not), request id req-17" in caplog.text


async def test_a_run_past_its_deadline_is_cancelled(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer]
) -> None:
    vertex.states = [RUNNING]
    with pytest.raises(Unavailable, match=r"provider\.too_slow"):
        await composed(composer_of(deadline_s=1.5), Records())
    assert ordered(vertex).state == CANCELLED


@pytest.mark.parametrize("fault", [NOT_FOUND, PERMISSION])
async def test_a_run_that_can_no_longer_be_seen_is_cancelled(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer], fault: Fault
) -> None:
    vertex.states, vertex.faults = [RUNNING], {"get": [None, fault]}
    with pytest.raises(Unavailable):
        await composed(composer_of(), Records())
    assert ordered(vertex).state == CANCELLED


async def test_a_paused_run_is_told_and_cancelled_after_a_while(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer], caplog: pytest.LogCaptureFixture
) -> None:
    vertex.states, records = [RUNNING, PAUSED], Records()
    with pytest.raises(Unavailable, match=r"music\.failed"):
        await composed(composer_of(paused_s=0.1), records)
    assert records.progress == ["running", "paused"]
    assert ordered(vertex).state == CANCELLED
    assert "see pipeline.paused_s" in caplog.text


async def test_a_run_that_was_paused_for_a_moment_goes_on(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer]
) -> None:
    vertex.states, records = [RUNNING, PAUSED, PAUSED, RUNNING, SUCCEEDED], Records()
    assert await composed(composer_of(paused_s=5), records) == SOUND
    assert records.progress == ["running", "paused", "running"]


async def test_an_order_whose_fate_is_unknown_is_cancelled(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer]
) -> None:
    vertex.faults = {"create": [STALL_AFTER] * 9}
    with pytest.raises(Unavailable, match=r"provider\.too_slow"):
        await composed(composer_of(deadline_s=1.5), Records())
    assert ordered(vertex).state == CANCELLED


async def test_a_stop_in_the_middle_leaves_the_run_for_the_next_start(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer]
) -> None:
    vertex.states, records = [RUNNING], Records()
    context, composer = a_provider_context(records), composer_of()
    commission = await composer.commission(a_brief(), Wish(), context)
    collecting = asyncio.create_task(composer.collect(commission, context))
    while not records.progress:
        await asyncio.sleep(0.01)
    collecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await collecting
    assert (ordered(vertex).state, records.paid_calls.bills) == (RUNNING, [])
    vertex.script(commission.name, [SUCCEEDED])
    assert (await composer_of(output=f"gs://{BUCKET}/elsewhere").collect(commission, context)).audio == SOUND


@pytest.mark.parametrize("end", [SUCCEEDED, FAILED, CANCELLED])
async def test_to_cancel_a_run_that_has_ended_is_no_error(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer], end: int
) -> None:
    vertex.states = [end]
    composer = composer_of()
    commission = await composer.commission(a_brief(), Wish(), a_provider_context(Records()))
    await vertex.go(commission.name)
    await composer.cancel(commission)
    assert ordered(vertex).state == end


async def test_to_cancel_a_run_stops_it_and_one_that_is_gone_is_no_error(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer]
) -> None:
    composer = composer_of()
    commission = await composer.commission(a_brief(), Wish(), a_provider_context(Records()))
    await composer.cancel(commission)
    await composer.cancel(Commission(name=f"{RUN}9"))
    assert (ordered(vertex).state, vertex.calls["cancel"]) == (CANCELLED, 2)


async def test_a_cancel_that_cannot_be_sent_is_told(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer]
) -> None:
    vertex.forever = {"cancel": AWAY}
    with pytest.raises(Unavailable, match=r"provider\.unavailable"):
        await composer_of().cancel(Commission(name=RUN))


async def test_a_check_of_good_settings_is_free(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer]
) -> None:
    await composer_of().check()
    assert dict(vertex.calls) == {"list": 1}


DISABLED = Fault(
    grpc.StatusCode.PERMISSION_DENIED,
    details=(error_details_pb2.ErrorInfo(reason="SERVICE_DISABLED", domain="googleapis.com"),),
)
MISTAKES: dict[str, tuple[dict[str, Any], Fault | None, str]] = {
    "no version": ({"template_uri": TEMPLATE.rpartition("/")[0]}, None, "pipeline.template_uri: .*pinned by its hash"),
    "a tag": ({"template_uri": TEMPLATE.rpartition("/")[0] + "/latest"}, None, "pipeline.template_uri: .*pinned"),
    "no registry": ({"template_uri": "gs://music/pipeline.yaml"}, None, "pipeline.template_uri: .*Artifact Registry"),
    "no output": ({"output": ""}, None, "pipeline.output is missing"),
    "a missing bucket": ({"output": "gs://no-such/runs"}, None, 'pipeline.output: there is no bucket "no-such"'),
    "a bad label": ({"labels": {"Team": "x"}}, None, "pipeline.labels: Team"),
    "no region": ({"vertex": {"location": "mars"}}, None, 'vertex.location: "mars"'),
    "no permission": ({}, PERMISSION, "vertex.key_file: .*role Vertex AI User"),
    "a disabled API": ({}, DISABLED, "vertex.project: .*is disabled.*console.cloud.google.com/apis/library"),
    "an unknown project": ({}, NOT_FOUND, "vertex.project, vertex.location: "),
    "a key that is not accepted": ({}, Fault(grpc.StatusCode.UNAUTHENTICATED), "vertex.key_file: "),
    "a missing key file": (
        {"vertex": {"endpoint": "https://127.0.0.1:9", "key_file": "/no/such.json"}},
        None,
        "vertex.key_file: ",
    ),
}


@pytest.mark.parametrize(("changes", "fault", "sentence"), MISTAKES.values(), ids=MISTAKES)
async def test_a_mistake_of_the_operator_has_one_sentence_that_names_the_setting(
    vertex: PipelineServer,
    composer_of: Callable[..., PipelineComposer],
    changes: dict[str, Any],
    fault: Fault | None,
    sentence: str,
) -> None:
    if fault:
        vertex.forever = {"list": fault}
    with pytest.raises(Misconfigured, match=sentence) as caught:
        await composer_of(**changes).check()
    assert len(caught.value.problems) == 1
    assert vertex.created == 0


async def test_a_service_that_is_away_at_the_start_is_no_mistake(
    vertex: PipelineServer, composer_of: Callable[..., PipelineComposer]
) -> None:
    vertex.forever = {"list": AWAY}
    with pytest.raises(Unavailable, match=r"provider\.unavailable"):
        await composer_of().check()


async def test_a_composer_that_was_never_asked_closes(composer_of: Callable[..., PipelineComposer]) -> None:
    await composer_of().close()
