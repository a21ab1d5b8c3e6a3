"""Stories: buttons pressed twice, all at once, by the wrong member, across a restart, on songs of old versions."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import discord
import pytest
from simcord.results import InteractionResult, ResponseMessage

from bot.requests.edit_form import changed
from melodify_core.errors import Rejected
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Wish
from tests.stories import SONG_S, World, story_settings, world
from tests.story.pressing import a_press, button, files_of, job_of, labels_of, only, press


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    limits = {"songs_per_minute": 0, "songs_per_hour": 2, "waiting_per_user": 0}
    async with world(story_settings(tmp_path_factory.mktemp("slips"), limits=limits), pool) as here:
        yield here


@pytest.fixture
async def here(bot: World) -> World:
    """A corner with one song in it."""
    return await with_song(bot)


async def with_song(bot: World, locale: str | None = None) -> World:
    here = bot.corner(locale=locale)
    here.client = bot.client
    await here.command()
    await here.songs_done()
    return here


async def restarted(bot: World, here: World) -> None:
    await bot.restart(bot.services.settings)
    here.client = bot.client


async def said(result: InteractionResult) -> ResponseMessage:
    """Return the answer; what is read for it in threads the simulator does not wait for."""
    await until(lambda: bool(result.response and (result.response.content or result.response.embeds)))
    assert result.response is not None
    return result.response


async def answer_to(result: InteractionResult) -> ResponseMessage:
    """Return the one thing that was said, which is for the presser alone."""
    await until(lambda: bool(result.followups or (result.response and result.response.content)))
    return only(result)


async def until(happens: Callable[[], bool]) -> None:
    async with asyncio.timeout(SONG_S):
        while not happens():
            await asyncio.sleep(0.05)


async def test_a_press_that_discord_sends_twice_is_one_take(here: World) -> None:
    [song] = here.songs()
    said = len(here.said())
    payload, _ = a_press(here, here.member, song, button("another", song))
    await here.emit("INTERACTION_CREATE", payload, payload)
    await until(lambda: here.orders() == 2)
    await here.songs_done()
    assert here.orders() == 2
    assert len(here.said()) == said + 2  # one status, one song


async def test_past_the_limit_there_is_a_sentence_for_the_presser_and_nothing_else(here: World) -> None:
    await here.command()
    await here.songs_done()
    said = len(here.said())
    refusal = only(await here.member.click(here.songs()[0], custom_id=button("another", here.songs()[0])))
    assert "this hour (2)" in refusal.content
    assert here.orders() == 2
    assert len(here.said()) == said


async def test_a_take_stays_in_the_first_song_s_thread(here: World) -> None:
    [song] = here.songs()
    await here.member.click(song, custom_id=button("another", song))
    await here.songs_done()
    assert [message.channel.id for message in here.songs()] == [song.channel.id] * 2
    assert len(here.channel.threads) == 1


async def test_a_song_whose_deletion_is_confirmed_twice_is_deleted_once(here: World) -> None:
    [song] = here.songs()
    asked = only(await press(here, here.member, song, button("delete", song)))
    presses = [a_press(here, here.member, asked.message, button("erase", song)) for _ in range(2)]
    for payload, _ in presses:
        await here.emit("INTERACTION_CREATE", payload)
        await until(lambda: here.songs() == [])
    await until(lambda: bool(presses[1][1].followups))
    assert "no longer there" in only(presses[1][1]).content
    assert here.songs() == []


async def test_with_the_song_all_that_names_it_goes_and_what_members_wrote_stays(here: World) -> None:
    [song] = here.songs()
    other = here.guild.add_member(here.env.create_user("viewer"))
    for member in (here.member, other):
        await member.click(song, custom_id=button("video", song))
    await other.send(here.channel.threads[0], "nice")
    assert len(here.said(here.channel.threads[0])) == 2
    asked = only(await press(here, here.member, song, button("delete", song)))
    await here.member.click(asked, label="Yes, delete it")
    assert here.said(here.channel.threads[0]) == []
    assert files_of(here, job_of(song)) == []
    assert [message.content for message in here.channel.threads[0].history() if not message.is_system()] == ["nice"]
    assert here.said(here.channel) == []  # the status message
    thread = here.client.get_channel(here.channel.threads[0].id)
    assert isinstance(thread, discord.Thread)
    assert thread.name == "Songs"


async def test_what_cannot_be_deleted_is_named_with_its_channel(here: World) -> None:
    [song] = here.songs()
    asked = only(await press(here, here.member, song, button("delete", song)))
    here.env.inject_error("DELETE", f"/channels/{song.channel.id}/messages/*", status=403, times=9)
    await here.member.click(asked, label="Yes, delete it")
    answer = here.env.backend.get_message(asked.message.channel.id, asked.message.id)
    assert f"I could not delete everything in <#{song.channel.id}>" in answer.content


async def test_a_song_deleted_while_its_video_is_made_leaves_no_video(here: World) -> None:
    takes = here.services.songs
    job_id = job_of(here.songs()[0])
    entry = await takes.entry(job_id, here.member.id)
    film = asyncio.create_task(takes.video(entry, 10 << 20))
    while not takes._rendering:
        await asyncio.sleep(0)
    await takes.delete(entry)
    with pytest.raises(Rejected, match=r"song\.(gone|picture_gone)"):
        await film
    assert files_of(here, job_id) == []


def videos_of(here: World) -> list[discord.Message]:
    """Return the messages with a video that everybody sees."""
    return [
        message
        for place in (here.channel, *here.channel.threads)
        for message in here.said(place)
        if any(file.filename.endswith(".mp4") for file in message.attachments)
    ]


async def test_why_there_is_no_video_only_the_presser_learns(here: World) -> None:
    [song] = here.songs()
    entry = await here.services.songs.entry(job_of(song), here.member.id)
    await here.services.storage.delete(entry.song.picture_key)
    before = [message.id for place in (here.channel, *here.channel.threads) for message in here.said(place)]
    answer = await answer_to(await press(here, here.member, song, button("video", song)))
    assert "no longer stored" in answer.content
    assert [message.id for place in (here.channel, *here.channel.threads) for message in here.said(place)] == before


async def test_a_video_is_posted_once_and_others_are_led_to_it_while_it_stands(here: World) -> None:
    [song] = here.songs()
    presses = [a_press(here, here.member, song, button("video", song)) for _ in range(2)]
    await here.emit("INTERACTION_CREATE", *(payload for payload, _ in presses))
    await until(lambda: any(result.response and "posted already" in result.response.content for _, result in presses))
    [video] = videos_of(here)
    assert job_of(song) not in video.content.removesuffix(song.jump_url)
    again = await answer_to(await press(here, here.member, song, button("video", song)))
    assert video.jump_url in again.content
    assert len(videos_of(here)) == 1
    await video.delete()
    await press(here, here.member, song, button("video", song))
    await until(lambda: len(videos_of(here)) == 1)


async def test_of_a_song_that_is_deleted_while_its_video_is_posted_nothing_stays(here: World) -> None:
    [song] = here.songs()
    asked = only(await press(here, here.member, song, button("delete", song)))
    video, answered = a_press(here, here.member, song, button("video", song))
    erase, _ = a_press(here, here.member, asked.message, button("erase", song))
    await here.emit("INTERACTION_CREATE", video, erase)
    await until(lambda: here.songs() == [])
    await answer_to(answered)  # it depends on the moment which of its files is missed first
    assert videos_of(here) == []
    assert files_of(here, job_of(song)) == []


async def test_a_form_that_was_open_over_a_restart_is_taken(bot: World, here: World) -> None:
    [song] = here.songs()
    form = await here.member.click(song, custom_id=button("change", song))
    await restarted(bot, here)
    await here.member.submit_modal(form, {"hint": "rain", "style": ["piano"], "seconds": "120"})
    await here.songs_done()
    entry = await here.services.songs.entry(job_of(here.songs()[1]), here.member.id)
    assert entry.song.wish is not None
    assert (entry.song.wish.hint, entry.song.wish.style, entry.song.wish.seconds) == ("rain", "piano", 120)
    assert entry.song.parent_id == job_of(song)


async def test_a_length_that_no_song_has_is_refused_and_orders_nothing(here: World) -> None:
    [song] = here.songs()
    for seconds in ("500", "121", "9", "abc", "-20", "²"):
        form = await here.member.click(song, custom_id=button("change", song))
        result = await here.member.submit_modal(form, {"hint": "rain", "style": ["piano"], "seconds": seconds})
        assert "10 to 120 seconds long" in only(result).content
    assert here.orders() == 1


async def test_a_refused_form_can_be_opened_again_with_what_was_typed(bot: World, here: World) -> None:
    [song] = here.songs()
    form = await here.member.click(song, custom_id=button("change", song))
    typed = {"hint": "||rain|| & *stars*", "style": ["piano"], "seconds": "1:3O"}
    refused = only(await here.member.submit_modal(form, typed))
    assert "45 s or 1:30" in refused.content
    await restarted(bot, here)
    again = await here.member.click(refused, label="📝 Open the form again")
    assert again.modal is not None
    fields = {label["component"]["custom_id"]: label["component"] for label in again.modal["components"]}
    assert (fields["hint"]["value"], fields["seconds"]["value"]) == ("||rain|| & *stars*", "1:3O")
    assert [option["value"] for option in fields["style"]["options"] if option.get("default")] == ["piano"]


@pytest.mark.parametrize(
    ("typed", "seconds"), [("1:30", 90), ("30s", 30), ("45 S", 45), ("1분 30초", 90), ("2 min", 120), ("1m5", 65)]
)
def test_a_length_may_be_written_as_people_write_it(typed: str, seconds: int) -> None:
    assert changed(Wish(), {"seconds": typed}).seconds == seconds


async def test_who_has_no_song_left_fills_in_no_form_for_nothing(here: World) -> None:
    await here.command()
    await here.songs_done()
    [song, _] = here.songs()
    refused = await here.member.click(song, custom_id=button("change", song))
    assert refused.modal is None
    assert "this hour (2)" in only(refused).content


async def test_a_form_for_a_song_that_was_deleted_meanwhile_orders_nothing(here: World) -> None:
    [song] = here.songs()
    form = await here.member.click(song, custom_id=button("change", song))
    await here.services.songs.delete(await here.services.songs.entry(job_of(song), here.member.id))
    result = await here.member.submit_modal(form, {"style": ["piano"], "seconds": "20"})
    assert "no longer there" in only(result).content
    assert here.orders() == 1


async def test_likes_of_many_at_once_are_all_counted_with_few_edits(here: World) -> None:
    [song] = here.songs()
    fans = [here.guild.add_member(here.env.create_user(f"fan{number}")) for number in range(12)]
    await here.env.settle()
    before = len(here.env.http_requests)
    await here.emit("INTERACTION_CREATE", *(a_press(here, fan, song, button("like", song))[0] for fan in fans))
    await until(lambda: "♥ Like · 12" in labels_of(here.songs()[0]))
    edits = [entry for entry in here.env.http_requests[before:] if entry.method == "PATCH"]
    assert len(edits) < len(fans)


@pytest.mark.parametrize("kind", ["another", "video", "details", "like", "delete"])
async def test_a_private_song_answers_nobody_but_its_asker(bot: World, here: World, kind: str) -> None:
    secret = bot.corner()
    secret.client = bot.client
    await secret.command(private=True)
    await secret.songs_done()
    [song] = secret.songs(secret.dms)
    payload, result = a_press(here, here.member, here.songs()[0], button(kind, song))
    # Discord offers no such button; a member who invents one is answered like others.
    message = json.dumps(payload["message"]).replace(job_of(here.songs()[0]), job_of(song))
    await here.emit("INTERACTION_CREATE", payload | {"message": json.loads(message)})
    assert "private" in (await answer_to(result)).content
    assert here.orders() == 1


async def test_in_a_korean_server_every_button_answers_in_korean(bot: World) -> None:
    here = await with_song(bot, locale="ko")
    [song] = here.songs()
    details = await said(await press(here, here.member, song, button("details", song), "ko"))
    assert "시드" in [field.name for field in details.embeds[0].fields]
    pressed = await press(here, here.member, song, button("video", song), "ko")
    await until(lambda: bool(pressed.followups))
    assert pressed.followups[0].content.startswith(f"🎬 **{song.embeds[0].title}** 동영상이에요")
    form = await press(here, here.member, song, button("change", song), "ko")
    await until(lambda: form.modal is not None)
    assert form.modal is not None
    assert form.modal["title"] == "노래 바꿔 만들기"
    await press(here, here.member, song, button("like", song), "ko")
    await until(lambda: "♥ 좋아요 · 1" in labels_of(here.songs()[0]))
    await press(here, here.member, song, button("another", song), "ko")
    await until(lambda: here.orders() == 2)
    await here.songs_done()
    assert "의 다른 버전" in str(here.songs()[1].embeds[0].description)
    asked = await answer_to(await press(here, here.member, song, button("delete", song), "ko"))
    assert "삭제할까요" in asked.content
    await press(here, here.member, asked.message, button("erase", song), "ko")
    await until(lambda: len(here.songs()) == 1)
    assert job_of(here.songs()[0]) != job_of(song)
