"""Stories: members who have installed Melodify for themselves use it where the bot is not, through the interaction."""

import logging
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import discord
import pytest
from simcord import interactions as wire
from simcord.builders import ChannelHandle
from simcord.enums import ChannelType

from melodify_core.media.worker_pool import WorkerPool
from tests.stories import (
    PICTURE,
    World,
    a_picture,
    audio_of,
    command_of,
    command_payload,
    post_payload,
    seconds_of,
    story_settings,
    world,
)

TWO = (("first.png", a_picture("gold")), ("second.png", a_picture("teal")))
MENU = 3


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with world(story_settings(tmp_path_factory.mktemp("installed")), pool) as here:
        yield here


@dataclass(slots=True)
class Abroad:
    """A channel where the bot is not, and a member there who has installed it."""

    here: World
    owners: dict[str, str]
    context: int = 0

    async def command(self, locale: str = "en-US", **options: Any) -> str:
        """Use /melodify; return the interaction's token."""
        payload = command_payload(
            self.here.env, self.here.member, self.here.channel, {"image": PICTURE} | options, locale=locale
        )
        return await self.send(payload)

    async def send(self, payload: dict[str, Any]) -> str:
        abroad = {"authorizing_integration_owners": self.owners, "context": self.context, "app_permissions": "0"}
        await self.here.emit("INTERACTION_CREATE", payload | abroad)
        return str(payload["token"])

    def answers(self, channel: ChannelHandle | None = None) -> list[discord.Message]:
        return self.here.said(channel or self.here.channel)


@pytest.fixture
async def abroad(bot: World) -> Abroad:
    """Return a server that has not installed the bot: its gateway does not know it, its channels are closed to it."""
    here = bot.corner(locale="ko")
    await here.env.settle()
    await here.emit("GUILD_DELETE", {"id": str(here.guild.id)})
    for path in (f"/channels/{here.channel.id}", f"/channels/{here.channel.id}/*"):
        here.env.inject_error("*", path, status=403, code=50001, times=None)
    return Abroad(here, {"1": str(here.member.id)})


def expire(here: World, token: str) -> None:
    """Let the interaction's fifteen minutes pass for this one."""
    here.env.backend.interaction_by_token(token).expires_at = "2000-01-01T00:00:00+00:00"


async def test_the_status_becomes_the_song_without_a_thread(abroad: Abroad) -> None:
    await abroad.command(length=10)
    await abroad.here.songs_done()
    [song] = abroad.answers()
    assert await seconds_of(song) > 1
    assert song.embeds[0].title
    assert song.content == f"<@{abroad.here.member.id}> 님의 요청" or song.content.startswith("For <@")
    assert "cancel" not in str(song.components).lower()
    assert "another:" in str(song.components)
    assert abroad.here.channel.threads == []
    assert abroad.here.said(abroad.here.dms) == []


async def test_the_status_follows_the_song_through_the_interaction(abroad: Abroad) -> None:
    token = await abroad.command()
    assert abroad.answers()[0].components
    await abroad.here.songs_done()
    edits = [
        entry.json["content"]
        for entry in abroad.here.env.http_requests
        if entry.method == "PATCH" and token in entry.path and isinstance(entry.json, dict) and entry.json["content"]
    ]
    assert {"🎼", "🎚"} <= {edit[0] for edit in edits}


async def test_the_answer_is_in_the_asker_s_language(abroad: Abroad) -> None:
    await abroad.command(locale="en-GB")
    await abroad.here.songs_done()
    assert abroad.answers()[0].content == f"For <@{abroad.here.member.id}>"


async def test_a_korean_asker_reads_korean(abroad: Abroad) -> None:
    await abroad.command(locale="ko", image=("picture.png", b"no picture"))
    [refusal] = abroad.here.whispered()
    assert "사진이 아닌 것 같아요" in refusal
    assert abroad.answers() == []


async def test_private_is_for_the_asker_s_eyes_only(abroad: Abroad) -> None:
    here = abroad.here
    await abroad.command(private=True)
    await here.songs_done()
    assert abroad.answers() == []
    [song] = here.channel.history(viewer=here.member)
    assert audio_of(song)
    assert song.flags.ephemeral
    assert here.said(here.dms) == []


async def test_the_menu_takes_several_pictures_and_each_has_its_answer(abroad: Abroad) -> None:
    here = abroad.here
    pictures = await here.post("", *TWO)
    root = here.env.backend.find_command("Melodify", None, type=MENU)
    assert root is not None
    data = {"id": root["id"], "name": "Melodify", "type": MENU, "target_id": str(pictures.id)}
    data["resolved"] = {"messages": {str(pictures.id): post_payload(here.env, pictures)}}
    _, payload = wire.base_payload(
        here.env.backend,
        type=2,
        channel_id=here.channel.id,
        guild_id=here.guild.id,
        user_id=here.member.id,
        data=data,
    )
    await abroad.send(payload)
    await here.songs_done()
    assert [bool(audio_of(message)) for message in abroad.answers()] == [True, True]
    assert here.channel.threads == []


async def test_the_song_is_cancelled_where_the_bot_is_not(abroad: Abroad) -> None:
    here = abroad.here
    for _ in range(2):
        await abroad.command(length=120)
    waiting = abroad.answers()[1]
    await here.member.click(waiting, label="Cancel")
    # It may have begun by now: then its end says so.
    await here.songs_done()
    assert "Cancelled" in abroad.answers()[1].content
    assert abroad.answers()[1].components == []
    assert len(here.songs(here.channel)) == 1


@pytest.mark.parametrize(
    "owners", [{"1": "the asker"}, {"0": "the server"}], ids=["a member's", "the server's commands"]
)
async def test_another_member_s_take_comes_where_the_bot_is_not(abroad: Abroad, owners: dict[str, str]) -> None:
    here = abroad.here
    await abroad.command(length=10)
    await here.songs_done()
    other = here.guild.add_member(here.env.create_user("visitor"))
    ids = {"the asker": str(here.member.id), "the server": str(here.guild.id)}
    data = {"custom_id": custom_id_of(abroad.answers()[0], "another:"), "component_type": 2}
    _, payload = wire.base_payload(
        here.env.backend, type=3, channel_id=here.channel.id, guild_id=here.guild.id, user_id=other.id, data=data
    )
    payload |= {"message": post_payload(here.env, abroad.answers()[0])}
    await Abroad(here, {kind: ids[owner] for kind, owner in owners.items()}).send(payload)
    await here.songs_done()
    assert [bool(audio_of(message)) for message in abroad.answers()] == [True, True]


def custom_id_of(message: discord.Message, word: str) -> str:
    found = [str(part.custom_id) for row in message.components for part in getattr(row, "children", [])]
    return next(name for name in found if word in name)


async def test_after_a_quarter_of_an_hour_the_song_comes_as_a_direct_message(abroad: Abroad) -> None:
    expire(abroad.here, await abroad.command(locale="ko"))
    await abroad.here.songs_done()
    [song] = abroad.here.songs(abroad.here.dms)
    assert "요청한 곳에 올릴 수 없어서" in song.content
    assert not audio_of(abroad.answers()[0])


async def test_a_dead_token_counts_as_gone_however_discord_says_it(abroad: Abroad) -> None:
    token = await abroad.command()
    abroad.here.env.inject_error("PATCH", f"/webhooks/*/{token}/*", status=401, code=50027, times=None)
    await abroad.here.songs_done()
    assert len(abroad.here.songs(abroad.here.dms)) == 1


async def test_where_not_even_a_direct_message_arrives_the_song_is_in_the_list(abroad: Abroad) -> None:
    here = abroad.here
    expire(here, await abroad.command())
    here.env.inject_error("POST", "/users/@me/channels", status=403, code=50007)
    await here.songs_done()
    page = await here.services.members.own_songs(here.member.id, "newest", 0)
    assert [(entry.channel_id, entry.message_id) for entry in page.entries] == [(0, 0)]


async def test_an_apology_after_the_token_s_death_comes_as_a_direct_message(abroad: Abroad) -> None:
    here = abroad.here
    token = await abroad.command(length=120)
    await here.until("🎼")
    expire(here, token)
    await here.studio.cancel(str(max(here.env.backend.interactions)), here.member.id)
    await here.songs_done()
    assert ["Cancelled" in message.content for message in here.said(here.dms)] == [True]


async def test_in_a_conversation_between_members_the_song_is_posted_through_the_interaction(bot: World) -> None:
    here = bot.corner()
    backend = here.env.backend
    group = backend.create_channel(None, None, type=3)  # a group of direct messages
    group.recipient_ids = [here.member.id]
    root = command_of(here.env, here.member, here.channel, "melodify")
    options, resolved = wire.build_options(here.member, "melodify", root, {"image": PICTURE}, channel_id=group.id)
    data = {"id": root["id"], "name": "melodify", "type": 1, "options": options, "resolved": resolved}
    _, payload = wire.base_payload(
        backend, type=2, channel_id=group.id, guild_id=None, user_id=here.member.id, data=data
    )
    here.env.inject_error("*", f"/channels/{group.id}/*", status=403, code=50001, times=None)
    abroad = Abroad(here, {"1": str(here.member.id)}, context=2)
    await abroad.send(payload | {"channel": {"id": str(group.id), "type": int(ChannelType.DM) + 2, "name": None}})
    await here.songs_done()
    handle = ChannelHandle(here.env, None, group)
    assert [bool(audio_of(message)) for message in abroad.answers(handle)] == [True]


async def test_the_token_stands_in_no_log_line(abroad: Abroad, caplog: pytest.LogCaptureFixture) -> None:
    # The libraries' own debug lines are not ours; that they are redacted, test_logs.py sees.
    caplog.set_level(logging.DEBUG, "bot")
    caplog.set_level(logging.DEBUG, "melodify_core")
    token = await abroad.command()
    abroad.here.env.inject_error("PATCH", f"/webhooks/*/{token}/*", status=404, code=10015, times=None)
    await abroad.here.songs_done()
    assert caplog.records
    assert not [record for record in caplog.records if token in caplog.handler.format(record)]


async def test_a_database_that_breaks_tells_no_token_either(
    bot: World, abroad: Abroad, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(abroad.here.database()) as database:
        database.execute("CREATE TRIGGER full BEFORE INSERT ON usage BEGIN SELECT RAISE(ABORT, 'disk full'); END")
    try:
        token = await abroad.command()
    finally:
        with closing(abroad.here.database()) as database:
            database.execute("DROP TRIGGER full")
    assert "disk full" in caplog.text
    assert not [record for record in caplog.records if token in caplog.handler.format(record)]
    bot.errors_before = bot.env.error_cursor
