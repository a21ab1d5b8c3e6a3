import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodify_core.config.settings import Limits, MemberLimits
from melodify_core.errors import Code, Rejected
from melodify_core.usage.limits import DAY_S, HOUR_S, MINUTE_S, Standing, check
from melodify_core.usage.quota import quota_of

NOW = 1_000_000.0


def refused(
    limits: Limits, standing: Standing, user_id: int = 1, roles: tuple[int, ...] = (), price: float = 0.0
) -> Rejected:
    with pytest.raises(Rejected) as caught:
        check(limits, standing, NOW, user_id, roles, price)
    return caught.value


def test_within_the_limits_nothing_is_said() -> None:
    check(Limits(songs_per_hour=2), Standing(used_at=[NOW - 100]), NOW)


def test_a_full_hour_says_when_the_next_place_frees_up() -> None:
    error = refused(Limits(songs_per_hour=2), Standing(used_at=[NOW - 3000, NOW - 100]))
    assert error.code == "limit.hour"
    assert error.values == {"limit": 2, "retry_at": int(NOW - 3000 + HOUR_S) + 1}


def test_a_full_day_stands_above_a_full_hour() -> None:
    assert refused(Limits(songs_per_hour=1, songs_per_day=1), Standing(used_at=[NOW - 10])).code == "limit.day"


def test_a_burst_is_slowed_down() -> None:
    error = refused(Limits(songs_per_minute=2), Standing(used_at=[NOW - 20, NOW - 5]))
    assert error.code == "limit.minute"
    assert error.values["retry_at"] == int(NOW - 20 + MINUTE_S) + 1


@pytest.mark.parametrize(
    ("limits", "standing", "code"),
    [
        (Limits(waiting_per_user=3), Standing(waiting=3), "limit.waiting"),
        (Limits(waiting_per_guild=5), Standing(guild_waiting=5), "limit.guild_waiting"),
        (Limits(waiting=9), Standing(all_waiting=9), "limit.queue"),
        (Limits(songs_per_guild_day=2), Standing(guild_used_at=[NOW - 9, NOW - 5]), "limit.guild_day"),
        (Limits(dollars_per_day=1), Standing(spent=[(NOW - 60, 0.6), (NOW - 30, 0.5)]), "limit.budget"),
        (Limits(dollars_per_guild_day=1), Standing(guild_spent=[(NOW - 60, 1.0)]), "limit.guild_budget"),
        (Limits(blocked_users=frozenset({1})), Standing(), "limit.blocked"),
    ],
)
def test_every_limit_is_named(limits: Limits, standing: Standing, code: Code) -> None:
    assert refused(limits, standing).code == code


def test_a_budget_says_when_enough_of_it_is_a_day_old() -> None:
    error = refused(Limits(dollars_per_day=1), Standing(spent=[(NOW - 600, 0.3), (NOW - 60, 0.5), (NOW - 30, 0.4)]))
    assert error.values["retry_at"] == int(NOW - 600 + DAY_S) + MINUTE_S


def test_zero_is_no_limit() -> None:
    free = Limits(
        songs_per_minute=0, songs_per_hour=0, songs_per_day=0, waiting_per_user=0, waiting_per_guild=0, waiting=0
    )
    much = [NOW - 1] * 1000
    check(free, Standing(used_at=much, waiting=999, guild_used_at=much, guild_waiting=999, all_waiting=999), NOW)


def test_an_exempt_member_waits_only_for_a_full_queue() -> None:
    limits = Limits(songs_per_hour=1, waiting=10, exempt_users=frozenset({1}))
    check(limits, Standing(used_at=[NOW - 1] * 50, waiting=9), NOW, 1)
    assert refused(limits, Standing(all_waiting=10)).code == "limit.queue"


def test_of_several_roles_the_most_generous_limit_holds() -> None:
    roles = {"10": MemberLimits(songs_per_hour=20), "11": MemberLimits(songs_per_hour=2, songs_per_day=0)}
    limits = Limits(songs_per_hour=1, songs_per_minute=0, roles=roles)
    used = Standing(used_at=[NOW - 600 - second for second in range(15)])
    check(limits, used, NOW, 1, (10, 11))
    assert refused(limits, used, roles=(11,)).values["limit"] == 2
    assert refused(limits, used, roles=(99,)).values["limit"] == 1


@given(st.lists(st.floats(0, 2 * HOUR_S), max_size=20), st.integers(1, 5))
def test_the_told_time_is_the_first_at_which_there_is_room(ages: list[float], limit: int) -> None:
    standing = Standing(used_at=[NOW - age for age in ages])
    limits = Limits(songs_per_minute=0, songs_per_hour=limit, songs_per_day=0)
    try:
        check(limits, standing, NOW)
    except Rejected as error:
        retry_at = float(error.values["retry_at"])
        check(limits, standing, retry_at)
        with pytest.raises(Rejected):
            check(limits, standing, retry_at - 1.001)


def test_a_budget_counts_what_is_reserved_and_what_the_song_will_cost() -> None:
    budget = Limits(dollars_per_day=0.10, dollars_per_guild_day=0.10)
    check(budget, Standing(), NOW, price=0.06)
    assert refused(budget, Standing(reserved=0.06), price=0.06).code == "limit.budget"
    assert refused(budget, Standing(guild_reserved=0.06), price=0.06).code == "limit.guild_budget"
    assert int(refused(budget, Standing(spent=[(NOW - 60, 0.06)]), price=0.06).values["retry_at"]) > NOW + DAY_S - 120
    check(budget, Standing(spent=[(NOW - DAY_S - 60, 0.06)]), NOW, price=0.06)
    # Ten songs of a cent fit ten cents, whatever binary fractions make of them.
    check(budget, Standing(spent=[(NOW - 60, 0.01)] * 9), NOW, price=0.01)


def test_what_a_wrong_clock_wrote_keeps_nobody_waiting_until_that_time() -> None:
    """A clock that was a year ahead, or was set back, must not cost members a year."""
    ahead = [NOW + 400 * DAY_S] * 3
    limits = Limits(songs_per_minute=2, songs_per_hour=2, songs_per_day=2, songs_per_guild_day=2, dollars_per_day=1.0)
    check(limits, Standing(used_at=ahead, guild_used_at=ahead, spent=[(ahead[0], 5.0)]), NOW, price=0.5)
    assert quota_of(limits, Standing(used_at=ahead), NOW, 1, ()).allowances[0].left == 2


def test_the_clock_of_another_machine_may_be_a_little_ahead() -> None:
    assert refused(Limits(songs_per_minute=1), Standing(used_at=[NOW + 90])).code == "limit.minute"
