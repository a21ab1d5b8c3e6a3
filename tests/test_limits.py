import pytest
from hypothesis import given
from hypothesis import strategies as st

from melodify_core.errors import Rejected
from melodify_core.limits import HOUR_S, check
from melodify_core.settings import Limits

NOW = 1_000_000.0


def test_within_the_limits_nothing_is_said() -> None:
    check(Limits(songs_per_hour=2), [NOW - 10], 0, NOW)


def test_a_full_hour_says_when_the_next_place_frees_up() -> None:
    with pytest.raises(Rejected) as caught:
        check(Limits(songs_per_hour=2), [NOW - 3000, NOW - 10], 0, NOW)
    assert caught.value.code == "limit.hour"
    assert caught.value.values == {"limit": 2, "retry_at": int(NOW - 3000 + HOUR_S) + 1}


def test_a_full_day_stands_above_a_full_hour() -> None:
    with pytest.raises(Rejected) as caught:
        check(Limits(songs_per_hour=1, songs_per_day=1), [NOW - 10], 0, NOW)
    assert caught.value.code == "limit.day"


def test_too_many_waiting_jobs_are_refused() -> None:
    with pytest.raises(Rejected) as caught:
        check(Limits(waiting_per_user=3), [], 3, NOW)
    assert caught.value.code == "limit.waiting"


def test_zero_is_no_limit() -> None:
    check(Limits(songs_per_hour=0, songs_per_day=0), [NOW - 1] * 1000, 0, NOW)


@given(st.lists(st.floats(0, 2 * HOUR_S), max_size=20), st.integers(1, 5))
def test_the_told_time_is_the_first_at_which_there_is_room(ages: list[float], limit: int) -> None:
    used_at = [NOW - age for age in ages]
    limits = Limits(songs_per_hour=limit, songs_per_day=0)
    try:
        check(limits, used_at, 0, NOW)
    except Rejected as error:
        retry_at = float(error.values["retry_at"])
        check(limits, used_at, 0, retry_at)
        with pytest.raises(Rejected):
            check(limits, used_at, 0, retry_at - 1.001)
