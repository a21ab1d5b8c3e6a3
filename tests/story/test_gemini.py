"""Stories of a host with two keys and no cloud project: OpenAI reads, the Gemini API plays, a folder keeps."""

from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from melodify_core.config.settings import Settings
from melodify_core.media.worker_pool import WorkerPool
from tests.gemini_server import KEY, SONG, GeminiServer, error, gemini_server
from tests.openai_server import OpenAIServer
from tests.sounds import chords, wav
from tests.stories import World, a_picture, seconds_of, story_settings, world
from tests.story.production import SECRET, openai

__all__ = ["openai"]  # a fixture


@dataclass
class Hall:
    """A world whose music is made through the Gemini API."""

    here: World
    gemini: GeminiServer
    settings: Settings


@pytest.fixture(scope="module")
async def hall(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory, openai: OpenAIServer) -> AsyncIterator[Hall]:
    async with gemini_server(wav(chords(40.0))) as gemini:
        settings = story_settings(
            tmp_path_factory.mktemp("gemini"),
            captioner="openai",
            openai={"base_url": openai.url, "api_key": SECRET, "tries": 1},
            composer="gemini",
            gemini={"api_key": KEY, "endpoint": gemini.url, "send_picture": True},
        )
        async with world(settings, pool) as here:
            yield Hall(here, gemini, settings)
        assert gemini.invalid == []


async def test_two_keys_and_a_folder_make_a_song(hall: Hall, openai: OpenAIServer) -> None:
    here, paid_before, made_before = hall.here.corner(), len(openai.paid), hall.gemini.made
    await here.command(image=("picture.png", a_picture("gold")), hint="no drums")
    await here.songs_done()
    [song] = here.songs()
    assert str(song.embeds[0].title).startswith(openai.reading["title"])  # a later song is "... II"
    assert 25 < await seconds_of(song) < 41
    assert (len(openai.paid), hall.gemini.made) == (paid_before + 1, made_before + 1)
    text, image = hall.gemini.bodies[-1]["input"][0]["content"]
    assert "84 BPM" in text["text"]
    assert "Instrumental only, no vocals." in text["text"]
    assert "no drums" not in text["text"]
    assert image["mime_type"] == "image/jpeg"
    kept = {path.relative_to(hall.settings.folder.path).parts[0] for path in hall.settings.folder.path.rglob("*.*")}
    assert {"pictures", "songs"} <= kept


async def test_what_a_job_cost_is_kept_with_it(hall: Hall) -> None:
    here = hall.here.corner()
    await here.command(image=("picture.png", a_picture("navy")))
    await here.songs_done()
    with closing(here.database()) as database:
        rows = database.execute(
            "SELECT costs.provider, costs.model, costs.dollars FROM costs JOIN usage USING (job_id) "
            "WHERE usage.user_id = ? ORDER BY costs.created_at",
            (here.member.id,),
        ).fetchall()
    assert [row[0] for row in rows] == ["openai", "gemini"]
    assert tuple(rows[1][1:]) == (SONG, pytest.approx(0.08))


async def test_music_that_is_blocked_twice_is_refused_with_advice(hall: Hall) -> None:
    here, made_before = hall.here.corner(), hall.gemini.made
    hall.gemini.faults += [error(400, "recitation"), error(400, "safety")]
    await here.command(image=("picture.png", a_picture("coral")))
    await here.songs_done()
    [status] = here.said(here.channel)
    assert "try another hint or style" in status.content
    assert hall.gemini.made == made_before


@pytest.mark.parametrize(
    ("locale", "advice"), [(None, "The budget for music is used up."), ("ko", "음악 예산을 모두 썼어요")]
)
async def test_a_member_is_told_kindly_that_the_credit_is_gone_and_the_host_where_to_look(
    hall: Hall, locale: str | None, advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    here = hall.here.corner(locale=locale)
    hall.gemini.faults += [error(402, "payment_required")]
    await here.post(here.mention, ("picture.png", a_picture("olive" if locale else "plum")))
    await here.songs_done()
    [status] = here.said(here.channel)
    assert advice in status.content
    assert "https://ai.google.dev/gemini-api/docs/billing" in caplog.text
    assert "ai.google.dev" not in status.content
