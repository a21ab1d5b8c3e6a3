"""Stories of a host who names two composers: the second plays where the first cannot."""

from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import discord
import pytest

from melodify_core.media.worker_pool import WorkerPool
from tests.gemini_server import KEY, GeminiServer, error, gemini_server
from tests.openai_server import OpenAIServer
from tests.sounds import chords, wav
from tests.stories import World, a_picture, seconds_of, story_settings, world
from tests.story.production import SECRET, openai

__all__ = ["openai"]  # a fixture
OFFER = "Let the built-in band play it"


@dataclass
class Hall:
    """A world with two composers."""

    here: World
    gemini: GeminiServer


async def hall_of(pool: WorkerPool, folder: Any, openai: OpenAIServer, **tables: Any) -> AsyncIterator[Hall]:
    async with gemini_server(wav(chords(12.0))) as gemini:
        settings = story_settings(
            folder,
            captioner="openai",
            # Nothing is remembered: a second reading would show.
            openai={"base_url": openai.url, "api_key": SECRET, "tries": 1, "memory_hours": 0},
            composers=["gemini", "arranger"],
            gemini={"api_key": KEY, "endpoint": gemini.url},
            **tables,
        )
        async with world(settings, pool) as here:
            yield Hall(here, gemini)


@pytest.fixture(scope="module")
async def playing(
    pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory, openai: OpenAIServer
) -> AsyncIterator[Hall]:
    async for hall in hall_of(pool, tmp_path_factory.mktemp("fallback"), openai):
        yield hall


def facts_of(song: discord.Message) -> list[str]:
    return str(song.embeds[0].description).splitlines()


def costs_of(here: World) -> list[str]:
    with closing(here.database()) as database:
        rows = database.execute(
            "SELECT costs.provider FROM costs JOIN usage USING (job_id) WHERE usage.user_id = ?", (here.member.id,)
        )
        return sorted(str(row[0]) for row in rows)


async def test_the_first_composer_plays_while_it_can(playing: Hall) -> None:
    here = playing.here.corner()
    await here.command(image=("picture.png", a_picture("gold")))
    await here.songs_done()
    [song] = here.songs()
    assert not [line for line in facts_of(song) if "Played by" in line]
    assert costs_of(here) == ["gemini", "openai"]


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        (None, "🎙️ Played by the built-in band, because Lyria could not play this one."),
        ("ko", "🎙️ 구글 Lyria가 만들지 못해서 내장 밴드가 대신 연주했어요."),
    ],
)
async def test_where_the_credit_is_gone_the_next_plays_and_the_card_says_so(
    playing: Hall, locale: str | None, words: str
) -> None:
    here, made = playing.here.corner(locale=locale), playing.gemini.made
    playing.gemini.faults += [error(402, "payment_required")]
    await here.post(here.mention, ("picture.png", a_picture("olive" if locale else "plum")))
    await here.songs_done()
    [song] = here.songs()
    assert words in facts_of(song)
    assert 8 < await seconds_of(song) < 13
    assert playing.gemini.made == made
    assert costs_of(here) == ["openai"]
