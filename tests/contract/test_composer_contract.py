"""What every composer promises, run on each adapter; real SDKs, servers on loopback."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.aiplatform_v1.types import PipelineJob
from google.cloud.storage import Client
from pydantic import SecretStr

from melodify_core.composers.acestep.composer import AceStepComposer
from melodify_core.composers.arranger.composer import ArrangerComposer
from melodify_core.composers.elevenlabs.composer import ElevenLabsComposer
from melodify_core.composers.gemini.composer import GeminiComposer
from melodify_core.composers.lyria import LyriaComposer
from melodify_core.composers.pipeline import PipelineComposer
from melodify_core.config.settings import AceStep, ElevenLabs, Gcs, Gemini, Lyria, Pipeline, Vertex
from melodify_core.media.audio.codec import RATE, decode
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import RawTake, Wish
from melodify_core.ports import CommissioningComposer, Composer, ProviderContext
from tests.acestep_server import acestep_server
from tests.briefs import a_brief
from tests.elevenlabs_server import KEY as ELEVENLABS_KEY
from tests.elevenlabs_server import elevenlabs_server
from tests.gcs_server import BUCKET, gcs_server
from tests.gemini_server import KEY, gemini_server
from tests.jobs import PaidCalls, a_provider_context
from tests.pipeline_server import pipeline_server
from tests.sounds import chords, wav
from tests.vertex_server import interactions_server, vertex_server

SOUND = wav(chords(3.0))
TEMPLATE = "https://us-central1-kfp.pkg.dev/p/pipelines/melodify-music/sha256:" + "0123456789abcdef" * 4
Played = Composer | CommissioningComposer


@pytest.fixture(scope="module")
def bucket() -> Iterator[Client]:
    with gcs_server() as url:
        anybody = AnonymousCredentials()
        client = Client(project="p", credentials=anybody, client_options={"api_endpoint": url})
        yield client
        client.close()


@pytest.fixture(params=["arranger", "lyria-002", "lyria-3-clip-preview", "gemini", "elevenlabs", "acestep", "pipeline"])
async def composer(request: pytest.FixtureRequest, pool: WorkerPool, bucket: Client) -> AsyncIterator[Played]:
    async with AsyncExitStack() as stack:
        chosen: Played
        match request.param:
            case "arranger":
                chosen = ArrangerComposer(pool, 60)
            case "lyria-002":
                server = await stack.enter_async_context(vertex_server(SOUND))
                chosen = LyriaComposer(Lyria(model="lyria-002"), Vertex(project="p", endpoint=server.url))
            case "lyria-3-clip-preview":
                server = await stack.enter_async_context(interactions_server(SOUND))
                chosen = LyriaComposer(Lyria(model="lyria-3-clip-preview"), Vertex(project="p", endpoint=server.url))
            case "gemini":
                gemini = await stack.enter_async_context(gemini_server(SOUND))
                chosen = GeminiComposer(Gemini(api_key=SecretStr(KEY), endpoint=gemini.url))
            case "elevenlabs":
                eleven = await stack.enter_async_context(elevenlabs_server(SOUND))
                chosen = ElevenLabsComposer(ElevenLabs(api_key=SecretStr(ELEVENLABS_KEY), endpoint=eleven.url))
            case "acestep":
                own = await stack.enter_async_context(acestep_server(SOUND))
                chosen = AceStepComposer(AceStep(url=own.url, poll_s=0.05, dollars_per_take=0.01))
            case _:
                chosen = await _pipeline(stack, bucket)
        stack.push_async_callback(chosen.close)
        yield chosen


async def _pipeline(stack: AsyncExitStack, bucket: Client) -> PipelineComposer:
    async def write(job: PipelineJob) -> None:
        uri = str(job.runtime_config.parameter_values["output_uri"])
        bucket.bucket(BUCKET).blob(uri.removeprefix(f"gs://{BUCKET}/")).upload_from_string(SOUND)

    service = await stack.enter_async_context(pipeline_server())
    service.work = write
    settings = Pipeline(template_uri=TEMPLATE, output=f"gs://{BUCKET}/contract", poll_s=0.05, longest_poll_s=0.1)
    gcs = Gcs.model_validate({"endpoint": bucket.api_endpoint})
    return PipelineComposer(settings, Vertex(project="p", endpoint=service.url), gcs)


async def take_of(composer: Played, context: ProviderContext) -> RawTake:
    brief, wish = a_brief(), Wish(seconds=10)
    if isinstance(composer, CommissioningComposer):
        return await composer.collect(await composer.commission(brief, wish, context), context)
    return await composer.compose(brief, wish, context)


async def test_it_has_a_name_and_finds_nothing_wrong_with_its_settings(composer: Played) -> None:
    assert composer.name in ("arranger", "lyria", "gemini", "elevenlabs", "acestep", "pipeline")
    await composer.check()


async def test_a_brief_becomes_sound_that_can_be_decoded(composer: Played) -> None:
    take = await take_of(composer, a_provider_context("11"))
    seconds = sum(block.shape[1] for block in decode(take.audio)) / RATE
    assert 2 < seconds < 15
    assert take.content_type.startswith("audio/")
    assert take.model


async def test_each_paid_call_is_reported_with_its_cost(composer: Played) -> None:
    paid_calls = PaidCalls()
    await take_of(composer, replace(a_provider_context("12"), begun=paid_calls.begin))
    if composer.name == "arranger":
        assert paid_calls.bills == []
    else:
        assert len(paid_calls.bills) == 1
        assert paid_calls.bills[0].dollars > 0
