"""The four kinds of error. The bot's message catalogue has the sentence that users read, by the code."""

from typing import Any, Literal

# Each code has one sentence per language in bot/i18n/locales; a test checks that both agree.
Code = Literal[
    "picture.empty", "picture.too_large", "picture.too_many_pixels", "picture.too_narrow", "picture.not_a_picture",
    "picture.unsupported", "picture.broken", "picture.cut", "picture.too_heavy", "picture.too_slow", "picture.gone",
    "picture.elsewhere", "picture.none",
    "limit.minute", "limit.pictures", "limit.hour", "limit.day", "limit.waiting", "limit.guild_day",
    "limit.guild_waiting", "limit.queue", "limit.budget", "limit.guild_budget", "limit.blocked",
    "song.too_large", "song.gone", "song.length", "song.no_page", "song.private", "song.picture_gone", "song.not_yours",
    "job.cancelled", "job.not_yours", "job.not_asked", "job.too_late",
    "rule.watch_denied", "rule.deny_watched", "rule.not_watched", "rule.unseen", "rule.windows",
    "rule.archive_without_threads", "rule.block_self", "rule.not_blocked", "rule.not_found",
    "rule.length", "rule.cents", "rule.nothing", "rule.no_pages",
    "member.busy",
    "database.unavailable",
    "caption.picture_blocked", "caption.hint_blocked", "caption.refused", "caption.unchecked",
    "music.blocked", "music.failed",
    "provider.refused", "provider.unavailable", "provider.too_slow", "provider.busy", "provider.exhausted",
    "provider.misconfigured",
    "discord.forbidden", "discord.unavailable", "discord.missing", "discord.thread_locked", "discord.dm_closed",
    "discord.restarting",
    "channel.denied", "channel.elsewhere",
    "storage.unavailable",
    "file.unreadable", "file.unwritable", "file.no_score",
    "internal",
]  # fmt: skip
OVER_BUDGET: frozenset[Code] = frozenset({"limit.budget", "limit.guild_budget"})
# What one composer may meet, while another one may still play.
NO_MUSIC: frozenset[Code] = OVER_BUDGET | {
    "music.blocked",
    "music.failed",
    "provider.refused",
    "provider.unavailable",
    "provider.too_slow",
    "provider.busy",
    "provider.exhausted",
    "provider.misconfigured",
}
Value = str | int | float


class MelodifyError(Exception):
    """What went wrong, as data: a code and the values that its sentence names."""

    def __init__(self, code: Code, /, **values: Value) -> None:
        super().__init__(code, values)
        self.code: Code = code
        self.values = values

    def __str__(self) -> str:
        return " ".join([self.code, *(f"{name}={value}" for name, value in self.values.items())])

    def __reduce__(self) -> tuple[object, ...]:
        # Errors are pickled between processes, which loses keyword arguments.
        return _rebuild, (type(self), self.code, self.values)


class Rejected(MelodifyError):
    """The user can fix it."""


class Refused(MelodifyError):
    """A provider said no to this content."""


class Unavailable(MelodifyError):
    """A service is away for now; it may work later."""


class Misconfigured(Exception):
    """The operator has to fix something; raised at start only. Carries one English sentence per mistake."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Running(Misconfigured):
    """A second Melodify was started, and the first one holds what only one process may hold."""


def to_record(error: MelodifyError) -> dict[str, object]:
    """Return the error as JSON data, for a job's recorded step."""
    return {"kind": type(error).__name__, "code": error.code, "values": error.values}


def from_record(record: dict[str, Any]) -> MelodifyError:
    """Return the error that `to_record` wrote."""
    kinds = {kind.__name__: kind for kind in (Rejected, Refused, Unavailable)}
    return kinds[record["kind"]](record["code"], **record["values"])


def _rebuild(kind: type[MelodifyError], code: Code, values: dict[str, Value]) -> MelodifyError:
    return kind(code, **values)
