"""What moderators may set, and how it narrows what the host allows."""

import pytest

from melodify_core.config.settings import Limits
from melodify_core.errors import Rejected
from melodify_core.models import GuildSettings, RoleLimits
from melodify_core.usage import guild_rules as rules
from melodify_core.usage.guild_rules import limits_in

SERVER, FANS, NEW, STAFF = 1, 2, 3, 4
HOST = Limits(songs_per_minute=3, songs_per_hour=6, songs_per_day=30, waiting_per_user=3)


def ruled(*edits: rules.Edit) -> GuildSettings:
    settings = GuildSettings()
    for edit in edits:
        settings = edit(settings)
    return settings


@pytest.mark.parametrize(
    ("role_ids", "expected"),
    [
        ((), 2),  # who is asked for by id alone, too
        ((SERVER,), 2),  # @everyone
        ((SERVER, FANS), 10),
        ((SERVER, NEW), 1),  # its own role's, not the more generous @everyone's
        ((SERVER, NEW, FANS), 10),
        ((SERVER, STAFF), 30),  # the host's ceiling
    ],
)
def test_the_most_generous_role_holds_below_the_host_s_ceiling(role_ids: tuple[int, ...], expected: int) -> None:
    settings = ruled(
        *(
            rules.limit_role(role, RoleLimits(songs_per_day=songs))
            for role, songs in ((SERVER, 2), (FANS, 10), (NEW, 1), (STAFF, 99))
        )
    )
    limits = limits_in(HOST, settings, SERVER, role_ids)
    assert limits.songs_per_day == expected
    assert limits.songs_per_hour == 6


def test_the_host_s_own_roles_raise_the_ceiling() -> None:
    host = HOST.model_validate(HOST.model_dump() | {"roles": {str(FANS): {"songs_per_day": 100}}})
    settings = ruled(rules.limit_role(FANS, RoleLimits(songs_per_day=50)))
    assert limits_in(host, settings, SERVER, (FANS,)).songs_per_day == 50
    assert limits_in(host, GuildSettings(), SERVER, (FANS,)).songs_per_day == 100


@pytest.mark.parametrize(("host", "own", "holds"), [(0, 0, 0), (0, 5, 5), (9, 0, 9), (9, 5, 5), (9, 20, 9)])
def test_the_smaller_of_host_and_moderators_holds_for_the_server(host: int, own: int, holds: int) -> None:
    limits = HOST.model_copy(update={"songs_per_guild_day": host, "dollars_per_guild_day": float(host)})
    found = limits_in(limits, ruled(rules.changed(songs_per_day=own, dollars_per_day=float(own))), SERVER, ())
    assert found.songs_per_guild_day == holds
    assert found.dollars_per_guild_day == holds


def test_a_rule_is_taken_back() -> None:
    assert ruled(rules.allow(7), rules.deny(8), rules.leave_open(7), rules.leave_open(8)) == GuildSettings()
    assert ruled(rules.limit_role(FANS, RoleLimits(songs_per_day=1)), rules.limit_role(FANS, rules.NO_LIMITS)) == (
        GuildSettings()
    )
    assert (
        ruled(
            rules.changed(style="rock", seconds=20, language="ko"),
            rules.changed(style="auto", seconds=0, language="auto"),
        )
        == GuildSettings()
    )
    assert ruled(rules.block(5, 6), rules.unblock(5)) == GuildSettings()
    assert ruled(rules.watch(7), rules.unwatch(7)) == GuildSettings()


def test_to_allow_a_channel_ends_its_being_denied_and_the_other_way_round() -> None:
    assert ruled(rules.deny(7), rules.allow(7)).denied_channels == frozenset()
    assert ruled(rules.allow(7), rules.deny(7)).allowed_channels == frozenset()


@pytest.mark.parametrize("minutes", [1, 59, 100_000])
def test_what_could_not_be_read_again_is_never_stored(minutes: int) -> None:
    with pytest.raises(ValueError, match="archive_minutes"):
        ruled(rules.set_threads(on=True, archive_minutes=minutes))


def test_windows_that_shrink_are_refused() -> None:
    with pytest.raises(Rejected, match=r"rule\.windows"):
        ruled(rules.limit_role(FANS, RoleLimits(songs_per_minute=3, songs_per_day=2)))
