"""Who may ask how often: pure arithmetic over the times of a member's songs. Knows no database and no clock."""

from collections.abc import Sequence

from melodify_core.errors import Rejected
from melodify_core.settings import Limits

HOUR_S = 3600
DAY_S = 24 * HOUR_S


def check(limits: Limits, used_at: Sequence[float], waiting: int, now: float) -> None:
    """Raise Rejected when one more song would pass a limit.

    `used_at` are the unix times in seconds, in any order, of the member's songs of the last day that count:
    delivered, running or waiting, never failed. `waiting` is how many are not finished yet.
    The error's `retry_at` is the unix second at which the next try is possible.
    """
    if waiting >= limits.waiting_per_user:
        raise Rejected("limit.waiting", limit=limits.waiting_per_user)
    if retry_at := _full_until(used_at, limits.songs_per_day, DAY_S, now):
        raise Rejected("limit.day", limit=limits.songs_per_day, retry_at=retry_at)
    if retry_at := _full_until(used_at, limits.songs_per_hour, HOUR_S, now):
        raise Rejected("limit.hour", limit=limits.songs_per_hour, retry_at=retry_at)


def _full_until(used_at: Sequence[float], limit: int, window_s: int, now: float) -> int | None:
    """Return when a place frees up in the sliding window, None while there is one. A limit of 0 is no limit."""
    recent = sorted(at for at in used_at if at > now - window_s)
    if not limit or len(recent) < limit:
        return None
    return int(recent[len(recent) - limit] + window_s) + 1
