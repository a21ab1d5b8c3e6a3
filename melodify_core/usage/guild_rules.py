"""The changes that a server's moderators may make to its settings, and how these narrow the host's limits.

Pure functions over GuildSettings. The host pays, so the host's limits are the ceiling: moderators can only lower them.
"""

from collections.abc import Callable, Collection
from typing import Literal

from melodify_core.brief import LEAST_SECONDS, MOST_SECONDS
from melodify_core.config.settings import Limits, MemberLimits
from melodify_core.errors import Rejected
from melodify_core.models import GuildSettings, RoleLimits
from melodify_core.usage.limits import member_limits

Edit = Callable[[GuildSettings], GuildSettings]
NO_LIMITS = RoleLimits()
CENT = 0.01
# From the shortest window to the longest: a limit per hour above the one per day is a mistake.
WINDOWS = ("songs_per_minute", "songs_per_hour", "songs_per_day")


def watch(channel_id: int) -> Edit:
    """Make a song of each picture that is posted in the channel."""

    def edit(settings: GuildSettings) -> GuildSettings:
        if channel_id in settings.denied_channels:
            raise Rejected("rule.watch_denied", channel=f"<#{channel_id}>")
        return settings.model_copy(update={"watched_channels": settings.watched_channels | {channel_id}})

    return edit


def unwatch(channel_id: int) -> Edit:
    """Stop watching the channel."""

    def edit(settings: GuildSettings) -> GuildSettings:
        if channel_id not in settings.watched_channels:
            raise Rejected("rule.not_watched", channel=f"<#{channel_id}>")
        return settings.model_copy(update={"watched_channels": settings.watched_channels - {channel_id}})

    return edit


def allow(channel_id: int) -> Edit:
    """Allow songs in the channel; as soon as a channel is allowed, songs are allowed only in such channels."""
    return lambda settings: _ruled(settings, channel_id, "allowed_channels")


def deny(channel_id: int) -> Edit:
    """Forbid songs in the channel."""

    def edit(settings: GuildSettings) -> GuildSettings:
        if channel_id in settings.watched_channels:
            raise Rejected("rule.deny_watched", channel=f"<#{channel_id}>")
        return _ruled(settings, channel_id, "denied_channels")

    return edit


def leave_open(channel_id: int) -> Edit:
    """Neither allow nor deny the channel."""
    return lambda settings: _ruled(settings, channel_id)


def _ruled(
    settings: GuildSettings, channel_id: int, to: Literal["allowed_channels", "denied_channels"] | None = None
) -> GuildSettings:
    """Return the settings with the channel among the allowed or the denied ones, or among neither."""
    own = {channel_id}
    lists = {"allowed_channels": settings.allowed_channels - own, "denied_channels": settings.denied_channels - own}
    return settings.model_copy(update=lists | ({to: lists[to] | own} if to else {}))


def limit_role(role_id: int, limits: RoleLimits) -> Edit:
    """Give the members with a role limits of their own; NO_LIMITS removes the role's limits."""

    def edit(settings: GuildSettings) -> GuildSettings:
        given = [value for name in WINDOWS if (value := getattr(limits, name)) is not None]
        if given != sorted(given):
            raise Rejected("rule.windows")
        others = {role: own for role, own in settings.roles.items() if role != str(role_id)}
        roles = others if limits == NO_LIMITS else others | {str(role_id): limits}
        return settings.model_copy(update={"roles": roles})

    return edit


def limit_server(songs: int | None, dollars: float | None) -> Edit:
    """Set what the whole server may use in a day; 0 resets to the host's limit. Raises Rejected below a cent."""
    if dollars and dollars < CENT:
        raise Rejected("rule.cents")
    return changed(songs_per_day=songs, dollars_per_day=None if dollars is None else round(dollars, 2))


def set_defaults(style: str | None, seconds: int | None, language: str | None) -> Edit:
    """Set the defaults for what a member leaves open. Raises Rejected for a length that no song can have."""
    if seconds and not LEAST_SECONDS <= seconds <= MOST_SECONDS:
        raise Rejected("rule.length", least=LEAST_SECONDS, most=MOST_SECONDS)
    return changed(style=style, seconds=seconds, language=language)


def set_threads(*, on: bool, archive_minutes: int | None) -> Edit:
    """Set whether songs get threads of their own, and when Discord archives them."""
    if not on and archive_minutes is not None:
        raise Rejected("rule.archive_without_threads")
    return changed(threads=on, archive_minutes=archive_minutes)


def block(user_id: int, moderator_id: int) -> Edit:
    """Forbid the member songs in the server."""
    if user_id == moderator_id:
        raise Rejected("rule.block_self")
    return lambda settings: settings.model_copy(update={"blocked_users": settings.blocked_users | {user_id}})


def unblock(user_id: int) -> Edit:
    """Allow the member songs in the server again."""

    def edit(settings: GuildSettings) -> GuildSettings:
        if user_id not in settings.blocked_users:
            raise Rejected("rule.not_blocked", user=f"<@{user_id}>")
        return settings.model_copy(update={"blocked_users": settings.blocked_users - {user_id}})

    return edit


def changed(**wanted: str | float | bool | None) -> Edit:
    """Set these fields; "auto" and 0 reset one to the host's, None changes nothing."""
    given = {name: value for name, value in wanted.items() if value is not None}
    if not given:
        raise Rejected("rule.nothing")
    resets = {name: None for name, value in given.items() if value == "auto" or (value == 0 and value is not False)}
    # Validate the changed settings: what is written to the database must be readable again.
    return lambda settings: GuildSettings.model_validate(settings.model_dump() | given | resets)


def limits_in(limits: Limits, settings: GuildSettings, guild_id: int, role_ids: Collection[int]) -> Limits:
    """Return the limits of a member of the server: the host's, narrowed by the moderators'.

    Of several roles the most generous limit applies. The role @everyone, whose id is the server's, applies to members
    without another role. Where a role sets no limit, the host's applies.
    """
    host = member_limits(limits, role_ids)
    own = [role for role_id, role in settings.roles.items() if int(role_id) in role_ids and int(role_id) != guild_id]
    if not own and str(guild_id) in settings.roles:
        own = [settings.roles[str(guild_id)]]
    changes: dict[str, object] = {
        "roles": {},
        "songs_per_guild_day": _narrower(limits.songs_per_guild_day, settings.songs_per_day),
        "dollars_per_guild_day": _narrower(limits.dollars_per_guild_day, settings.dollars_per_day),
    }
    for name in MemberLimits.model_fields:
        ceiling, values = getattr(host, name), [getattr(role, name) for role in own]
        generous = None if not values or None in values else max(values)
        changes[name] = _narrower(ceiling, generous)
    return limits.model_copy(update=changes)


def _narrower(ceiling: float, own: float | None) -> float:
    """Return the smaller of two limits. No limit is 0 for the host and None for moderators."""
    if not own:
        return ceiling
    return min(ceiling, own) if ceiling else own
