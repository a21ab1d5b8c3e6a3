"""What a member has left, computed from the same figures as the check of the limits."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from melodify_core.config.settings import Limits
from melodify_core.errors import Rejected
from melodify_core.models import Money
from melodify_core.usage.limits import DAY_S, HOUR_S, MINUTE_S, Standing, check, member_limits, within

Window = Literal["minute", "hour", "day"]
WINDOWS: tuple[tuple[Window, int], ...] = (("minute", MINUTE_S), ("hour", HOUR_S), ("day", DAY_S))


@dataclass(frozen=True, slots=True)
class Allowance:
    """A limit over a window: how many songs are left, and when the next one frees up, in unix seconds."""

    window: Window
    left: int
    limit: int
    frees_at: int | None


@dataclass(frozen=True, slots=True)
class Quota:
    """What a member has left. Without allowances, nothing is limited."""

    allowances: tuple[Allowance, ...]
    waiting: int
    refusal: Rejected | None  # why the next order would be refused, None where it would not
    money: Money = Money(0.0, 0.0)  # for the member's songs of the last day


def quota_of(
    limits: Limits,
    standing: Standing,
    now: float,
    user_id: int,
    role_ids: Collection[int],
    price: float = 0.0,
    money: Money = Money(0.0, 0.0),  # noqa: B008  # it is frozen
) -> Quota:
    """Return what the member has left at the unix time `now`; the next song costs about `price` dollars."""
    refusal = None
    try:
        check(limits, standing, now, user_id, role_ids, price)
    except Rejected as error:
        refusal = error
    if user_id in limits.exempt_users:
        return Quota((), standing.waiting, refusal, money)
    own = member_limits(limits, role_ids)
    sizes = {"minute": own.songs_per_minute, "hour": own.songs_per_hour, "day": own.songs_per_day}
    allowances = tuple(
        _allowance(window, sizes[window], window_s, standing, now) for window, window_s in WINDOWS if sizes[window]
    )
    return Quota(allowances, standing.waiting, refusal, money)


def _allowance(window: Window, limit: int, window_s: int, standing: Standing, now: float) -> Allowance:
    recent = sorted(at for at in standing.used_at if within(at, now, window_s))
    frees_at = int(recent[0] + window_s) + 1 if recent else None
    return Allowance(window, max(limit - len(recent), 0), limit, frees_at)
