"""/melodify-admin: the commands and their answers, which only the moderator sees.

The rules for settings are in melodify_core/usage/guild_rules.py, the actions in melodify_core/services/moderation.py.
"""

import asyncio
import io
import json
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import discord
from discord import app_commands
from discord.ext import commands

from bot.admin.formatting import describe, job_choices, member_choices, number_in, status_text, watched_choices
from bot.discord_api import permissions
from bot.discord_api.ephemeral import answer_ephemerally
from bot.i18n.messages import LANGUAGES, say
from bot.i18n.style_names import offered_styles
from bot.i18n.translator import language_of, localised
from bot.interaction import Bot, Interaction
from melodify_core.bootstrap import Services
from melodify_core.brief import MOST_SECONDS
from melodify_core.errors import Rejected
from melodify_core.models import Language, RoleLimits
from melodify_core.usage import guild_rules
from melodify_core.usage.guild_rules import Edit

log = logging.getLogger(__name__)
ARCHIVE_MINUTES = (60, 1440, 4320, 10080)  # the choices that Discord has
RULES = {"allow": guild_rules.allow, "deny": guild_rules.deny, "open": guild_rules.leave_open}
MOST_SONGS = 10_000
MOST_DOLLARS = 10_000.0
MENTION = " <#@!>"
FILE = "melodify-settings.json"
Watchable = discord.TextChannel | discord.VoiceChannel | discord.StageChannel | discord.ForumChannel | discord.Thread
Songs = app_commands.Range[int, 1, MOST_SONGS] | None
Choices = list[app_commands.Choice[str]]


class Admin(commands.Cog):
    """The moderators' commands."""

    def __init__(self, client: Bot, services: Services) -> None:
        self._client = client
        self._moderation = services.moderation
        self._guilds = services.guilds
        self._settings = services.settings
        self._group = app_commands.Group(
            name=localised("command.admin.name"),
            description=localised("command.admin.description"),
            guild_only=True,
            default_permissions=discord.Permissions(manage_guild=True),
            allowed_installs=app_commands.AppInstallationType(guild=True, user=False),
        )

    async def cog_load(self) -> None:
        """Add the commands to the tree."""
        self._define_channels()
        self._define_limits()
        self._define_defaults()
        self._define_posts()
        self._define_members()
        self._define_overviews()
        self._client.tree.add_command(self._group)

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """Note when the bot was removed: the settings are kept for some time."""
        await asyncio.to_thread(self._guilds.leave, guild.id, time.time())

    @commands.Cog.listener()
    async def on_guild_join(self, guild: discord.Guild) -> None:
        """Put the settings of an earlier stay into effect again."""
        await asyncio.to_thread(self._guilds.come_back, guild.id)

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Find the servers that removed the bot while it was offline."""
        shards = self._client.shards
        for guild_id in await asyncio.to_thread(self._guilds.present):
            # The servers of other shards belong to other processes.
            ours = (guild_id >> 22) % (self._client.shard_count or 1) in shards
            if ours and self._client.get_guild(guild_id) is None:
                await asyncio.to_thread(self._guilds.leave, guild_id, time.time())

    def _define_channels(self) -> None:
        rule_choices = [app_commands.Choice(name=localised(f"admin.rule.{rule}"), value=rule) for rule in RULES]

        @_subcommand(self._group, "watch", "channel")
        async def watch(interaction: Interaction, channel: Watchable) -> None:
            await self._change(interaction, lambda: self._watch(interaction, channel), "watching", channel.mention)

        @_subcommand(self._group, "unwatch", "watched")
        @app_commands.autocomplete(watched=self._watched_channels)
        async def unwatch(interaction: Interaction, watched: str) -> None:
            name = f"<#{watched.strip(MENTION)}>"
            await self._change(interaction, lambda: guild_rules.unwatch(number_in(watched)), "unwatched", name)

        @_subcommand(self._group, "channel", "channel", "rule")
        @app_commands.choices(rule=rule_choices)
        async def channel_rule(interaction: Interaction, channel: Watchable, rule: str) -> None:
            await self._change(interaction, lambda: RULES[rule](channel.id), f"channel_{rule}", channel.mention)

    def _define_limits(self) -> None:
        @_subcommand(self._group, "role", "role", "per_minute", "per_hour", "per_day", "at_once")
        async def role_limits(
            interaction: Interaction,
            role: discord.Role,
            per_minute: Songs = None,
            per_hour: Songs = None,
            per_day: Songs = None,
            at_once: Songs = None,
        ) -> None:
            limits = RoleLimits(
                songs_per_minute=per_minute, songs_per_hour=per_hour, songs_per_day=per_day, waiting_per_user=at_once
            )
            done = "role_free" if limits == guild_rules.NO_LIMITS else "role_limited"
            await self._change(interaction, lambda: guild_rules.limit_role(role.id, limits), done, role.mention)

        @_subcommand(self._group, "limits", "songs", "dollars")
        async def server_limits(
            interaction: Interaction,
            songs: app_commands.Range[int, 0, MOST_SONGS] | None = None,
            dollars: app_commands.Range[float, 0.0, MOST_DOLLARS] | None = None,
        ) -> None:
            await self._change(interaction, lambda: guild_rules.limit_server(songs, dollars), "limited")

    def _define_defaults(self) -> None:
        styles = [app_commands.Choice(name=localised(f"style.{style}"), value=style) for style in offered_styles()]
        languages = [
            app_commands.Choice(name=localised(f"admin.language.{name}"), value=name) for name in ("auto", *LANGUAGES)
        ]

        @_subcommand(self._group, "defaults", "style", "default_length", "language")
        @app_commands.choices(style=styles, language=languages)
        async def defaults(
            interaction: Interaction,
            style: str | None = None,
            default_length: app_commands.Range[int, 0, MOST_SECONDS] | None = None,
            language: str | None = None,
        ) -> None:
            edit = partial(guild_rules.set_defaults, style=style, seconds=default_length, language=language)
            await self._change(interaction, edit, "defaults")

    def _define_posts(self) -> None:
        archives = [
            app_commands.Choice(name=localised(f"admin.archive.{minutes}"), value=minutes)
            for minutes in ARCHIVE_MINUTES
        ]
        policies = [
            app_commands.Choice(name=localised(f"admin.nsfw.{policy}"), value=policy)
            for policy in ("never", "age_restricted")
        ]

        @_subcommand(self._group, "threads", "on", "archive")
        @app_commands.choices(archive=archives)
        async def threads(interaction: Interaction, on: bool, archive: int | None = None) -> None:
            done = "threads_on" if on else "threads_off"
            await self._change(interaction, lambda: guild_rules.set_threads(on=on, archive_minutes=archive), done)

        @_subcommand(self._group, "notify", "notifies")
        async def notify(interaction: Interaction, notifies: bool) -> None:
            done = "notify_on" if notifies else "notify_off"
            await self._change(interaction, lambda: guild_rules.changed(notify=notifies), done)

        @_subcommand(self._group, "start_page", "shows")
        async def start_page(interaction: Interaction, shows: bool) -> None:
            done = "start_page_on" if shows else "start_page_off"
            await self._change(interaction, lambda: self._show(on=shows), done)

        @_subcommand(self._group, "nsfw", "policy")
        @app_commands.choices(policy=policies)
        async def nsfw(interaction: Interaction, policy: str) -> None:
            await self._change(interaction, lambda: guild_rules.changed(nsfw=policy), f"nsfw_{policy}")

    def _define_members(self) -> None:
        @_subcommand(self._group, "block", "member")
        async def block(interaction: Interaction, member: discord.User) -> None:
            await self._change(
                interaction, lambda: guild_rules.block(member.id, interaction.user.id), "blocked", member.mention
            )

        @_subcommand(self._group, "unblock", "blocked")
        @app_commands.autocomplete(blocked=self._blocked_members)
        async def unblock(interaction: Interaction, blocked: str) -> None:
            name = f"<@{blocked.strip(MENTION)}>"
            await self._change(interaction, lambda: guild_rules.unblock(number_in(blocked)), "unblocked", name)

        @_subcommand(self._group, "reset_quota", "member")
        async def reset_quota(interaction: Interaction, member: discord.User) -> None:
            async def answer(interaction: Interaction, language: Language) -> None:
                songs = await self._moderation.reset_quota(member.id, _server(interaction))
                _log_change(interaction, f"gave {songs} songs back to {member.id}")
                text = say(language, "admin.reset", name=member.mention, songs=songs)
                await interaction.edit_original_response(content=text)

            await answer_ephemerally(interaction, answer)

        @_subcommand(self._group, "cancel", "song")
        @app_commands.autocomplete(song=self._open_songs)
        async def cancel(interaction: Interaction, song: str) -> None:
            async def answer(interaction: Interaction, language: Language) -> None:
                job_id = str(number_in(song))
                await self._moderation.cancel(_server(interaction), job_id)
                _log_change(interaction, f"cancelled job {job_id}")
                await interaction.edit_original_response(content=say(language, "answer.cancelling"))

            await answer_ephemerally(interaction, answer)

    def _define_overviews(self) -> None:
        @_subcommand(self._group, "status")
        async def status(interaction: Interaction) -> None:
            async def answer(interaction: Interaction, language: Language) -> None:
                day = await self._moderation.day(_server(interaction))
                await interaction.edit_original_response(content=status_text(language, day))

            await answer_ephemerally(interaction, answer)

        @_subcommand(self._group, "export")
        async def export(interaction: Interaction) -> None:
            async def answer(interaction: Interaction, language: Language) -> None:
                settings = await asyncio.to_thread(self._guilds.settings_of, _server(interaction))
                data = json.dumps(settings.model_dump(mode="json"), indent=2, ensure_ascii=False).encode()
                await interaction.edit_original_response(
                    content=describe(language, settings), attachments=[discord.File(io.BytesIO(data), FILE)]
                )

            await answer_ephemerally(interaction, answer)

    async def _change(self, interaction: Interaction, edit: Callable[[], Edit], done: str, name: str = "") -> None:
        """Change the server's settings, and show the new ones."""

        async def answer(interaction: Interaction, language: Language) -> None:
            settings = await asyncio.to_thread(self._guilds.change, _server(interaction), edit(), time.time())
            _log_change(interaction, f"{done} {name}".strip())
            lines = [say(language, f"admin.{done}", name=name), "", describe(language, settings)]
            await interaction.edit_original_response(content="\n".join(lines))

        await answer_ephemerally(interaction, answer)

    def _watch(self, interaction: Interaction, channel: Watchable) -> Edit:
        """Return the change. Raises Rejected when the bot cannot see pictures or post songs in the channel."""
        if not self._settings.discord.message_content:
            raise Rejected("rule.unseen")
        if interaction.guild is not None:
            kind = discord.ChannelType.public_thread if isinstance(channel, discord.ForumChannel) else channel.type
            permissions.check_kind(language_of(interaction.locale), channel.permissions_for(interaction.guild.me), kind)
        return guild_rules.watch(channel.id)

    def _show(self, *, on: bool) -> Edit:
        """Return the change. Raises Rejected where the host has no song pages."""
        if on and not self._settings.web.public_url:
            raise Rejected("rule.no_pages")
        return guild_rules.changed(start_page=on)

    async def _watched_channels(self, interaction: Interaction, typed: str) -> Choices:
        settings = await asyncio.to_thread(self._guilds.settings_of, _server(interaction))
        return watched_choices(interaction.guild, settings.watched_channels, typed)

    async def _blocked_members(self, interaction: Interaction, typed: str) -> Choices:
        settings = await asyncio.to_thread(self._guilds.settings_of, _server(interaction))
        return await member_choices(interaction.client, settings.blocked_users, typed)

    async def _open_songs(self, interaction: Interaction, typed: str) -> Choices:
        jobs = await self._moderation.open_jobs(_server(interaction))
        return job_choices(language_of(interaction.locale), interaction.guild, jobs, typed)


def _subcommand(group: app_commands.Group, key: str, *options: str) -> Callable[[Any], Any]:
    """Return the decorator for a subcommand that is named by the catalogue."""

    def decorate(callback: Any) -> Any:
        named = app_commands.rename(**{option: localised(f"option.{option}.name") for option in options})
        described = app_commands.describe(**{option: localised(f"option.{option}.description") for option in options})
        name, description = localised(f"command.admin_{key}.name"), localised(f"command.admin_{key}.description")
        return group.command(name=name, description=description)(named(described(callback)))

    return decorate


def _server(interaction: Interaction) -> int:
    return interaction.guild_id or 0


def _log_change(interaction: Interaction, change: str) -> None:
    log.info("server %s: moderator %s: %s", interaction.guild_id, interaction.user.id, change)
