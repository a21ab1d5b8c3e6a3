"""Checks limits and budgets: pure arithmetic over the usage so far. Knows no database and no clock.

services/admission.py calls it for each order, library/ledger.py for the budgets of jobs and paid calls.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from melodify_core.config.settings import Limits, MemberLimits
from melodify_core.errors import Code, Rejected

MINUTE_S = 60
HOUR_S = 3600
DAY_S = 24 * HOUR_S
CENT = 0.01
Payment = tuple[float, float]  # unix second, dollars


@dataclass(frozen=True, slots=True)
class Standing:
    """The usage of the last day that counts. Times are unix seconds in any order, of jobs that did not fail.

    `waiting`, `guild_waiting` and `all_waiting` count jobs that are not finished yet. `known` says that the checked job
    was accepted before; it does not count here.
    """

    known: bool = False
    used_at: Sequence[float] = ()
    waiting: int = 0
    guild_used_at: Sequence[float] = ()
    guild_waiting: int = 0
    all_waiting: int = 0
    spent: Sequence[Payment] = ()
    guild_spent: Sequence[Payment] = ()
    reserved: float = 0.0  # dollars that open jobs will cost and that are not booked yet
    guild_reserved: float = 0.0


def within(at: float, now: float, window_s: int) -> bool:
    """Return whether a time lies in the window that ends now.

    The clocks of several machines may differ. A time that is further ahead was written by a wrong clock, and would
    count until that time comes.
    """
    return now - window_s < at <= now + max(window_s, HOUR_S)


def check(
    limits: Limits,
    standing: Standing,
    now: float,
    user_id: int = 0,
    role_ids: Collection[int] = (),
    price: float = 0.0,
) -> None:
    """Raise Rejected when one more song, which costs about `price` dollars, would exceed a limit.

    The error's `retry_at` is the unix second at which the limit allows the next song, where waiting is enough.
    """
    if user_id in limits.blocked_users:
        raise Rejected("limit.blocked")
    if limits.waiting and standing.all_waiting >= limits.waiting:
        raise Rejected("limit.queue")
    if user_id in limits.exempt_users:
        return
    _check_member(member_limits(limits, role_ids), standing, now)
    _check_guild(limits, standing, now)
    _check_budget("limit.budget", limits.dollars_per_day, standing.spent, standing.reserved + price, now)
    guild_price = standing.guild_reserved + price
    _check_budget("limit.guild_budget", limits.dollars_per_guild_day, standing.guild_spent, guild_price, now)


def check_budgets(limits: Limits, standing: Standing, dollars: float, now: float) -> None:
    """Raise Rejected when `dollars` more, for a song that was accepted before, would exceed a budget.

    What other songs have reserved does not count here: each of them is checked in the same way at its own turn.
    """
    if dollars > 0:
        _check_budget("limit.budget", limits.dollars_per_day, standing.spent, dollars, now)
        _check_budget("limit.guild_budget", limits.dollars_per_guild_day, standing.guild_spent, dollars, now)


def member_limits(limits: Limits, role_ids: Collection[int]) -> MemberLimits:
    """Return the limits of a member: each is the most generous one of the member's roles, else everybody's."""
    own = [role for role_id, role in limits.roles.items() if int(role_id) in role_ids]
    if not own:
        return MemberLimits.model_validate(limits.model_dump(include=set(MemberLimits.model_fields)))
    return MemberLimits(
        **{name: _most_generous([getattr(role, name) for role in own]) for name in MemberLimits.model_fields}
    )


def _most_generous(values: Sequence[int]) -> int:
    return 0 if 0 in values else max(values)  # 0 is no limit


def _check_member(limits: MemberLimits, standing: Standing, now: float) -> None:
    if limits.waiting_per_user and standing.waiting >= limits.waiting_per_user:
        raise Rejected("limit.waiting", limit=limits.waiting_per_user)
    _check_window("limit.day", limits.songs_per_day, DAY_S, standing.used_at, now)
    _check_window("limit.hour", limits.songs_per_hour, HOUR_S, standing.used_at, now)
    _check_window("limit.minute", limits.songs_per_minute, MINUTE_S, standing.used_at, now)


def _check_guild(limits: Limits, standing: Standing, now: float) -> None:
    if limits.waiting_per_guild and standing.guild_waiting >= limits.waiting_per_guild:
        raise Rejected("limit.guild_waiting", limit=limits.waiting_per_guild)
    _check_window("limit.guild_day", limits.songs_per_guild_day, DAY_S, standing.guild_used_at, now)


def _check_window(code: Code, limit: int, window_s: int, used_at: Sequence[float], now: float) -> None:
    recent = sorted(at for at in used_at if within(at, now, window_s))
    if limit and len(recent) >= limit:
        retry_at = int(recent[len(recent) - limit] + window_s) + 1
        raise Rejected(code, limit=limit, retry_at=retry_at)


def _check_budget(code: Code, dollars: float, payments: Sequence[Payment], ahead: float, now: float) -> None:
    """Raise Rejected when what was paid and what is `ahead` would exceed the budget of a day."""
    recent = sorted((at, paid) for at, paid in payments if within(at, now, DAY_S))
    total = sum(paid for _, paid in recent)

    def fits() -> bool:
        return total < dollars and total + ahead <= dollars + CENT / 1000

    if not dollars or fits():
        return
    for at, paid in recent:
        total -= paid
        if fits():
            raise Rejected(code, retry_at=int(at + DAY_S) + MINUTE_S)
    # The reserved dollars alone leave no room. They are booked or released as songs end, and nobody knows when that is.
    raise Rejected(code, retry_at=int(now) + HOUR_S)
