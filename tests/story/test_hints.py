"""Stories: what members read about their hint on the song's message and in Details, in both languages."""

import io
from collections.abc import AsyncIterator
from typing import Any

import discord
import mido
import pytest

from melodify_core.media.worker_pool import WorkerPool
from tests.stories import World, seconds_of, story_settings, world
from tests.story.pressing import choose

DRUM_CHANNEL = 9


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(story_settings(tmp_path_factory.mktemp("hints")), pool, composes=True) as here:
        yield here


async def song_for(here: World, hint: str = "", **options: Any) -> discord.Message:
    await here.command(**({"hint": hint} if hint else {}) | options)
    await here.songs_done()
    return here.songs()[-1]


def lines_of(song: discord.Message) -> list[str]:
    """Return the lines about the hint."""
    lines = str(song.embeds[0].description).splitlines()
    return [line for line in lines if line.startswith(("Heard", "Not used", "반영"))]


@pytest.mark.parametrize(
    ("locale", "hint", "heard", "not_used"),
    [
        ("en-US", "rainy evening, no drums, qwertz", "Heard: rain, evening, no drums", "Not used: “qwertz”"),
        (
            "ko",
            "비 오는 저녁, 드럼 없이, 뷁뷁",
            "반영했어요: 비, 저녁, 드럼 없이",
            "반영하지 못했어요: ‘뷁뷁’",
        ),
    ],
)
async def test_the_song_says_what_was_heard_of_its_hint_and_details_what_was_not(
    bot: World, locale: str, hint: str, heard: str, not_used: str
) -> None:
    here = bot.corner(locale=locale)
    song = await song_for(here, hint, length=10)
    assert lines_of(song) == [heard, not_used]
    shown = await choose(here.member, song, "details")
    # Details speak the language of the one who asks for them.
    assert f"“{hint.rpartition(' ')[2]}”" in [field.value for field in shown.embeds[0].fields]
    [file] = shown.attachments
    score = mido.MidiFile(file=io.BytesIO(await file.read()))
    notes = [each for track in score.tracks for each in track if each.type == "note_on"]
    assert notes
    assert not [each for each in notes if each.channel == DRUM_CHANNEL]


async def test_a_song_by_name_gets_a_kind_sentence(bot: World) -> None:
    here = bot.corner()
    song = await song_for(here, "Für Elise vibes", length=10)
    assert lines_of(song)[-1] == (
        "Not used: “Für Elise” · I cannot copy songs or artists by name, but a mood or a style works."
    )


async def test_a_song_without_a_hint_says_nothing_of_hints(bot: World) -> None:
    here = bot.corner()
    song = await song_for(here, length=10)
    assert lines_of(song) == []


async def test_a_length_in_the_hint_is_the_song_s_and_the_option_comes_first(bot: World) -> None:
    here = bot.corner()
    song = await song_for(here, "12 seconds of rain")
    assert await seconds_of(song) == pytest.approx(12, abs=1)
    assert lines_of(song)[-1] == "Heard: 12 s, rain"
    other = await song_for(here, "12 seconds of rain", length=20)
    assert await seconds_of(other) == pytest.approx(20, abs=1)
    assert lines_of(other) == ["Heard: rain", "Not used: “12 seconds” · Another length was chosen."]
