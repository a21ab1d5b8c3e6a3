"""Texts for moderators: the settings of their server, its last day, and the choices while they type."""

import asyncio
import re
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

import discord
from discord import app_commands

from bot.i18n.messages import say
from bot.posts.wording import safe
from melodify_core.errors import Rejected
from melodify_core.models import AcceptedOrder, GuildSettings, Language, RoleLimits

if TYPE_CHECKING:
    from melodify_core.library import ServerDay

CHOICES = 25  # Discord's limit
CHOICE_CHARACTERS = 100
TYPED = 60  # characters of what was typed and not found
# So many channels, members or roles are named, fewer where the text would be too long.
NAMED = 20
FEWER = (NAMED, 10, 5, 2, 0)
# Discord's limit of a message is 2000; the rest is for what the answer says above.
DESCRIPTION = 1700


def number_in(text: str) -> int:
    """Return the id that the text is, or mentions. Raises Rejected("rule.not_found") for any other text."""
    found = re.fullmatch(r"(?:<[#@&!]{1,2})?([0-9]{1,20})>?", text.strip())
    if not found:
        raise Rejected("rule.not_found", name=safe(text, TYPED))
    return int(found[1])


def describe(language: Language, settings: GuildSettings) -> str:
    """Return the server's settings, one line each, without those that the host decides. It fits into a message."""
    texts = (_description(language, settings, named) for named in FEWER)
    return next((text for text in texts if len(text) <= DESCRIPTION), _description(language, settings, 0))


def _description(language: Language, settings: GuildSettings, named: int) -> str:
    lines = []
    for key, ids, mention in (
        ("watched", settings.watched_channels, "<#{}>"),
        ("allowed", settings.allowed_channels, "<#{}>"),
        ("denied", settings.denied_channels, "<#{}>"),
        ("blocked", settings.blocked_users, "<@{}>"),
    ):
        if ids:
            lines.append(say(language, f"admin.set.{key}", names=_names(ids, mention, named)))
    for role_id, limits in sorted(settings.roles.items())[:named]:
        lines.append(say(language, "admin.set.role", name=f"<@&{role_id}>", limits=_limits(language, limits)))
    if len(settings.roles) > named:
        lines.append(f"… ({len(settings.roles)})")
    if settings.songs_per_day is not None:
        lines.append(say(language, "admin.set.songs", songs=settings.songs_per_day))
    if settings.dollars_per_day is not None:
        lines.append(say(language, "admin.set.dollars", dollars=f"{settings.dollars_per_day:.2f}"))
    if settings.style is not None:
        lines.append(say(language, "admin.set.style", name=say(language, f"style.{settings.style}")))
    if settings.seconds is not None:
        lines.append(say(language, "admin.set.seconds", seconds=settings.seconds))
    if settings.language is not None:
        lines.append(say(language, "admin.set.language", name=say(language, f"admin.language.{settings.language}")))
    archive = say(language, f"admin.archive.{settings.archive_minutes}")
    lines.append(say(language, f"admin.set.threads_{'on' if settings.threads else 'off'}", archive=archive))
    lines.append(say(language, f"admin.set.nsfw_{settings.nsfw}"))
    lines.append(say(language, f"admin.set.notify_{'on' if settings.notify else 'off'}"))
    lines.append(say(language, f"admin.set.start_page_{'on' if settings.start_page else 'off'}"))
    return "\n".join(lines)


def _names(ids: Collection[int], mention: str, most: int) -> str:
    named = " ".join(mention.format(number) for number in sorted(ids)[:most])
    return named if len(ids) <= most else f"{named} … ({len(ids)})".strip()


def _limits(language: Language, limits: RoleLimits) -> str:
    given = limits.model_dump(exclude_none=True)
    return ", ".join(say(language, f"admin.limit.{name}", limit=value) for name, value in given.items())


def status_text(language: Language, day: "ServerDay") -> str:
    """Return the server's last day: the queue, the songs, their cost, and the failures with their reasons."""
    lines = [
        say(language, "admin.status.queue", waiting=day.waiting, running=day.running),
        say(
            language,
            "admin.status.songs",
            songs=day.songs,
            dollars=f"{day.dollars:.2f}",
            reserved=f"{day.reserved:.2f}",
        ),
    ]
    if not day.failures:
        lines.append(say(language, "admin.status.no_failures"))
    for code, jobs in sorted(day.failures.items(), key=lambda item: (-item[1], item[0]))[:NAMED]:
        lines.append(say(language, "admin.status.failure", jobs=jobs, code=code))
    return "\n".join(lines)


def watched_choices(
    guild: discord.Guild | None, channel_ids: Iterable[int], typed: str
) -> list[app_commands.Choice[str]]:
    """Return the watched channels whose names contain the typed text; a deleted channel shows its id."""
    named = []
    for number in sorted(channel_ids):
        channel = guild.get_channel_or_thread(number) if guild else None
        named.append((f"#{channel.name}" if channel else str(number), str(number)))
    return _choices(named, typed)


async def member_choices(client: discord.Client, user_ids: Iterable[int], typed: str) -> list[app_commands.Choice[str]]:
    """Return the members whose names contain the typed text; one unknown to Discord shows its id."""

    async def name_of(number: int) -> tuple[str, str]:
        try:
            user = client.get_user(number) or await client.fetch_user(number)
        except discord.HTTPException:
            return str(number), str(number)
        return f"{user.display_name} (@{user.name})", str(number)

    # All at the same time: Discord waits three seconds for choices.
    return _choices(await asyncio.gather(*map(name_of, sorted(user_ids)[:NAMED])), typed)


def job_choices(
    language: Language, guild: discord.Guild | None, jobs: Sequence[AcceptedOrder], typed: str
) -> list[app_commands.Choice[str]]:
    """Return the open jobs: the state, the channel, the time and the id of each."""
    named = []
    for job in jobs:
        channel = guild.get_channel_or_thread(job.place.channel_id) if guild and job.place else None
        where = f"#{channel.name}" if channel else "…"
        at = discord.utils.snowflake_time(int(job.job_id)) if job.job_id.isdigit() else None
        clock = f"{at:%H:%M} UTC" if at else ""
        named.append((" · ".join((say(language, f"admin.job.{job.state}"), where, clock, job.job_id)), job.job_id))
    return _choices(named, typed)


def _choices(named: Iterable[tuple[str, str]], typed: str) -> list[app_commands.Choice[str]]:
    wanted = typed.casefold()
    fitting = [(name[:CHOICE_CHARACTERS], value) for name, value in named if wanted in name.casefold()]
    return [app_commands.Choice(name=name, value=value) for name, value in fitting[:CHOICES]]
