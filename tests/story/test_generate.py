"""Stories: every way of asking for a song, and where the song goes."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import discord
import pytest
from simcord.backend import serializers
from simcord.builders import ChannelHandle
from simcord.results import InteractionResult

from melodify_core.media.worker_pool import WorkerPool
from tests.stories import PICTURE, World, command_payload, pings_of, post_payload, seconds_of, story_settings, world
from tests.story.pressing import button


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(story_settings(tmp_path_factory.mktemp("generate")), pool, composes=True) as here:
        yield here


@pytest.fixture
def here(bot: World) -> World:
    return bot.corner()


async def the_song(here: World) -> discord.Message:
    """Return the one song of this story's channel."""
    await here.songs_done()
    [song] = here.songs()
    return song


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished story: one command, one song."""

    here: World
    result: InteractionResult
    song: discord.Message
    first_call: str

    @property
    def thread(self) -> ChannelHandle:
        [thread] = self.here.channel.threads
        return thread

    @property
    def status(self) -> discord.Message:
        return self.here.said(self.here.channel)[0]


@pytest.fixture(scope="module")
async def finished(bot: World) -> Finished:
    here = bot.corner()
    calls_before = len(here.env.http_requests)
    result = await here.command(hint="rainy evening", style="piano", length=10)
    return Finished(here, result, await the_song(here), here.env.http_requests[calls_before].path)


async def test_a_command_ends_in_a_thread_with_a_song_that_plays(finished: Finished) -> None:
    assert finished.result.acknowledged
    assert finished.song.channel.id == finished.thread.id == finished.status.id
    assert await seconds_of(finished.song) == pytest.approx(10, abs=3)


async def test_a_command_is_acknowledged_before_anything_else(finished: Finished) -> None:
    assert finished.first_call.endswith("/callback")


async def test_the_first_line_in_the_channel_leads_to_the_song(finished: Finished) -> None:
    assert f"/{finished.song.channel.id}/{finished.song.id}" in finished.status.content


async def test_the_status_names_the_stages_in_their_order(finished: Finished) -> None:
    edits = [
        entry.json["content"]
        for entry in finished.here.env.http_requests
        if entry.method == "PATCH" and entry.path.endswith(f"/{finished.status.id}") and isinstance(entry.json, dict)
    ]
    signs = [edit[0] for edit in edits]
    assert signs == [sign for sign in "⏳👀🎼🎚📦🎵" if sign in signs]
    assert {"👀", "🎼", "🎚", "📦", "🎵"} <= set(signs)


async def test_the_song_tells_title_caption_asker_hint_facts_and_instruments(finished: Finished) -> None:
    embed = finished.song.embeds[0]
    assert embed.title
    caption, lines = str(embed.description).split("\n\n")
    assert caption
    [hint, heard, facts, instruments] = lines.splitlines()
    assert finished.song.content == f"For <@{finished.here.member.id}>"
    assert pings_of(finished.here, finished.song) == []
    assert hint == "💬 rainy evening"
    assert heard.startswith("Heard: rain")
    assert re.fullmatch(r"\*\*Solo piano\*\* · 10 s · \d+ BPM · [A-G][♭♯]? (major|minor)", facts)
    assert instruments.startswith("🎶 ")
    assert not embed.fields
    assert not embed.footer.text


async def test_the_picture_of_a_command_is_large_and_that_of_a_post_small(finished: Finished) -> None:
    embed = finished.song.embeds[0]
    assert (embed.image.url, embed.thumbnail.url) == ("attachment://picture.jpg", None)
    here = finished.here.corner()
    await here.post(here.mention, PICTURE)
    embed = (await the_song(here)).embeds[0]
    assert (embed.image.url, embed.thumbnail.url) == (None, "attachment://picture.jpg")
    await here.member.click(here.songs()[0], custom_id=button("another", here.songs()[0]))
    await here.songs_done()
    assert here.songs()[1].embeds[0].image.url == "attachment://picture.jpg"


async def test_the_picture_comes_along_with_words_for_those_who_cannot_see_it(finished: Finished) -> None:
    picture = finished.song.attachments[1]
    assert picture.filename == "picture.jpg"
    assert picture.description


async def test_the_thread_is_named_after_the_song(finished: Finished) -> None:
    assert finished.thread.name == finished.song.embeds[0].title


async def test_a_reply_to_the_bot_without_a_picture_is_left_in_peace(finished: Finished) -> None:
    before = len(finished.here.said())
    await finished.here.member.send(finished.thread, "lovely!", reply_to=finished.song)
    assert len(finished.here.said()) == before


async def test_asked_inside_a_thread_the_song_comes_into_that_thread(finished: Finished) -> None:
    before = len(finished.here.songs(finished.thread))
    await finished.here.command(finished.thread)
    await finished.here.songs_done()
    assert len(finished.here.songs(finished.thread)) == before + 1


async def test_a_post_with_a_mention_inside_a_thread_is_answered_there(finished: Finished) -> None:
    before = len(finished.here.songs(finished.thread))
    await finished.here.post(finished.here.mention, PICTURE, channel=finished.thread)
    await finished.here.songs_done()
    assert len(finished.here.songs(finished.thread)) == before + 1


async def test_a_post_in_a_watched_channel_ends_in_a_thread_with_a_song(bot: World) -> None:
    before = {thread.id for thread in bot.channel.threads}
    await bot.post("", PICTURE)
    await bot.songs_done()
    [thread] = [thread for thread in bot.channel.threads if thread.id not in before]
    assert len(bot.songs(thread)) == 1


async def test_a_post_elsewhere_is_none_of_our_business(here: World) -> None:
    await here.post("look", PICTURE)
    assert here.said() == []


async def test_a_picture_with_a_mention_ends_in_a_thread_with_a_song(here: World) -> None:
    await here.post(f"{here.mention} something calm", PICTURE)
    song = await the_song(here)
    assert song.channel.id == here.channel.threads[0].id
    assert await seconds_of(song) == pytest.approx(10, abs=3)


async def test_a_mention_without_a_picture_gets_a_hint_on_how_to_ask(here: World) -> None:
    await here.post(f"{here.mention} hello")
    [answer] = here.said()
    assert "/melodify" in answer.content


UNREADABLE = {"film.mp4": "a video", "voice.ogg": "a sound file", "paper.pdf": "a PDF", "archive.zip": "this file"}


@pytest.mark.parametrize(("name", "what"), UNREADABLE.items())
async def test_a_mention_with_another_file_says_what_can_be_read(here: World, name: str, what: str) -> None:
    message = await here.post(here.mention, (name, b"data"))
    [answer] = here.said()
    assert answer.content.startswith(f"I cannot make a song from {what}. Send me a picture: JPEG, ")
    assert answer.reference is not None
    await here.member.send(here.channel, here.mention, reply_to=message)
    assert here.said()[1].content == answer.content


@pytest.mark.parametrize("denied", ["create_public_threads", "send_messages_in_threads"])
async def test_where_threads_are_not_permitted_the_song_comes_into_the_channel(bot: World, denied: str) -> None:
    here = bot.corner(denied=[denied])
    await here.command()
    song = await the_song(here)
    assert song.channel.id == here.channel.id
    assert here.channel.threads == []


async def test_where_discord_refuses_the_thread_the_song_comes_into_the_channel(here: World) -> None:
    here.env.inject_error("POST", f"/channels/{here.channel.id}/messages/*/threads", status=403, code=50013)
    await here.command()
    song = await the_song(here)
    assert song.channel.id == here.channel.id


async def test_in_a_voice_chat_the_song_comes_into_the_chat(here: World) -> None:
    chat = here.guild.create_voice_channel("lounge")
    await here.command(chat)
    await here.songs_done()
    assert len(here.songs(chat)) == 1


async def test_a_private_song_comes_by_direct_message_and_leaves_no_trace_in_the_channel(here: World) -> None:
    result = await here.command(private=True)
    assert result.ephemeral
    await here.songs_done()
    [song] = here.songs(here.dms)
    assert await seconds_of(song) == pytest.approx(10, abs=3)
    assert all(message.flags.ephemeral for message in here.said())


async def test_closed_direct_messages_are_said_before_anything_is_spent(here: World) -> None:
    here.env.inject_error("POST", f"/channels/{here.dms.id}/messages", status=403, code=50007)
    result = await here.command(private=True)
    assert result.response is not None
    assert "DM" in result.response.content
    await here.songs_done()
    assert here.songs(here.dms) == []


async def test_a_picture_in_a_direct_message_is_answered_there(here: World) -> None:
    await here.dm("", PICTURE)
    await here.songs_done()
    assert len(here.songs(here.dms)) == 1


async def test_a_command_in_a_direct_message_is_answered_there(here: World) -> None:
    await here.member.user.slash("melodify", image=PICTURE, private=True)
    await here.songs_done()
    assert len(here.songs(here.dms)) == 1


async def test_words_in_a_direct_message_get_a_hint_on_how_to_ask(here: World) -> None:
    await here.dm("hello")
    [answer] = here.said(here.dms)
    assert answer.content.startswith("Send me a picture")
    assert "ention" not in answer.content


async def test_a_forwarded_picture_with_a_mention_counts_as_posted(bot: World) -> None:
    here = bot.corner()
    source = await here.post("", PICTURE)
    await here.member.forward(source, bot.channel)
    await here.songs_done()
    assert any("is ready" in message.content for message in here.said(bot.channel)[-1:])


async def test_pictures_of_bots_and_webhooks_are_left_alone(bot: World) -> None:
    here = bot.corner()
    robot = here.guild.add_member(here.env.create_user("robot", bot=True))
    before = len(here.said(bot.channel))
    await robot.send(bot.channel, here.mention, attachments=[PICTURE])
    await here.guild.create_webhook(bot.channel).send(here.mention)
    assert len(here.said(bot.channel)) == before


async def test_a_post_that_discord_sends_twice_makes_one_song(here: World) -> None:
    message = await here.post(here.mention, PICTURE)
    await here.emit("MESSAGE_CREATE", post_payload(here.env, message))
    await the_song(here)
    assert len(here.said(here.channel)) == 1


async def test_a_command_that_discord_sends_twice_makes_one_song(here: World) -> None:
    payload = command_payload(here.env, here.member, here.channel, {"image": PICTURE})
    await here.emit("INTERACTION_CREATE", payload, payload)
    await the_song(here)


async def test_a_member_whose_discord_is_korean_reads_korean(here: World) -> None:
    await here.emit(
        "INTERACTION_CREATE",
        command_payload(here.env, here.member, here.channel, {"image": PICTURE}, locale="ko"),
    )
    song = await the_song(here)
    assert song.content == f"<@{here.member.id}> 님의 요청"
    assert re.search(r" · \d+초 · \d+ BPM · .* [장단]조", str(song.embeds[0].description))
    assert "완성" in here.said(here.channel)[0].content


async def test_a_post_in_a_korean_server_is_answered_in_korean(bot: World) -> None:
    here = bot.corner(locale="ko")
    await here.post(here.mention)
    assert "노래로 만들어" in here.said()[0].content


@pytest.mark.parametrize(
    "hint",
    [
        "@everyone <@&123456789012345678> @here",
        "\u202egnirts\u202c \u200b\u2067hidden\u2069",
        "x" * 10_000,
        "](http://a.b) `\\",
    ],
    ids=["mentions", "right-to-left", "ten thousand characters", "markdown"],
)
async def test_a_hostile_hint_does_no_harm(here: World, hint: str) -> None:
    # Longer than what Discord's own programs let a member write: so it comes over the wire.
    message = await here.post("", PICTURE)
    bot_user = serializers.user_payload(here.env.backend.bot_user)
    changes = {"content": f"{here.mention} {hint}", "mentions": [bot_user]}
    await here.emit("MESSAGE_CREATE", post_payload(here.env, message) | changes)
    song = await the_song(here)
    stored = here.env.backend.get_message(song.channel.id, song.id)
    assert not stored.mention_everyone
    assert not stored.ping_role_ids


async def test_the_commands_are_offered_in_english_and_korean(bot: World) -> None:
    commands = {command.name: command for command in await bot.client.tree.fetch_commands()}
    assert {"melodify", "songs", "quota", "forget-me", "help"} <= set(commands)
    assert [option.name for option in commands["melodify"].options] == ["image", "hint", "style", "length", "private"]
    for root in bot.env.backend.visible_commands(user_id=bot.member.id, channel_id=bot.channel.id):
        if root.get("type", 1) != 1:
            continue
        assert root["description_localizations"]["ko"]
        assert all(option["name_localizations"]["ko"] != option["name"] for option in root["options"])
