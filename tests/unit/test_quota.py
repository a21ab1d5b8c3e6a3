from bot.members.cog import quota_text
from melodify_core.config.settings import Limits
from melodify_core.models import Money
from melodify_core.usage.limits import Standing
from melodify_core.usage.quota import Allowance, Quota, quota_of

NOW = 1_000_000.0
LIMITS = Limits(songs_per_minute=2, songs_per_hour=3, songs_per_day=0, waiting_per_user=2)


def standing(*used_at: float, waiting: int = 0) -> Standing:
    return Standing(used_at=used_at, waiting=waiting)


def test_a_fresh_member_has_all_and_may_ask() -> None:
    quota = quota_of(LIMITS, standing(), NOW, 1, ())
    assert quota == Quota((Allowance("minute", 2, 2, None), Allowance("hour", 3, 3, None)), 0, None)


def test_what_was_used_is_taken_off_and_comes_back_when_its_time_is_over() -> None:
    quota = quota_of(LIMITS, standing(NOW - 1000, NOW - 30), NOW, 1, ())
    assert quota.allowances == (
        Allowance("minute", 1, 2, int(NOW) + 31),
        Allowance("hour", 1, 3, int(NOW) + 2601),
    )
    assert quota.refusal is None


def test_an_empty_allowance_comes_with_the_refusal_that_the_next_order_would_get() -> None:
    quota = quota_of(LIMITS, standing(NOW - 3, NOW - 2, NOW - 1), NOW, 1, ())
    assert [allowance.left for allowance in quota.allowances] == [0, 0]
    assert quota.refusal is not None
    assert quota.refusal.code == "limit.hour"


def test_who_is_exempt_has_no_limit_and_who_is_blocked_hears_so() -> None:
    exempt = LIMITS.model_copy(update={"exempt_users": frozenset({1})})
    assert quota_of(exempt, standing(*[NOW] * 9), NOW, 1, ()).allowances == ()
    blocked = LIMITS.model_copy(update={"blocked_users": frozenset({1})})
    refusal = quota_of(blocked, standing(), NOW, 1, ()).refusal
    assert refusal is not None
    assert refusal.code == "limit.blocked"


def test_the_answer_is_a_line_each_in_both_languages() -> None:
    quota = quota_of(LIMITS, standing(NOW - 1000, NOW - 30, waiting=1), NOW, 1, ())
    english = quota_text("en", quota).splitlines()
    assert english[0] == f"This minute: 1 of 2 songs left. You get one back <t:{int(NOW) + 31}:R>."
    assert english[2:] == ["In progress: 1 song.", "You can ask for a song now."]
    korean = quota_text("ko", quota).splitlines()
    assert korean[1].startswith("1시간 동안: 3곡 중 1곡")
    assert len(korean) == len(english)
    assert quota_text("en", Quota((), 0, None)).splitlines()[0] == "There is no limit for you."


def test_what_is_reserved_stands_beside_what_was_spent_in_both_languages() -> None:
    quota = quota_of(LIMITS, standing(), NOW, 1, (), money=Money(0.126, 0.06))
    text = "In the last 24 hours your songs cost about $0.13. Another $0.06 is set aside for songs in progress."
    assert text in quota_text("en", quota).splitlines()
    assert "약 0.13달러가 들었어요. 만들고 있는 노래에는 0.06달러를" in quota_text("ko", quota)
    # Where nothing costs anything nobody reads of it.
    assert "$" not in quota_text("en", quota_of(LIMITS, standing(), NOW, 1, ()))


def test_the_quota_counts_what_the_next_song_will_cost() -> None:
    budget = Limits(dollars_per_day=0.10)
    assert quota_of(budget, Standing(spent=[(NOW - 60, 0.06)]), NOW, 1, (), 0.04).refusal is None
    refusal = quota_of(budget, Standing(spent=[(NOW - 60, 0.06)]), NOW, 1, (), 0.06).refusal
    assert refusal is not None
    assert refusal.code == "limit.budget"
