import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from melodify_core.errors import Rejected
from melodify_core.library import Guilds, Library, Songbook, connect, schema, upgrade
from melodify_core.library.schema import gone_pages, usage
from melodify_core.library.songbook import MAX_VIDEOS
from melodify_core.models import GuildSettings
from tests.jobs import POSTED, a_job, a_song


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = connect(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


def a_finished_song(engine: sa.Engine, job_id: str, user_id: int = 1, page_id: str | None = None) -> None:
    library, job = Library(engine), a_job(job_id, user_id, page_id=page_id)
    with library.transaction() as connection:
        library.reserve(connection, job, 100.0)
    library.record_song(job, a_song(job_id), POSTED, 200.0)


def test_a_song_is_found_with_where_it_was_posted(engine: sa.Engine) -> None:
    a_finished_song(engine, "1", user_id=5)
    entry = Songbook(engine).entry("1")
    assert entry is not None
    assert (entry.song, entry.user_id, entry.message_id) == (a_song("1"), 5, POSTED.message_id)
    assert Songbook(engine).entry("2") is None


def test_the_newest_videos_of_a_song_are_known(engine: sa.Engine) -> None:
    a_finished_song(engine, "1")
    songbook = Songbook(engine)
    for number in range(MAX_VIDEOS + 1):
        songbook.note_video("1", 10, number)
    songbook.note_video("2", 10, 5)
    entry = songbook.entry("1")
    assert entry is not None
    assert entry.videos == tuple((10, number) for number in range(1, MAX_VIDEOS + 1))


def test_a_video_that_was_posted_before_the_song_was_recorded_is_not_lost(engine: sa.Engine) -> None:
    library, job = Library(engine), a_job("1")
    with library.transaction() as connection:
        library.reserve(connection, job, 100.0)
    library.record_unposted(job, a_song("1"), 150.0)
    Songbook(engine).note_video("1", 10, 5)
    library.record_song(job, a_song("1"), POSTED, 200.0)
    entry = Songbook(engine).entry("1")
    assert entry is not None
    assert entry.videos == ((10, 5),)


def test_liking_twice_takes_it_back(engine: sa.Engine) -> None:
    a_finished_song(engine, "1")
    songbook = Songbook(engine)
    assert songbook.like("1", 7, 300.0) == (True, 1)
    assert songbook.like("1", 8, 300.0) == (True, 2)
    assert songbook.like("1", 7, 301.0) == (False, 1)
    entry = songbook.entry("1")
    assert entry is not None
    assert entry.likes == 1


def test_an_erased_song_leaves_what_it_cost_and_a_page_that_is_gone(engine: sa.Engine) -> None:
    a_finished_song(engine, "1")
    a_finished_song(engine, "2")
    with engine.begin() as connection:
        connection.execute(usage.update().where(usage.c.job_id == "1").values(page_id="p" * 22))
    songbook = Songbook(engine)
    songbook.like("1", 7, 300.0)
    songbook.erase(["1"], 400.0)
    songbook.erase(["1"], 401.0)
    assert songbook.entry("1") is None
    assert songbook.entry("2") is not None
    assert Library(engine).state("1") == "charged"
    with engine.connect() as connection:
        assert connection.execute(sa.select(gone_pages)).all() == [("p" * 22, 400.0)]


def test_quick_presses_of_one_member_wait_for_each_other(engine: sa.Engine) -> None:
    a_finished_song(engine, "1")
    with ThreadPoolExecutor(4) as threads:
        presses = list(threads.map(lambda _: Songbook(engine).like("1", 7, 300.0), range(80)))
    assert sorted(presses) == [(False, 0)] * 40 + [(True, 1)] * 40


def test_a_song_is_deleted_once_by_many_at_the_same_time(engine: sa.Engine) -> None:
    songbook = Songbook(engine)
    with ThreadPoolExecutor(4) as threads:
        for number in range(10):
            a_finished_song(engine, str(number), page_id=f"{number:022}")
            list(threads.map(lambda _, job_id=str(number): songbook.erase([job_id], 300.0), range(4)))
    with engine.connect() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(gone_pages)) == 10


def test_a_song_that_came_back_to_life_has_no_old_likes(engine: sa.Engine) -> None:
    a_finished_song(engine, "1")
    songbook = Songbook(engine)
    songbook.like("1", 7, 300.0)
    songbook.erase(["1"], 400.0)
    assert songbook.like("1", 7, 500.0) == (True, 1)


def test_a_server_starts_with_the_hosts_settings_and_keeps_its_own(engine: sa.Engine) -> None:
    guilds = Guilds(engine)
    assert guilds.settings_of(20) == GuildSettings()
    changed = guilds.change(20, lambda old: old.model_copy(update={"style": "jazz"}), 100.0)
    assert changed == guilds.settings_of(20) == GuildSettings(style="jazz")
    known, unknown = guilds.rules_of([20, 21]).values()
    assert (known.settings, known.changed_at) == (changed, 100.0)
    assert (unknown.settings, unknown.changed_at) == (GuildSettings(), 0.0)
    guilds.change(20, lambda old: old.model_copy(update={"seconds": 60}), 101.0)
    assert guilds.settings_of(20) == GuildSettings(style="jazz", seconds=60)
    assert guilds.settings_of(21) == GuildSettings()


def test_a_server_s_settings_of_a_newer_version_are_read_and_kept(engine: sa.Engine) -> None:
    guilds = Guilds(engine)
    guilds.change(20, lambda old: old.model_copy(update={"style": "jazz"}), 100.0)
    text = json.dumps({"style": "jazz", "nsfw": "blurred", "karaoke": True})
    with engine.begin() as connection:
        connection.execute(schema.guilds.update().values(settings=text))
    assert guilds.settings_of(20) == guilds.rules_of([20])[20].settings == GuildSettings(style="jazz")
    changed = guilds.change(20, lambda old: old.model_copy(update={"seconds": 60}), 101.0)
    assert changed == guilds.settings_of(20) == GuildSettings(style="jazz", seconds=60)
    with engine.connect() as connection:
        stored = json.loads(str(connection.scalar(sa.select(schema.guilds.c.settings))))
    assert (stored["nsfw"], stored["karaoke"], stored["seconds"]) == ("blurred", True, 60)


def test_a_change_that_fails_changes_nothing(engine: sa.Engine) -> None:
    guilds = Guilds(engine)

    def refuse(_old: GuildSettings) -> GuildSettings:
        raise Rejected("job.too_late")

    with pytest.raises(Rejected):
        guilds.change(20, refuse, 100.0)
    assert guilds.settings_of(20) == GuildSettings()


def test_a_server_that_was_left_is_known_until_it_is_erased(engine: sa.Engine) -> None:
    guilds = Guilds(engine)
    guilds.change(20, lambda old: old.model_copy(update={"style": "jazz"}), 100.0)
    guilds.leave(20, 200.0)
    guilds.leave(20, 250.0)
    guilds.leave(21, 200.0)
    guilds.come_back(21)
    assert guilds.left_before(200.0) == []
    assert guilds.left_before(201.0) == [20]
    guilds.erase(20)
    assert guilds.settings_of(20) == GuildSettings()
    assert guilds.left_before(1e9) == []
