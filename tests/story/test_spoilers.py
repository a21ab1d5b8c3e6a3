"""Stories: a picture that was posted as a spoiler is shown to nobody who has not asked for it."""

import io
from collections.abc import AsyncIterator

import av
import discord
import pytest

from melodify_core.captioners.palette.mood_titles import is_mood_title
from melodify_core.media.worker_pool import WorkerPool
from tests.stories import World, a_picture, audio_of, story_settings, world
from tests.story.pressing import button

HIDDEN = ("SPOILER_surprise.png", a_picture("crimson"))
OPEN = ("holiday.png", a_picture("teal"))


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    limits = {"songs_per_minute": 0, "songs_per_hour": 0, "waiting_per_user": 0}
    settings = story_settings(tmp_path_factory.mktemp("spoilers"), limits=limits)
    async with world(settings, pool) as here:
        yield here


@pytest.fixture
async def here(bot: World) -> World:
    return bot.corner()


def pictures_of(message: discord.Message) -> list[str]:
    """Return the names of the message's picture and video files."""
    return [each.filename for each in message.attachments if not each.filename.endswith(".mp3")]


async def has_cover(message: discord.Message) -> bool:
    audio = audio_of(message)
    assert audio is not None
    with av.open(io.BytesIO(await audio.read()), "r") as sound:
        return bool(sound.streams.video)


def shows_openly(message: discord.Message) -> bool:
    """Return whether the message shows a picture, or what is on it, to everybody who scrolls by."""
    [embed] = message.embeds
    caption = (embed.description or "").split("\n\n")[0]
    pictures = embed.thumbnail.url or embed.image.url
    return bool(pictures) or not (caption.startswith("||") and caption.endswith("||"))


@pytest.mark.parametrize("way", ["post", "command", "private"])
async def test_a_spoiler_stays_one_in_message_cover_take_and_video(here: World, way: str) -> None:
    where = here.dms if way == "private" else here.channel
    if way == "post":
        await here.post(here.mention, HIDDEN)
    else:
        await here.command(image=HIDDEN, private=way == "private")
    await here.songs_done()
    [song] = here.songs(here.dms) if way == "private" else here.songs()
    assert pictures_of(song) == ["SPOILER_picture.jpg"]
    assert not shows_openly(song)
    assert not await has_cover(song)
    presser = here.member.user if way == "private" else here.member
    await presser.click(song, custom_id=button("another", song))
    await here.songs_done()
    songs = here.songs(here.dms) if way == "private" else here.songs()
    titles = [str(each.embeds[0].title) for each in songs]
    assert is_mood_title(titles[0], "en")
    assert titles[1] == f"{titles[0]} II"
    assert [pictures_of(each) for each in songs] == [["SPOILER_picture.jpg"]] * 2
    assert not any(shows_openly(each) for each in songs)
    await presser.click(song, custom_id=button("video", song))
    places = [where, *here.channel.threads]
    videos = [name for place in places for each in place.history() for name in pictures_of(each) if "mp4" in name]
    # A private one only its asker sees: it is in no history.
    assert [name.startswith("SPOILER_") for name in videos] == ([] if way == "private" else [True])


async def test_a_spoiler_s_hint_and_what_became_of_it_are_hidden_too(here: World) -> None:
    await here.command(image=HIDDEN, hint="rainy evening, qqq zzz")
    await here.songs_done()
    [song] = here.songs()
    lines = str(song.embeds[0].description).split("\n\n")[1].splitlines()
    told = [line for line in lines if "rain" in line or "qqq" in line]
    assert len(told) > 1
    assert all(line.startswith("||") and line.endswith("||") for line in told)


def lines_on(song: discord.Message, *words: str) -> list[str]:
    """Return the lines on the card that have one of these words."""
    lines = str(song.embeds[0].description).splitlines()
    return [line for line in lines if any(word in line for word in words)]


async def test_a_hint_that_was_written_as_a_spoiler_stays_one(here: World) -> None:
    await here.post(f"{here.mention} ||surprise rain||", OPEN)
    await here.songs_done()
    [song] = here.songs()
    told = lines_on(song, "surprise", "rain")
    assert told
    assert all(line.startswith("||") and line.endswith("||") for line in told)
    opened = await here.member.click(song, custom_id=button("change", song))
    assert opened.modal is not None
    assert "||surprise rain||" in str(opened.modal)
    await here.member.submit_modal(opened, {"hint": "||secret snow||", "style": ["piano"], "seconds": "10"})
    await here.songs_done()
    told = lines_on(here.songs()[1], "surprise", "secret", "snow")
    assert told
    assert all(line.count("||") == 2 for line in told)


async def test_a_picture_beside_a_spoiler_is_shown(here: World) -> None:
    await here.post(here.mention, HIDDEN, OPEN)
    await here.songs_done()
    shown = {song.embeds[0].thumbnail.url is not None: song for song in here.songs()}
    assert set(shown) == {False, True}
    assert (pictures_of(shown[False]), pictures_of(shown[True])) == (["SPOILER_picture.jpg"], ["picture.jpg"])
    assert await has_cover(shown[True])
    # The status messages have a small picture each, but for the spoiler's.
    notes = [embed for message in here.said() for embed in message.embeds if " of 2" in (embed.description or "")]
    assert [embed.thumbnail.url is not None for embed in notes] == [False, True]
