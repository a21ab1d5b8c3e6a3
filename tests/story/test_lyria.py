"""Stories of the production path with Lyria: OpenAI reads, Lyria on Vertex AI plays, Cloud Storage keeps."""

from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass

import grpc
import pytest
from google.cloud.storage import Client

from melodify_core.config.settings import Settings
from melodify_core.media.worker_pool import WorkerPool
from tests.openai_server import OpenAIServer
from tests.sounds import chords, wav
from tests.stories import World, a_picture, seconds_of, world
from tests.story.production import bucket, keys_in, openai, production
from tests.vertex_server import Fault as VertexFault
from tests.vertex_server import Lyria, vertex_server

__all__ = ["bucket", "openai"]  # fixtures


@dataclass
class Hall:
    """A world whose music is made by Lyria."""

    here: World
    lyria: Lyria
    settings: Settings


@pytest.fixture(scope="module")
async def hall(
    pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory, openai: OpenAIServer, bucket: Client
) -> AsyncIterator[Hall]:
    async with vertex_server(wav(chords(32.8))) as lyria:
        settings = production(
            tmp_path_factory.mktemp("lyria"),
            openai,
            bucket,
            composer="lyria",
            vertex={"project": "melodify-test", "endpoint": lyria.url},
        )
        async with world(settings, pool) as here:
            yield Hall(here, lyria, settings)


async def test_openai_lyria_and_cloud_storage_make_a_song(hall: Hall, openai: OpenAIServer, bucket: Client) -> None:
    here, paid_before, made_before = hall.here.corner(), len(openai.paid), hall.lyria.made
    await here.command(image=("picture.png", a_picture("gold")), hint="no drums")
    await here.songs_done()
    [song] = here.songs()
    assert str(song.embeds[0].title).startswith(openai.reading["title"])  # a later song is "... II"
    assert await seconds_of(song) == pytest.approx(32.8, abs=0.3)
    assert len(openai.paid) == paid_before + 1
    assert hall.lyria.made == made_before + 1
    prompt = hall.lyria.asked[-1]["prompt"]
    assert "84 BPM" in prompt
    assert "no drums" not in prompt
    assert {"pictures", "songs"} <= keys_in(bucket, hall.settings)


async def test_what_a_job_cost_is_kept_with_it(hall: Hall) -> None:
    here = hall.here.corner()
    await here.command(image=("picture.png", a_picture("navy")))
    await here.songs_done()
    with closing(here.database()) as database:
        rows = database.execute(
            "SELECT costs.provider, costs.dollars, costs.input_tokens FROM costs JOIN usage USING (job_id) "
            "WHERE usage.user_id = ? ORDER BY costs.created_at",
            (here.member.id,),
        ).fetchall()
    assert [row[0] for row in rows] == ["openai", "vertex"]
    assert rows[0][1] == pytest.approx(1000 * 0.10e-6 + 200 * 0.50e-6)
    assert rows[0][2] == 1000
    assert rows[1][1] == pytest.approx(0.06)


async def test_music_that_is_blocked_twice_is_refused_with_advice(hall: Hall) -> None:
    here, made_before = hall.here.corner(), hall.lyria.made
    block = VertexFault(grpc.StatusCode.INVALID_ARGUMENT, "Generation was blocked by recitation checks.")
    hall.lyria.faults += [block, block]
    await here.command(image=("picture.png", a_picture("coral")))
    await here.songs_done()
    [status] = here.said(here.channel)
    assert "try another hint or style" in status.content
    assert hall.lyria.made == made_before


async def test_a_korean_member_reads_korean(hall: Hall, openai: OpenAIServer) -> None:
    here = hall.here.corner(locale="ko")
    openai.flagged = {"image"}
    try:
        await here.post(here.mention, ("picture.png", a_picture("khaki")))
        await here.songs_done()
    finally:
        openai.flagged = set()
    [status] = here.said(here.channel)
    assert "콘텐츠 검사를 통과하지 못했어요" in status.content
