"""Stories of a host who pays nobody: a model on Ollama reads, an ACE-Step server plays, a folder keeps."""

import re
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass

import pytest

from melodify_core.config.settings import Settings
from melodify_core.media.worker_pool import WorkerPool
from tests.acestep_server import AceStepServer, Fault, acestep_server
from tests.openai_server import OpenAIServer
from tests.sounds import chords, wav
from tests.stories import World, a_picture, seconds_of, story_settings, world
from tests.story.production import openai

__all__ = ["openai"]  # a fixture

IDLE_S = 15  # aiohttp looks for idle connections so long after the first one


@dataclass
class Hall:
    """A world whose music is made by a server of the host's own."""

    here: World
    own: AceStepServer
    settings: Settings


@pytest.fixture(scope="module")
async def hall(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory, openai: OpenAIServer) -> AsyncIterator[Hall]:
    openai.models = None  # Ollama has no such page
    # The simulated Discord waits for the bot's timers, also for the one that closes an idle connection.
    async with acestep_server(wav(chords(10.0)), keeps_open=False) as own:
        settings = story_settings(
            tmp_path_factory.mktemp("acestep"),
            captioner="openai",
            openai={
                "base_url": openai.url,
                "api": "chat",
                "model": "a-vision-model",
                "fallback_model": "",
                "effort": "",
                "moderation": False,
            },
            composer="acestep",
            acestep={"url": own.url},
            work={"drain_s": 0, "poll_s": 0.1},
        )
        async with world(settings, pool) as here:
            await here.env.advance_time(IDLE_S)
            yield Hall(here, own, settings)
        assert own.invalid == []


async def test_two_servers_at_home_and_a_folder_make_a_song(hall: Hall, openai: OpenAIServer) -> None:
    here = hall.here.corner()
    await here.command(image=("picture.png", a_picture("gold")))
    await here.songs_done()
    [song] = here.songs()
    assert str(song.embeds[0].title).startswith(openai.reading["title"])  # a later song is "... II"
    assert await seconds_of(song) == pytest.approx(10, abs=0.3)
    assert re.search(r" · 84 BPM · \S+ major\n", f"{song.embeds[0].description}\n")
    assert hall.own.asked[-1].bpm == 84
    assert [call.path for call in openai.paid][-1] == "/v1/chat/completions"
    with closing(here.database()) as database:
        rows = database.execute("SELECT provider, dollars FROM costs").fetchall()
    assert "acestep" not in {row[0] for row in rows}


async def test_the_line_shows_that_the_song_waits_and_is_played(hall: Hall) -> None:
    here = hall.here.corner()
    hall.own.states = ["queued"]
    await here.command(image=("picture.png", a_picture("teal")))
    await here.until("waiting for the music service")
    hall.own.script_all(["running"])
    await here.until("the music service is working")
    hall.own.script_all(["succeeded"])
    await here.songs_done()
    hall.own.states = ["queued", "running", "succeeded"]
    assert len(here.songs()) == 1


async def test_a_cancelled_song_is_not_waited_for_and_does_not_count(hall: Hall) -> None:
    here = hall.here.corner()
    hall.own.states = ["running"]
    await here.command(image=("picture.png", a_picture("plum")))
    await here.until("the music service is working")
    await here.member.click(here.said(here.channel)[0], label="Cancel")
    await here.songs_done()
    hall.own.states = ["queued", "running", "succeeded"]
    assert here.songs() == []
    assert "Cancelled" in here.said(here.channel)[0].content


@pytest.mark.parametrize(("locale", "words"), [(None, "not set up correctly"), ("ko", "설정이 올바르지 않아요")])
async def test_a_key_that_was_changed_is_kind_to_the_member_and_plain_to_the_host(
    hall: Hall, locale: str | None, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    here = hall.here.corner(locale=locale)
    hall.own.faults["/release_task"] = [Fault(401, "Invalid API key")]
    await here.post(here.mention, ("picture.png", a_picture("olive" if locale else "navy")))
    await here.songs_done()
    [status] = here.said(here.channel)
    assert words in status.content
    assert "MELODIFY_ACESTEP__API_KEY" in caplog.text
    assert hall.own.url not in status.content


async def test_a_bot_that_is_stopped_finds_its_task_again(hall: Hall) -> None:
    here = hall.here.corner()
    hall.own.states, asked = ["running"], len(hall.own.asked)
    await here.command(image=("picture.png", a_picture("coral")))
    await here.until("the music service is working")
    await hall.here.restart(hall.settings)
    here.client = hall.here.client
    hall.own.script_all(["succeeded"])
    hall.own.states = ["queued", "running", "succeeded"]
    await here.songs_done()
    assert len(here.songs()) == 1
    assert len(hall.own.asked) == asked + 1
