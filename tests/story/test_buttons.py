"""Stories: what members do with the buttons under a song, also after a restart and when something is gone."""

import io
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import av
import discord
import mido
import pytest

from melodify_core.media.worker_pool import WorkerPool
from tests.stories import World, audio_of, seconds_of, story_settings, world
from tests.story.pressing import as_of_earlier_versions, button, choices_of, choose, job_of, labels_of, only

LABELS = ["🎲 Another take", "✏️ Change it", "♥ Like", "🎬 Video"]
CHOICES = ["Details", "Delete"]
UPDATE_MESSAGE = 7


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    limits = {"songs_per_minute": 0, "songs_per_hour": 20, "waiting_per_user": 0}
    settings = story_settings(tmp_path_factory.mktemp("buttons"), limits=limits)
    async with world(settings, pool) as here:
        yield here


@pytest.fixture
async def here(bot: World) -> World:
    """A corner with one song in it."""
    here = bot.corner()
    here.client = bot.client
    await here.command()
    await here.songs_done()
    return here


def files_of(here: World, job_id: str) -> list[str]:
    folder = here.services.settings.folder.path
    forms = (".jpg", ".mid", ".mp3", ".mp4")
    return sorted(path.name for path in Path(folder).rglob(f"{job_id}*") if path.suffix in forms)


def paid(here: World, job_id: str) -> list[str]:
    with closing(here.database()) as database:
        query = "SELECT function_name FROM operation_outputs WHERE workflow_uuid = ?"
        return [str(row[0]) for row in database.execute(query, (job_id,))]


async def restarted(bot: World, here: World) -> None:
    await bot.restart(bot.services.settings)
    here.client = bot.client


async def test_a_song_has_one_row_of_buttons_in_words_and_a_menu_with_the_rest(here: World) -> None:
    [song] = here.songs()
    assert labels_of(song) == LABELS
    assert len(song.components) == 2
    assert choices_of(song) == CHOICES
    [menu] = here.env.backend.get_message(song.channel.id, song.id).components[1]["components"]
    assert menu["placeholder"] == "More …"
    assert [option["emoji"]["name"] for option in menu["options"]] == ["🔎", "🗑️"]
    assert all(option["description"] for option in menu["options"])


async def test_a_choice_is_cleared_so_that_it_can_be_made_again(bot: World, here: World) -> None:
    await restarted(bot, here)
    [song] = here.songs()
    await here.member.click(song, custom_id=button("like", song))
    before = len(here.env.http_requests)
    for _ in range(2):
        assert (await choose(here.member, here.songs()[0], "details")).embeds
    # Discord forgets a choice when the message is edited.
    sent = [entry.json or {} for entry in here.env.http_requests[before:] if entry.path.endswith("/callback")]
    assert [body["type"] for body in sent] == [UPDATE_MESSAGE, UPDATE_MESSAGE]
    assert labels_of(here.songs()[0]) == [*LABELS[:2], "♥ Like · 1", *LABELS[3:]]
    assert choices_of(here.songs()[0]) == CHOICES
    assert here.songs()[0].embeds == song.embeds
    assert len(here.songs()[0].attachments) == 2


async def test_a_choice_shows_the_likes_that_came_in_its_moment(bot: World, here: World) -> None:
    await restarted(bot, here)
    [song] = here.songs()
    # Its button was not edited yet, or was edited between the choice and its answer.
    await here.services.songs.like(job_of(song), 77)
    await choose(here.member, song, "details")
    assert labels_of(here.songs()[0]) == [*LABELS[:2], "♥ Like · 1", *LABELS[3:]]
    await here.services.songs.like(job_of(song), 77)
    await choose(here.member, here.songs()[0], "details")
    assert labels_of(here.songs()[0]) == LABELS


@pytest.mark.parametrize("kind", ["details", "delete"])
async def test_the_buttons_of_an_earlier_version_still_work(here: World, kind: str) -> None:
    [song] = here.songs()
    # They had all buttons under the song.
    as_of_earlier_versions(here, song, kind)
    answer = only(await here.member.click(song, custom_id=button(kind, song)))
    assert answer.embeds or "Delete this song" in answer.content


async def test_the_button_more_of_an_earlier_version_shows_the_menu(bot: World, here: World) -> None:
    [song] = here.songs()
    as_of_earlier_versions(here, song, "more")
    await restarted(bot, here)
    curious = here.guild.add_member(here.env.create_user("curious"))
    more = only(await curious.click(song, custom_id=button("more", song)))
    assert str(song.embeds[0].title) in more.content
    assert choices_of(more.message) == CHOICES
    [told] = (await curious.select(more, ["details"])).followups
    assert told.ephemeral
    assert "Seed" in [field.name for field in told.embeds[0].fields]
    # With the next like, the menu takes the place of the button.
    await curious.click(song, custom_id=button("like", song))
    assert choices_of(here.songs()[0]) == CHOICES


async def test_another_take_is_another_song_of_the_same_reading_and_says_where_it_comes_from(
    bot: World, here: World
) -> None:
    await restarted(bot, here)
    [first] = here.songs()
    other = here.guild.add_member(here.env.create_user("other"))
    await other.click(first, label=LABELS[0])
    await here.songs_done()
    [_, second] = here.songs()
    caption, lines = str(second.embeds[0].description).split("\n\n")
    assert caption == str(first.embeds[0].description).split("\n\n")[0]
    assert second.content == f"For <@{other.id}>"
    assert f"🎲 Another take of [this song](https://discord.com/channels/{here.guild.id}/{first.channel.id}/" in lines
    assert f"/{first.id})" in lines
    assert "✏️" not in lines
    assert paid(here, job_of(second)) == ["compose", "master", "deliver"]
    sounds = [await file.read() for song in (first, second) if (file := audio_of(song))]
    assert sounds[0] != sounds[1]


async def test_changing_the_style_reads_anew_and_changing_the_length_does_not(bot: World, here: World) -> None:
    await restarted(bot, here)
    [first] = here.songs()
    form = await here.member.click(first, label=LABELS[1])
    assert form.modal is not None
    await here.member.submit_modal(form, {"hint": "with @everyone **drums**", "style": ["jazz"], "seconds": "12"})
    await here.songs_done()
    second = here.songs()[1]
    assert paid(here, job_of(second))[0] == "caption"
    lines = str(second.embeds[0].description).splitlines()
    [changes] = [line for line in lines if line.startswith("✏️")]
    assert f"/{first.id}) with changes: style automatic → Jazz, length 10 → 12 s, hint none → “" in changes
    assert "@everyone" not in changes
    assert "drums" not in "".join(line for line in lines if line.startswith("💬"))  # once is enough
    form = await here.member.click(second, label=LABELS[1])
    await here.member.submit_modal(form, {"hint": "with drums", "style": ["jazz"], "seconds": "13 "})
    await here.songs_done()
    third = here.songs()[2]
    assert paid(here, job_of(third))[0] == "compose"


async def test_a_like_is_counted_once_for_each_member_and_can_be_taken_back(bot: World, here: World) -> None:
    [song] = here.songs()
    other = here.guild.add_member(here.env.create_user("fan"))
    await here.member.click(song, label=LABELS[2])
    await restarted(bot, here)
    await other.click(here.songs()[0], custom_id=f"song:like:{job_of(song)}")
    assert "♥ Like · 2" in labels_of(here.songs()[0])
    await other.click(here.songs()[0], custom_id=f"song:like:{job_of(song)}")
    assert "♥ Like · 1" in labels_of(here.songs()[0])
    assert here.songs()[0].embeds == song.embeds


async def test_a_video_is_made_once_and_plays(bot: World, here: World) -> None:
    await restarted(bot, here)
    [song] = here.songs()
    [posted] = (await here.member.click(song, label=LABELS[3])).followups
    [file] = posted.attachments
    assert file.filename.endswith(".mp4")
    with av.open(io.BytesIO(await file.read()), "r") as movie:
        assert movie.duration is not None
        assert movie.duration / av.time_base == pytest.approx(await seconds_of(song), abs=0.2)
        assert {stream.type for stream in movie.streams} == {"video", "audio"}
    assert f"{job_of(song)}.mp4" in files_of(here, job_of(song))


async def test_details_are_for_the_presser_alone(bot: World, here: World) -> None:
    await restarted(bot, here)
    details = await choose(here.member, here.songs()[0], "details")
    assert job_of(here.songs()[0]) in str(details.embeds[0].footer.text)
    assert job_of(here.songs()[0]) not in str([embed.to_dict() for embed in here.songs()[0].embeds])
    named = {field.name: str(field.value) for field in details.embeds[0].fields}
    assert {"Prompt", "Seed", "Tempo", "Key", "Mood", "Made by", "Sound", "Cost", "Times"} <= set(named)
    assert "BPM" in named["Prompt"]
    assert (named["Made by"], named["Cost"]) == ("palette · arranger", "free")
    [score] = details.attachments
    assert score.filename.endswith(".mid")
    assert mido.MidiFile(file=io.BytesIO(await score.read())).length == pytest.approx(10, abs=1)
    assert f"{job_of(here.songs()[0])}.mid" in files_of(here, job_of(here.songs()[0]))


async def test_only_asker_and_moderators_delete_and_nothing_is_left(bot: World, here: World) -> None:
    await restarted(bot, here)
    [song] = here.songs()
    job_id = job_of(song)
    stranger = here.guild.add_member(here.env.create_user("stranger"))
    refused = await choose(stranger, song, "delete")
    assert "Only the member who asked" in refused.content
    asked = await choose(here.member, song, "delete")
    await restarted(bot, here)
    await here.member.click(asked, label="Yes, delete it")
    assert here.songs() == []
    assert files_of(here, job_id) == []
    assert await here.services.members.own_songs(here.member.id, "newest", 0) == await here.services.members.own_songs(
        0, "newest", 0
    )


async def test_a_take_of_a_song_that_is_deleted_links_to_it_no_more(here: World) -> None:
    [first] = here.songs()
    await here.member.click(first, label=LABELS[0])
    await here.songs_done()
    asked = await choose(here.member, first, "delete")
    await here.member.click(asked, label="Yes, delete it")
    [take] = here.songs()
    assert "🎲 Another take of this song" in str(take.embeds[0].description).splitlines()
    assert str(take.embeds[0].image.url).endswith("/picture.jpg")
    assert len(take.attachments) == 2


async def test_a_moderator_deletes_somebody_else_s_song(here: World) -> None:
    role = here.guild.create_role("moderators", permissions=discord.Permissions(manage_messages=True))
    moderator = here.guild.add_member(here.env.create_user("moderator"), roles=[role])
    asked = await choose(moderator, here.songs()[0], "delete")
    await moderator.click(asked, label="Yes, delete it")
    assert here.songs() == []


@pytest.mark.parametrize("label", [*LABELS, "details", "delete"])
async def test_a_button_of_a_song_that_is_gone_says_so(here: World, label: str) -> None:
    [song] = here.songs()
    entry = await here.services.songs.entry(job_of(song), here.member.id)
    await here.services.songs.delete(entry)
    orders = here.orders()
    if label in LABELS:
        result = await here.member.click(song, label=label)
    else:
        result = await here.member.select(song, [label])
    texts = [result.response.content] if result.response else []
    texts += [message.content for message in result.followups]
    assert any("no longer there" in text for text in texts), texts
    assert here.orders() == orders


async def test_a_take_of_a_picture_that_retention_has_deleted_is_refused_in_a_sentence(here: World) -> None:
    [song] = here.songs()
    (here.services.settings.folder.path / "pictures" / f"{job_of(song)}.jpg").unlink()
    [told] = (await here.member.click(song, label=LABELS[0])).followups
    assert told.ephemeral
    assert "no longer stored" in told.content
    assert here.orders() == 1


async def test_a_private_song_s_buttons_work_in_direct_messages(bot: World) -> None:
    here = bot.corner()
    here.client = bot.client
    await here.command(private=True)
    await here.songs_done()
    [song] = here.songs(here.dms)
    await here.member.user.click(song, label=LABELS[0])
    await here.songs_done()
    assert len(here.songs(here.dms)) == 2
    assert here.songs() == []


async def test_in_a_korean_server_the_buttons_are_korean(bot: World) -> None:
    here = bot.corner(locale="ko")
    here.client = bot.client
    await here.command()
    await here.songs_done()
    assert labels_of(here.songs()[0])[0] == "🎲 다른 버전"
    assert choices_of(here.songs()[0]) == ["자세히", "삭제"]
