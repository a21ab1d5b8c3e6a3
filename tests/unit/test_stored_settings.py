import json

import pytest
from pydantic import ValidationError

from melodify_core.library.stored_settings import read_settings, written_settings
from melodify_core.models import GuildSettings, MemberSettings, RoleLimits

# As a newer version might write it: another field, in a role's limits too, and other values.
NEWER = json.dumps(
    {
        "style": "jazz",
        "watched_channels": [1, "2", "3x"],
        "nsfw": "blurred",
        "archive_minutes": 20160,
        "karaoke": {"on": True},
        "roles": {"5": {"songs_per_day": 9, "videos_per_day": 2}, "6": {"songs_per_day": 1}},
    }
)


def test_what_a_newer_version_wrote_is_read_as_far_as_it_is_known() -> None:
    assert read_settings(GuildSettings, NEWER) == GuildSettings(
        style="jazz",
        watched_channels=frozenset({1, 2}),
        roles={"5": RoleLimits(songs_per_day=9), "6": RoleLimits(songs_per_day=1)},
    )
    assert read_settings(MemberSettings, '{"named": false, "nickname": "x"}') == MemberSettings(named=False)


def test_what_is_not_known_is_kept_by_a_change() -> None:
    before = read_settings(GuildSettings, NEWER)
    roles = {"5": RoleLimits(songs_per_day=3), "7": RoleLimits(songs_per_hour=1)}
    text = written_settings(NEWER, before.model_copy(update={"style": "rock", "roles": roles}))
    stored = json.loads(text)
    assert (stored["style"], stored["karaoke"], stored["nsfw"]) == ("rock", {"on": True}, "blurred")
    assert stored["watched_channels"] == [1, "2", "3x"]
    assert stored["roles"]["5"]["songs_per_day"] == 3
    assert stored["roles"]["5"]["videos_per_day"] == 2
    assert set(stored["roles"]) == {"5", "7"}
    assert read_settings(GuildSettings, text) == before.model_copy(update={"style": "rock", "roles": roles})


def test_what_was_never_stored_is_written_whole_as_before() -> None:
    changed = GuildSettings(style="국악", start_page=True)
    assert written_settings("{}", changed) == changed.model_dump_json()


def test_what_is_changed_replaces_a_value_that_is_not_known() -> None:
    changed = read_settings(GuildSettings, NEWER).model_copy(update={"nsfw": "age_restricted"})
    assert json.loads(written_settings(NEWER, changed))["nsfw"] == "age_restricted"


@pytest.mark.parametrize("text", ["[]", "3", "null"])
def test_what_is_no_record_is_an_error(text: str) -> None:
    with pytest.raises(ValidationError):
        read_settings(GuildSettings, text)
