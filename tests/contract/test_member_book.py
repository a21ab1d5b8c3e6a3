"""What is known of a member, on both databases, and how all of it ends."""

import asyncio
import time
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from melodify_core.library import Library, MemberBook, Readings, Songbook, connect, upgrade
from melodify_core.library.schema import likes, readings, songs, usage
from melodify_core.models import Job, MemberSettings, Place, Posted, Wish
from melodify_core.usage.limits import DAY_S
from melodify_core.usage.pseudonym import alias_of
from tests.briefs import BRIEF
from tests.jobs import a_job, a_song

SALT = b"salt"


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = connect(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


def a_finished_song(engine: sa.Engine, job: Job, now: float = 200.0) -> None:
    library = Library(engine, SALT)
    with library.transaction() as connection:
        library.reserve(connection, job, now)
    song = a_song(job.job_id).model_copy(update={"brief": BRIEF, "wish": Wish()})
    library.record_song(job, song, Posted(channel_id=11, message_id=12), now + 10)


def a_job_in(channel_id: int, job_id: str, user_id: int = 1, *, private: bool = False) -> Job:
    place = Place(channel_id=channel_id, guild_id=20)
    return a_job(job_id, user_id).model_copy(update={"place": place, "private": private})


def ids(page: object) -> list[str]:
    return [entry.song.job_id for entry in page.entries]  # type: ignore[attr-defined]  # a Page


def test_a_member_s_list_has_the_newest_first_page_by_page(engine: sa.Engine) -> None:
    for number in range(5):
        a_finished_song(engine, a_job_in(10, str(number), private=number == 3), now=100.0 + number)
    a_finished_song(engine, a_job_in(10, "9", user_id=2))
    book = MemberBook(engine)
    first = book.own_songs(1, "newest", 0, 2)
    assert (ids(first), first.total) == (["4", "3"], 5)
    assert ids(book.own_songs(1, "newest", 4, 2)) == ["0"]
    assert ids(book.own_songs(3, "newest", 0, 2)) == []


def test_the_best_liked_come_first_and_the_newer_of_equals(engine: sa.Engine) -> None:
    for number in range(3):
        a_finished_song(engine, a_job_in(10, str(number)), now=100.0 + number)
    Songbook(engine).like("0", 7, 300.0)
    assert ids(MemberBook(engine).own_songs(1, "liked", 0, 9)) == ["0", "2", "1"]


def test_a_server_s_list_shows_only_public_songs_of_channels_that_the_reader_sees(engine: sa.Engine) -> None:
    a_finished_song(engine, a_job_in(10, "1"))
    a_finished_song(engine, a_job_in(66, "2"))
    a_finished_song(engine, a_job_in(10, "3", private=True))
    book = MemberBook(engine)
    assert ids(book.public_songs(20, {10}, "newest", 0, 9)) == ["1"]
    assert ids(book.public_songs(21, {10}, "newest", 0, 9)) == []
    assert ids(book.public_songs(20, set(), "newest", 0, 9)) == []


def test_who_is_forgotten_leaves_no_name_no_song_no_like_and_no_reading(engine: sa.Engine) -> None:
    now = time.time()
    a_finished_song(engine, a_job_in(10, "1"), now - 60)
    a_finished_song(engine, a_job_in(10, "2"), now - 2 * DAY_S)
    a_finished_song(engine, a_job_in(10, "3", user_id=2), now - 60)
    asyncio.run(Readings(engine, 1, 10).remember("question", BRIEF))
    Songbook(engine).like("3", 1, now)
    book = MemberBook(engine)
    assert sorted(book.jobs(1)) == ["1", "2"]
    alias = alias_of(1, SALT)
    assert book.forget(1, alias, now, now - DAY_S) == 2
    assert book.jobs(1) == []
    with engine.connect() as connection:
        rows = connection.execute(sa.select(usage.c.job_id, usage.c.user_id, usage.c.brief_order)).all()
        assert sorted(rows)[:2] == [("1", alias, None), ("2", 0, None)]
        assert [row.user_id for row in connection.execute(sa.select(songs))] == [2]
        assert connection.execute(sa.select(likes)).all() == []
        assert connection.execute(sa.select(readings)).all() == []
    assert book.forget(1, alias, now, now - DAY_S) == 0


def test_limits_hold_for_who_was_forgotten_until_they_would_have_ended(engine: sa.Engine) -> None:
    now = time.time()
    library = Library(engine, SALT)
    a_finished_song(engine, a_job_in(10, "1"), now - 60)
    MemberBook(engine).forget(1, alias_of(1, SALT), now, now - DAY_S)
    assert len(library.standing_of(1, 20, now - DAY_S).used_at) == 1
    assert library.standing_of(2, 20, now - DAY_S).used_at == ()
    library.drop_aliases(now - DAY_S)
    assert len(library.standing_of(1, 20, now - DAY_S).used_at) == 1
    library.drop_aliases(now)
    assert library.standing_of(1, 20, now - DAY_S).used_at == ()


def test_what_a_member_chooses_is_kept_for_lists_and_forgotten_with_the_member(engine: sa.Engine) -> None:
    book = MemberBook(engine)
    a_finished_song(engine, a_job_in(10, "1", user_id=1))
    a_finished_song(engine, a_job_in(10, "2", user_id=2))
    assert book.settings_of(1) == MemberSettings()
    assert book.change_settings(1, lambda before: before.model_copy(update={"named": False})).notify is None
    changed = book.change_settings(1, lambda before: before.model_copy(update={"notify": True}))
    assert changed == book.settings_of(1) == MemberSettings(named=False, notify=True)
    assert book.public_songs(20, {10}, "newest", 0, 9).unnamed == {1}
    # A newer version has another choice.
    with engine.begin() as connection:
        connection.execute(sa.text('UPDATE members SET settings = \'{"named": false, "colour": 3}\''))
    assert book.change_settings(1, lambda before: before.model_copy(update={"notify": False})).named is False
    assert book.public_songs(20, {10}, "newest", 0, 9).unnamed == {1}
    with engine.connect() as connection:
        assert '"colour":3' in str(connection.scalar(sa.text("SELECT settings FROM members")))
    book.forget(1, alias_of(1, SALT), 300.0, 0.0)
    assert book.settings_of(1) == MemberSettings()


def test_a_song_knows_its_page(engine: sa.Engine) -> None:
    a_finished_song(engine, a_job_in(10, "1").model_copy(update={"page_id": "p" * 22}))
    entry = Songbook(engine).entry("1")
    assert entry is not None
    assert entry.page_id == "p" * 22


def test_open_jobs_are_those_that_wait_or_run(engine: sa.Engine) -> None:
    library = Library(engine)
    for job_id in ("1", "2", "3"):
        with library.transaction() as connection:
            library.reserve(connection, a_job(job_id), 100.0)
    library.start("2", 101.0)
    library.refund("3", 102.0)
    assert sorted(MemberBook(engine).open_jobs(1)) == ["1", "2"]


def test_an_alias_is_no_discord_id_and_needs_the_salt() -> None:
    aliases = {alias_of(user_id, SALT) for user_id in range(1000)}
    assert len(aliases) == 1000
    assert max(aliases) < 0
    assert min(aliases) >= -(2**63)
    assert alias_of(1, SALT) != alias_of(1, b"other")


def test_a_take_belongs_to_the_picture_s_member_however_long_the_chain(engine: sa.Engine) -> None:
    a_finished_song(engine, a_job("1", 1))
    a_finished_song(engine, a_job("2", 2, parent_id="1"))
    a_finished_song(engine, a_job("3", 1, parent_id="2"))
    Songbook(engine).erase(["2"], 300.0)
    a_finished_song(engine, a_job("4", 3, parent_id="3"))
    Songbook(engine).erase(["1"], 300.0)
    book = MemberBook(engine)
    assert [posts.job_id for posts in book.takes_of_pictures(1)] == ["4"]
    assert book.takes_of_pictures(2) == []
    assert book.takes_of_pictures(3) == []


def test_a_record_that_cannot_be_read_hides_no_other_and_its_posts_are_known(engine: sa.Engine) -> None:
    for job_id in ("1", "2"):
        a_finished_song(engine, a_job(job_id))
    with engine.begin() as connection:
        connection.execute(songs.update().where(songs.c.job_id == "1").values(song="{}"))
    book = MemberBook(engine)
    assert ids(book.own_songs(1, "newest", 0, 9)) == ["2"]
    assert {(posts.job_id, posts.message_id) for posts in book.posted(1)} == {("1", 12), ("2", 12)}
