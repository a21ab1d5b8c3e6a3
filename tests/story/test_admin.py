"""Stories: a moderator rules over a server's channels, limits and members."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import discord
import pytest
from simcord import interactions as wire
from simcord.actors import MemberActor
from simcord.builders import ChannelHandle

from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import RoleLimits
from melodify_core.usage import guild_rules
from tests.stories import PICTURE, World, a_channel, answer_of, story_settings, world
from tests.story.forums import a_forum_post

ADMIN = "melodify-admin"


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    limits = {"songs_per_minute": 0, "songs_per_hour": 0, "songs_per_day": 5, "waiting_per_user": 0}
    work = {"drain_s": 10, "poll_s": 0.1, "jobs": 2}
    settings = story_settings(tmp_path_factory.mktemp("admin"), limits=limits, work=work)
    async with world(settings, pool) as here:
        yield here


@dataclass(slots=True)
class Court:
    """A server of its own with a moderator: what is set in it is no other story's."""

    here: World
    moderator: MemberActor

    async def rule(self, command: str, **options: Any) -> str:
        """Use a subcommand; return what the moderator, and nobody else, reads."""
        result = await self.moderator.slash(self.here.channel, f"{ADMIN} {command}", **options)
        assert result.ephemeral
        assert result.response is not None
        return result.response.content

    async def choices(self, command: str, option: str, typed: str = "") -> list[tuple[str, str]]:
        offered = await self.moderator.autocomplete(self.here.channel, f"{ADMIN} {command}", option, typed)
        return [(choice["name"], choice["value"]) for choice in offered]

    async def ask(self, member: MemberActor | None = None, channel: ChannelHandle | None = None) -> str:
        """Ask for a song; return the answer."""
        there = channel or self.here.channel
        result = await (member or self.here.member).slash(there, "melodify", image=PICTURE)
        await self.here.songs_done()
        if result.followups:
            return answer_of(result)
        assert result.response is not None
        return str(self.here.env.backend.get_message(there.id, result.response.id).content)


@pytest.fixture
def court(bot: World) -> Court:
    here = bot.corner(locale="en-GB")
    role = here.guild.create_role("moderators", permissions=discord.Permissions(manage_guild=True))
    return Court(here, here.guild.add_member(here.env.create_user("mod"), roles=[role]))


async def test_members_do_not_even_see_the_commands(court: Court) -> None:
    here = court.here
    offered = here.env.backend.visible_commands(user_id=here.member.id, channel_id=here.channel.id)
    assert ADMIN not in {command["name"] for command in offered}


async def test_a_watched_channel_makes_songs_until_it_is_watched_no_more(court: Court) -> None:
    here = court.here
    assert here.channel.mention in await court.rule("watch", channel=here.channel)
    await here.post("", PICTURE)
    await here.songs_done()
    assert len(here.songs()) == 1
    assert await court.choices("unwatch", "channel") == [(f"#{here.channel.name}", str(here.channel.id))]
    assert await court.choices("unwatch", "channel", "elsewhere") == []
    assert "no longer turn the pictures in" in await court.rule("unwatch", channel=str(here.channel.id))
    await here.post("", PICTURE)
    await here.songs_done()
    assert len(here.songs()) == 1
    assert "not watching" in await court.rule("unwatch", channel=str(here.channel.id))


async def test_a_channel_in_which_songs_cannot_be_posted_is_not_watched(court: Court) -> None:
    closed = a_channel(court.here.env, court.here.guild, ["attach_files"])
    assert "Attach Files" in await court.rule("watch", channel=closed)
    assert await court.choices("unwatch", "channel") == []


async def test_songs_are_denied_and_allowed_by_channel(court: Court) -> None:
    here = court.here
    other = a_channel(here.env, here.guild)
    await court.rule("channel", channel=here.channel, rule="deny")
    assert "not allowed in this channel" in await court.ask()
    await court.rule("channel", channel=other, rule="allow")
    assert "is ready" in await court.ask(channel=other)
    await court.rule("channel", channel=here.channel, rule="open")
    assert other.mention in await court.ask()
    await court.rule("channel", channel=other, rule="open")
    assert "is ready" in await court.ask()


async def test_what_contradicts_itself_is_refused_and_changes_nothing(court: Court) -> None:
    here = court.here
    await court.rule("channel", channel=here.channel, rule="deny")
    assert "Remove that rule first" in await court.rule("watch", channel=here.channel)
    await court.rule("channel", channel=here.channel, rule="open")
    await court.rule("watch", channel=here.channel)
    assert "Stop watching it first" in await court.rule("channel", channel=here.channel, rule="deny")
    role = here.guild.create_role("fans")
    assert "contradicts itself" in await court.rule("role", role=role, **{"per-hour": 9, "per-day": 3})
    assert "nothing to archive" in await court.rule("threads", on=False, archive=60)
    assert "block yourself" in await court.rule("block", member=court.moderator.user)
    assert "is not blocked" in await court.rule("unblock", member=str(here.member.id))
    for command, option in (("unwatch", "channel"), ("unblock", "member"), ("cancel", "song")):
        for typed in ("#general", "nobody 7"):
            answer = await court.rule(command, **{option: typed})
            assert "nothing that is called" in answer
            assert typed.strip("#") in answer
    assert "10 to 120 seconds" in await court.rule("defaults", length=7)
    assert "at least one cent" in await court.rule("limits", dollars=0.001)
    assert "`/melodify-admin export` shows what is set" in await court.rule("defaults")
    assert "Nothing to change" in await court.rule("limits")
    exported = await court.rule("export")
    assert "Denied" not in exported
    assert role.mention not in exported
    assert "Threads: yes" in exported


async def test_without_song_pages_no_start_page_can_show_songs(court: Court) -> None:
    here = court.here
    assert "has no website" in await court.rule("start-page", on=True)
    assert "start page: no" in await court.rule("start-page", on=False)
    result = await here.member.slash(here.channel, "melodify-me", **{"start-page": True})
    assert "has no website" in answer_of(result)
    assert not (await here.services.members.settings_of(here.member.id)).start_page


async def test_roles_have_limits_of_their_own_below_the_host_s(court: Court) -> None:
    here = court.here
    fans = here.guild.create_role("fans")
    fan = here.guild.add_member(here.env.create_user("fan"), roles=[fans])
    everyone = here.guild.default_role
    await court.rule("role", role=everyone, **{"per-day": 1})
    answer = await court.rule("role", role=fans, **{"per-day": 9})
    assert "9 per day" in answer
    assert "still apply" in answer
    assert "is ready" in await court.ask()
    assert "all your songs for today (1)" in await court.ask()
    assert "is ready" in await court.ask(fan)
    quota = await fan.slash(here.channel, "quota")
    # The host's five stay the ceiling.
    assert quota.response is not None
    assert "4 of 5" in quota.response.content
    assert "no longer has its own limits" in await court.rule("role", role=everyone)
    assert "is ready" in await court.ask()


async def test_the_server_has_a_limit_for_a_day(court: Court) -> None:
    answer = await court.rule("limits", songs=1, dollars=2.5)
    assert "whole server: 1" in answer
    assert "$2.50" in answer
    assert "is ready" in await court.ask()
    assert "This server has used all its songs for today (1)" in await court.ask(court.moderator)
    assert "whole server" not in await court.rule("limits", songs=0, dollars=0.0)
    assert "is ready" in await court.ask()


async def test_defaults_hold_where_a_member_leaves_it_open(court: Court) -> None:
    here = court.here
    await court.rule("defaults", style="chiptune", length=12, language="ko")
    await here.command()
    await here.songs_done()
    [song] = here.songs()
    assert "**칩튠** · " in str(song.embeds[0].description)
    with closing(here.database()) as database:
        query = "SELECT song FROM songs WHERE guild_id = ?"
        [(text,)] = database.execute(query, (here.guild.id,)).fetchall()
    wish = json.loads(text)["wish"]
    assert (wish["style"], wish["seconds"], wish["language"]) == ("chiptune", 12, "ko")
    assert "Style" not in await court.rule("defaults", style="auto", length=0, language="auto")


async def test_threads_are_switched_off_and_on(court: Court) -> None:
    here = court.here
    assert "without threads" in await court.rule("threads", on=False)
    await court.ask()
    assert here.channel.threads == []
    assert len(here.songs()) == 1
    assert "after an hour" in await court.rule("threads", on=True, archive=60)
    await court.ask()
    [thread] = here.channel.threads
    metadata = here.env.backend.channels[thread.id].thread_metadata
    assert metadata is not None
    assert metadata.auto_archive_duration == 60


async def test_a_blocked_member_has_no_songs_until_unblocked(court: Court) -> None:
    here = court.here
    await court.rule("block", member=here.member.user)
    assert "You cannot make songs here" in await court.ask()
    [(name, value)] = await court.choices("unblock", "member")
    assert here.member.user.name in name
    assert "can make songs again" in await court.rule("unblock", member=value)
    assert "is ready" in await court.ask()


async def test_a_quota_is_given_back(court: Court) -> None:
    here = court.here
    await court.rule("role", role=here.guild.default_role, **{"per-day": 1})
    await court.ask()
    assert "all your songs for today (1)" in await court.ask()
    assert "1 song back" in await court.rule("reset-quota", member=here.member.user)
    assert "is ready" in await court.ask()


async def test_an_open_song_is_cancelled_from_the_list(court: Court, bot: World) -> None:
    here = court.here
    for _ in range(5):
        await here.command(length=120)
    offered = await court.choices("cancel", "song", "waiting")
    assert offered
    assert all(str(here.channel.name) in name for name, _ in offered)
    await court.rule("cancel", song=offered[-1][1])
    assert offered[-1] not in await court.choices("cancel", "song")
    # What another server makes is none of this one's business.
    elsewhere = bot.corner(locale="ko")
    await elsewhere.command()
    [theirs] = await here.services.moderation.open_jobs(elsewhere.guild.id)
    assert "too late" in await court.rule("cancel", song=theirs.job_id)
    for _, value in await court.choices("cancel", "song"):
        await court.rule("cancel", song=value)
    await here.songs_done()
    cancelled = [message for message in here.said() if "There will be no song" in message.content]
    assert cancelled
    answer = await court.rule("status")
    assert "Waiting: 0" in answer
    assert "Nothing failed" in answer


async def test_the_day_is_told_with_what_failed(court: Court) -> None:
    here = court.here
    await court.ask()
    with closing(here.database()) as database:
        fail = "UPDATE usage SET state = 'refunded', outcome = 'provider.unavailable' WHERE guild_id = ?"
        database.execute(fail, (here.guild.id,))
        database.commit()
    await court.ask()
    answer = await court.rule("status")
    assert "Last 24 hours: 1 song, $0.00" in answer
    assert "Failed: 1 × `provider.unavailable`" in answer


async def test_the_day_tells_what_is_reserved_beside_what_was_spent(court: Court) -> None:
    here = court.here
    await court.ask()
    with closing(here.database()) as database:
        here_only = (here.guild.id,)
        job_id = database.execute("SELECT job_id FROM usage WHERE guild_id = ?", here_only).fetchone()[0]
        database.execute("UPDATE usage SET state = 'running', reserved = 0.10 WHERE job_id = ?", (job_id,))
        database.execute(
            "INSERT INTO costs (job_id, created_at, provider, model, dollars, input_tokens, output_tokens, request_id)"
            " VALUES (?, ?, 'vertex', 'm', 0.06, 0, 0, '')",
            (job_id, time.time()),
        )
        database.commit()
    try:
        assert "$0.06. Set aside for songs in progress: $0.04." in await court.rule("status")
    finally:
        with closing(here.database()) as database:
            database.execute("UPDATE usage SET state = 'refunded' WHERE job_id = ?", (job_id,))
            database.commit()


async def test_the_settings_leave_as_a_file(court: Court) -> None:
    here = court.here
    await court.rule("watch", channel=here.channel)
    result = await court.moderator.slash(here.channel, f"{ADMIN} export")
    assert result.response is not None
    [file] = result.response.attachments
    stored = json.loads(await file.read())
    assert stored["watched_channels"] == [here.channel.id]
    assert stored["threads"] is True


async def test_a_korean_moderator_reads_korean(court: Court) -> None:
    here = court.here
    offered = here.env.backend.visible_commands(user_id=court.moderator.id, channel_id=here.channel.id)
    root = next(command for command in offered if command["name"] == ADMIN)
    data = {"id": root["id"], "name": ADMIN, "type": 1, "options": [{"type": 1, "name": "status", "options": []}]}
    _, payload = wire.base_payload(
        here.env.backend,
        type=2,
        channel_id=here.channel.id,
        guild_id=here.guild.id,
        user_id=court.moderator.id,
        data=data,
    )
    await here.emit("INTERACTION_CREATE", payload | {"locale": "ko"})
    answer = here.env.backend.interactions[int(payload["id"])]
    assert answer.message_id
    assert "대기 중 0곡" in here.env.backend.get_message(here.channel.id, answer.message_id).content


async def test_what_is_set_survives_a_restart_and_an_absence(bot: World, court: Court) -> None:
    here = court.here
    await court.rule("block", member=here.member.user)
    await bot.restart(bot.services.settings)
    here.client = bot.client
    assert "You cannot make songs here" in await court.ask()
    guild = here.env.backend.guilds[here.guild.id]
    await here.emit("GUILD_DELETE", {"id": str(here.guild.id)})
    moderation, guilds = here.services.moderation, here.services.guilds
    assert here.guild.id not in guilds.present()
    assert guild is not None
    assert await moderation.erase_left_servers(0.0) == 0
    assert guilds.settings_of(here.guild.id).blocked_users
    assert await moderation.erase_left_servers(4e9) == 1
    assert not guilds.settings_of(here.guild.id).blocked_users


async def test_pictures_in_a_forum_s_posts_are_taken_when_the_forum_is_watched(court: Court) -> None:
    here = court.here
    post = a_forum_post(here)
    forum = here.guild.channels["pictures"]
    await court.rule("watch", channel=forum)
    await here.post("", PICTURE, channel=post)
    await here.songs_done()
    assert len(here.songs(post)) == 1


async def test_a_server_with_many_rules_is_answered_too(court: Court) -> None:
    here, ids = court.here, range(10**18, 10**18 + 40)
    many: dict[str, Any] = {
        "watched_channels": frozenset(ids),
        "allowed_channels": frozenset(number + 100 for number in ids),
        "denied_channels": frozenset(number + 200 for number in ids),
        "roles": {str(number): RoleLimits(songs_per_hour=10, songs_per_day=50) for number in ids},
    }
    here.services.guilds.change(here.guild.id, guild_rules.changed(**many), time.time())
    answer = await court.rule("notify", on=True)
    assert "<#1000000000000000000>" in answer
    assert answer.count("… (40)") == 4
    assert "<#1000000000000000000>" in await court.rule("export")
