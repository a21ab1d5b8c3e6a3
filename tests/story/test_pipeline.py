"""Stories of the production path with a pipeline: OpenAI reads, a Vertex AI pipeline plays, Cloud Storage keeps."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from google.cloud.aiplatform_v1.types import PipelineJob
from google.cloud.storage import Client

from melodify_core.config.settings import Settings
from melodify_core.media.worker_pool import WorkerPool
from tests.gcs_server import BUCKET
from tests.openai_server import OpenAIServer, fails
from tests.pipeline_server import FAILED, PENDING, QUEUED, RUNNING, SUCCEEDED, PipelineServer, pipeline_server
from tests.sounds import chords, wav
from tests.stories import World, a_picture, seconds_of, world
from tests.story.production import SECRET, bucket, keys_in, openai, production

__all__ = ["bucket", "openai"]  # fixtures
TEMPLATE = "https://us-central1-kfp.pkg.dev/melodify-test/pipelines/melodify-music/sha256:" + "0123456789abcdef" * 4


@dataclass
class Studio:
    """A world whose music is made by a pipeline."""

    here: World
    service: PipelineServer
    settings: Settings


@pytest.fixture(scope="module")
async def piped(
    pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory, openai: OpenAIServer, bucket: Client
) -> AsyncIterator[Studio]:
    async def write(job: PipelineJob) -> None:
        uri = str(job.runtime_config.parameter_values["output_uri"])
        name = uri.removeprefix(f"gs://{BUCKET}/")
        bucket.bucket(BUCKET).blob(name).upload_from_string(wav(chords(3)), content_type="audio/wav")

    async with pipeline_server((QUEUED, PENDING, RUNNING, SUCCEEDED)) as service:
        service.work = write
        settings = production(
            tmp_path_factory.mktemp("pipeline"),
            openai,
            bucket,
            composer="pipeline",
            vertex={"project": "melodify-test", "endpoint": service.url},
            pipeline={
                "template_uri": TEMPLATE,
                "output": f"gs://{BUCKET}/runs",
                "poll_s": 0.05,
                "longest_poll_s": 0.1,
                "dollars_per_take": 0.05,
            },
        )
        async with world(settings, pool) as here:
            yield Studio(here, service, settings)


async def test_openai_a_pipeline_and_cloud_storage_make_a_song(
    piped: Studio, openai: OpenAIServer, bucket: Client
) -> None:
    here, paid_before, runs_before = piped.here.corner(), len(openai.paid), piped.service.created
    await here.command(image=("picture.png", a_picture("gold")))
    await here.songs_done()
    [song] = here.songs()
    assert str(song.embeds[0].title).startswith(openai.reading["title"])  # a later song is "... II"
    assert str(song.embeds[0].description).startswith(f"{openai.reading['caption']}\n\n")
    assert await seconds_of(song) == pytest.approx(3, abs=0.2)
    assert piped.service.created == runs_before + 1
    assert len(openai.paid) == paid_before + 1
    assert {"pictures", "songs"} <= keys_in(bucket, piped.settings)


async def test_a_run_that_fails_is_apologised_for_and_does_not_count(piped: Studio) -> None:
    here = piped.here.corner()
    piped.service.states, piped.service.task_error = [RUNNING, FAILED], "out of memory"
    try:
        await here.command(image=("picture.png", a_picture("olive")))
        await here.songs_done()
    finally:
        piped.service.states, piped.service.task_error = [QUEUED, PENDING, RUNNING, SUCCEEDED], ""
    assert here.songs() == []
    [status] = here.said(here.channel)
    assert "This try does not count" in status.content


async def test_the_same_question_is_paid_once(piped: Studio, openai: OpenAIServer) -> None:
    here, paid_before = piped.here.corner(), len(openai.paid)
    for _ in range(2):
        await here.command(image=("picture.png", a_picture("teal")))
        await here.songs_done()
    assert len(here.songs()) == 2
    assert len(openai.paid) == paid_before + 1


async def test_a_picture_that_is_not_allowed_is_refused_before_anything_is_paid(
    piped: Studio, openai: OpenAIServer
) -> None:
    here, paid_before, created_before = piped.here.corner(), len(openai.paid), piped.service.created
    openai.flagged = {"image"}
    try:
        await here.command(image=("picture.png", a_picture("maroon")))
        await here.songs_done()
    finally:
        openai.flagged = set()
    [status] = here.said(here.channel)
    assert "did not pass the content check" in status.content
    assert len(openai.paid) == paid_before
    assert piped.service.created == created_before


async def test_a_wrong_key_in_the_middle_is_plain_to_the_member_and_named_in_the_log(
    piped: Studio, openai: OpenAIServer, caplog: pytest.LogCaptureFixture
) -> None:
    here = piped.here.corner()
    openai.script.append(fails(401, "invalid_api_key"))
    await here.command(image=("picture.png", a_picture("plum")))
    await here.songs_done()
    [status] = here.said(here.channel)
    assert "not set up correctly" in status.content
    assert "401" in caplog.text
    assert SECRET not in caplog.text
    assert "base64," not in caplog.text
