"""Stories: which pictures a member may mean - a message's, another's, several at once - and which are fetched."""

import json
from collections.abc import AsyncIterator
from contextlib import closing
from typing import Any

import discord
import pytest
from simcord.backend import serializers

from melodify_core.media.worker_pool import WorkerPool
from tests.stories import PICTURE, World, a_picture, answer_of, post_payload, story_settings, world

TWO = (("first.png", a_picture("gold")), ("second.png", a_picture("teal")))
BROKEN = ("broken.png", a_picture()[:200])


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    limits = {"songs_per_minute": 0, "songs_per_hour": 3, "waiting_per_user": 0}
    async with world(story_settings(tmp_path_factory.mktemp("pictures"), limits=limits), pool) as here:
        yield here


@pytest.fixture
def here(bot: World) -> World:
    return bot.corner()


def texts(messages: list[discord.Message]) -> list[str]:
    return [message.content for message in messages]


async def post_with(here: World, **changes: Any) -> None:
    """Post a picture with a mention, whose attachment Discord describes otherwise."""
    message = await here.post("", PICTURE)
    payload = post_payload(here.env, message)
    mentions = [serializers.user_payload(here.env.backend.bot_user)]
    files = [file | changes for file in payload["attachments"]]
    await here.emit("MESSAGE_CREATE", payload | {"attachments": files, "content": here.mention, "mentions": mentions})
    await here.songs_done()


async def test_two_pictures_become_two_songs_in_one_thread_under_one_line(here: World) -> None:
    await here.post(here.mention, *TWO)
    await here.songs_done()
    [line] = here.said(here.channel)
    assert "2 pictures" in line.content
    [thread] = here.channel.threads
    assert thread.id == line.id
    assert thread.name == "Songs from 2 pictures"
    assert len(here.songs(thread)) == 2
    first, second = (message for message in here.said(thread) if "is ready" in message.content)
    assert [first.embeds[0].description, second.embeds[0].description] == ["Picture 1 of 2", "Picture 2 of 2"]
    assert {str(message.embeds[0].thumbnail.url).rpartition("/")[2] for message in (first, second)} == {
        "first.png",
        "second.png",
    }


async def test_no_two_messages_of_several_songs_share_a_nonce(here: World) -> None:
    # Else Discord would give back the first one instead of posting the second, in whatever channel.
    before = len(here.env.http_requests)
    await here.post(here.mention, *TWO, BROKEN)
    await here.songs_done()
    posts = [entry.json for entry in here.env.http_requests[before:] if entry.path.endswith("/messages")]
    nonces = [post["nonce"] for post in posts if isinstance(post, dict) and post.get("nonce")]
    assert len(nonces) >= 4
    assert len(set(nonces)) == len(nonces)
    assert all(len(str(nonce)) <= 25 for nonce in nonces)


async def test_two_pictures_in_a_korean_server_are_told_in_korean(bot: World) -> None:
    here = bot.corner(locale="ko")
    await here.post(here.mention, *TWO)
    await here.songs_done()
    assert "사진 2장을 각각 노래로" in here.said(here.channel)[0].content
    assert here.channel.threads[0].name == "사진 2장으로 만든 노래"
    assert len(here.songs()) == 2


async def test_each_song_of_several_is_cancelled_by_its_own_button(here: World) -> None:
    await here.post(here.mention, *TWO)
    [thread] = here.channel.threads
    # One song at a time is made for a member: the second one waits.
    second = here.said(thread)[1]
    await here.member.click(second, label="Cancel")
    await here.songs_done()
    assert len(here.songs()) == 1
    lines = [
        message for message in here.said(thread) if message.embeds and "Picture" in str(message.embeds[0].description)
    ]
    assert "is ready" in lines[0].content
    assert "Cancelled" in lines[1].content


async def test_a_broken_picture_among_several_does_not_lose_the_others(here: World) -> None:
    await here.post(here.mention, TWO[0], BROKEN, TWO[1])
    await here.songs_done()
    assert len(here.songs(here.channel.threads[0])) == 2
    assert [text for text in texts(here.said()) if text.startswith("Picture 2: More than a tenth of that picture")]


async def test_the_limit_ends_the_row_with_one_sentence_for_the_rest(here: World) -> None:
    await here.command()
    await here.songs_done()
    await here.post(here.mention, *TWO, *TWO)
    await here.songs_done()
    assert len(here.songs()) == 3
    [refusal] = [text for text in texts(here.said()) if text.startswith("Pictures 3 to 4: You have used all")]
    assert "<t:" in refusal


async def test_of_more_than_four_pictures_the_first_four_are_taken(here: World) -> None:
    await here.post(here.mention, BROKEN, BROKEN, BROKEN, BROKEN, PICTURE)
    await here.songs_done()
    line = here.said(here.channel)[0]
    assert line.embeds[0].description == "You sent 5 pictures. I will use the first 4."
    assert len([text for text in texts(here.said()) if text.startswith("Picture ")]) == 4
    assert here.songs() == []


@pytest.mark.parametrize("denied", ["create_public_threads", "send_messages_in_threads"])
async def test_where_threads_are_not_permitted_each_song_has_its_line_in_the_channel(bot: World, denied: str) -> None:
    here = bot.corner(denied=[denied])
    await here.post(here.mention, *TWO)
    await here.songs_done()
    assert len([text for text in texts(here.said(here.channel)) if "is ready" in text]) == 2
    assert len(here.songs(here.channel)) == 2


async def test_several_pictures_in_a_direct_message_are_answered_there(here: World) -> None:
    await here.dm("", *TWO)
    await here.songs_done()
    assert len(here.songs(here.dms)) == 2


async def test_several_pictures_that_discord_sends_twice_are_taken_once(here: World) -> None:
    message = await here.post(here.mention, *TWO)
    await here.emit("MESSAGE_CREATE", post_payload(here.env, message))
    await here.songs_done()
    assert len(here.songs()) == 2


async def test_a_mention_in_a_reply_means_the_other_s_picture(here: World) -> None:
    painter = here.guild.add_member(here.env.create_user("painter"))
    picture = await painter.send(here.channel, "my sunset", attachments=[PICTURE])
    await here.member.send(here.channel, f"{here.mention} something slow", reply_to=picture)
    await here.songs_done()
    assert len(here.songs()) == 1
    assert here.orders() == 1


async def test_two_members_may_ask_for_the_same_pictures(here: World) -> None:
    painter = here.guild.add_member(here.env.create_user("painter"))
    pictures = await painter.send(here.channel, "", attachments=TWO)
    for asker in (here.member, here.guild.add_member(here.env.create_user("asker"))):
        await asker.send(here.channel, here.mention, reply_to=pictures)
    await here.songs_done()
    assert len(here.songs()) == 4


async def test_a_replied_to_message_that_discord_does_not_send_along_is_fetched(here: World) -> None:
    picture = await here.post("", PICTURE)
    reply = await here.member.send(here.channel, here.mention, reply_to=picture)
    await here.songs_done()
    payload = post_payload(here.env, reply) | {"id": str(reply.id + 1)}
    payload.pop("referenced_message")
    await here.emit("MESSAGE_CREATE", payload)
    await here.songs_done()
    assert len(here.songs()) == 2


async def test_a_mention_in_a_reply_to_a_forwarded_picture_means_that(here: World) -> None:
    elsewhere = here.corner()
    forwarded = await here.member.forward(await elsewhere.post("", PICTURE), here.channel)
    await here.member.send(here.channel, here.mention, reply_to=forwarded)
    await here.songs_done()
    assert len(here.songs()) == 1


async def test_a_mention_in_a_reply_to_words_is_told_where_to_find_the_menu(here: World) -> None:
    words = await here.post("https://example.com/picture.png")
    await here.member.send(here.channel, here.mention, reply_to=words)
    assert "Apps > Melodify" in here.said()[0].content
    assert here.orders() == 0


async def test_the_menu_of_a_message_takes_its_pictures(here: World) -> None:
    pictures = await here.post("", *TWO)
    result = await here.member.context_menu(here.channel, "Melodify", pictures)
    assert result.acknowledged
    await here.songs_done()
    [thread] = here.channel.threads
    assert thread.id == here.said(here.channel)[0].id
    assert len(here.songs(thread)) == 2


async def test_the_order_remembers_whether_the_picture_may_be_somebody_else_s(here: World) -> None:
    painter, asker = (here.guild.add_member(here.env.create_user(name)) for name in ("painter", "asker"))
    theirs = await painter.send(here.channel, "", attachments=[PICTURE])
    mine = await here.post("", PICTURE)
    forwarded = await here.member.forward(theirs, here.channel)
    for picture in (mine, theirs, forwarded):
        await here.member.context_menu(here.channel, "Melodify", picture)
    await asker.send(here.channel, here.mention, reply_to=theirs)
    await asker.send(here.channel, here.mention, attachments=[PICTURE])
    await here.songs_done()

    def borrowed(user_id: int) -> list[bool]:
        query = "SELECT brief_order FROM usage WHERE user_id = ? ORDER BY created_at"
        with closing(here.database()) as database:
            return [json.loads(note)["place"]["borrowed"] for (note,) in database.execute(query, [user_id])]

    assert borrowed(here.member.id) == [False, True, True]
    assert borrowed(asker.id) == [True, False]


async def test_the_menu_may_be_used_twice_on_one_message(here: World) -> None:
    picture = await here.post("", PICTURE)
    for _ in range(2):
        await here.member.context_menu(here.channel, "Melodify", picture)
        await here.songs_done()
    assert len(here.songs()) == 2


async def test_the_menu_of_a_message_without_a_picture_says_so(here: World) -> None:
    words = await here.post("look: https://example.com/picture.png")
    result = await here.member.context_menu(here.channel, "Melodify", words)
    assert "no picture in that message" in answer_of(result)
    assert here.orders() == 0


async def test_the_menu_has_a_korean_name(bot: World) -> None:
    [menu] = [each for each in await bot.client.tree.fetch_commands() if each.type is discord.AppCommandType.message]
    assert menu.name_localizations[discord.Locale.korean] == "음악으로 만들기"


async def test_what_does_not_lie_on_discord_is_not_fetched(here: World) -> None:
    await post_with(here, url="https://example.com/picture.png")
    assert "uploaded to Discord" in here.said()[0].content
    assert here.orders() == 0


async def test_an_attachment_that_has_vanished_gets_a_sentence_and_costs_nothing(here: World) -> None:
    await post_with(here, url="https://cdn.simcord.invalid/attachments/1/1/vanished.png")
    assert "no longer there" in here.said()[0].content
    with closing(here.database()) as database:
        assert database.execute("SELECT count(*) FROM usage WHERE user_id = ?", (here.member.id,)).fetchone() == (0,)


async def test_who_sends_broken_pictures_again_and_again_has_to_wait(here: World) -> None:
    for number in range(7):
        await here.post(here.mention, BROKEN)
        await here.songs_done()
        said = texts(here.said(here.channel))[-1]
        assert said.startswith("Several of your pictures") == (number == 6)
    other = here.guild.add_member(here.env.create_user("somebody else"))
    message = await other.send(here.channel, here.mention, attachments=[PICTURE])
    await here.songs_done()
    assert message.id
    assert len(here.songs(here.channel.threads[-1])) == 1


async def test_a_member_s_pictures_do_not_keep_each_other_from_being_taken(here: World) -> None:
    for _ in range(3):
        await here.post(here.mention, PICTURE)
    await here.songs_done()
    assert sum(len(here.songs(thread)) for thread in here.channel.threads) == 3
