import asyncio
import sqlite3
import stat
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from melodify_core.config.settings import Limits
from melodify_core.errors import Misconfigured, Rejected, Unavailable
from melodify_core.library import (
    Cap,
    Guilds,
    JobBook,
    Library,
    ProviderGate,
    Readings,
    connect,
    database,
    schema_state,
    upgrade,
)
from melodify_core.library.ledger import CLAIM_S
from melodify_core.library.schema import tables
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Bill, CancelResult, Job, Place, Wording
from melodify_core.services.moderation import Moderation
from melodify_core.storage.folder import FolderStorage
from melodify_core.storage.layout import take_keys
from melodify_core.usage.limits import check
from tests.briefs import BRIEF
from tests.fakes import RecordingDelivery, SongBench
from tests.jobs import POSTED, a_job, a_song

# What Melodify's first version made, with one song's row.
BEFORE_VERSIONS = """
CREATE TABLE usage (job_id VARCHAR(32) NOT NULL PRIMARY KEY, user_id BIGINT NOT NULL, guild_id BIGINT,
    created_at FLOAT NOT NULL, state VARCHAR(16) NOT NULL);
CREATE INDEX usage_by_user ON usage (user_id, created_at);
CREATE INDEX usage_by_state ON usage (state, created_at);
CREATE TABLE songs (job_id VARCHAR(32) NOT NULL PRIMARY KEY, user_id BIGINT NOT NULL, guild_id BIGINT,
    channel_id BIGINT NOT NULL, message_id BIGINT NOT NULL, private BOOLEAN NOT NULL, created_at FLOAT NOT NULL,
    song TEXT NOT NULL);
CREATE INDEX songs_by_user ON songs (user_id, created_at);
INSERT INTO usage VALUES ('7', 1, 20, 100.0, 'charged');
"""


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = connect(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def library(engine: sa.Engine) -> Library:
    return Library(engine)


def test_a_duty_is_one_holder_s_until_its_time_is_up(library: Library) -> None:
    assert library.lease("positions", "a", 100.0, 30.0)
    assert library.lease("positions", "a", 110.0, 30.0)
    assert not library.lease("positions", "b", 139.0, 30.0)
    assert library.lease("another", "b", 139.0, 30.0)
    assert library.lease("positions", "b", 140.0, 30.0)
    assert not library.lease("positions", "a", 140.0, 30.0)
    # As if a clock had been a day ahead.
    assert library.lease("positions", "c", 90_000.0, 30.0)
    assert library.lease("positions", "a", 141.0, 30.0)


def taken_for(library: Library, job: Job, limit: int, now: float = 300.0) -> list[str]:
    """Return the titles that a job must not take; it claims one that no other wants."""
    known: list[str] = []

    def choose(taken: Sequence[Wording]) -> Wording:
        known.extend(words.title for words in taken)
        return Wording(f"claimed by {job.job_id}", "A song.")

    library.claim_words(job, limit, choose, now)
    return [title for title in known if not title.startswith("claimed")]


def test_the_latest_titles_are_those_of_a_server_or_of_a_member(library: Library) -> None:
    for number, guild_id in enumerate((20, 20, 20, 21, None), 1):
        job = a_job(str(number), place=Place(channel_id=10, guild_id=guild_id))
        library.record_song(job, a_song(str(number), title=f"Song {number}"), POSTED, 200.0 + number)
    here, elsewhere, alone = (a_job("9", place=Place(channel_id=10, guild_id=guild)) for guild in (20, 22, None))
    assert taken_for(library, here, 2) == ["Song 3", "Song 2"]
    assert taken_for(library, a_job("3", place=here.place), 9) == ["Song 2", "Song 1"]
    assert taken_for(library, elsewhere, 9) == []
    assert taken_for(library, alone, 9) == [f"Song {number}" for number in (5, 4, 3, 2, 1)]
    assert taken_for(library, a_job("9", user_id=2, place=alone.place), 9) == []


TITLES = (
    "Amber Dusk",
    "Dusk, Slowly",
    "Song of Dusk",
    "Last Light",
    "Evening Song",
    "Half-Light",
    "Old Letters",
    "Home",
)


def first_free(taken: Sequence[Wording]) -> Wording:
    return next(Wording(title, f"{title}.") for title in TITLES if Wording(title, f"{title}.") not in taken)


def test_songs_that_are_mastered_at_the_same_time_have_different_titles(library: Library) -> None:
    jobs = [a_job(str(number), user_id=number % 3) for number in range(len(TITLES))]
    with ThreadPoolExecutor(len(jobs)) as threads:
        titles = list(threads.map(lambda job: library.claim_words(job, 9, first_free, 100.0).title, jobs))
    assert sorted(titles) == sorted(TITLES)


class MeetingFolder(FolderStorage):
    """A folder that hands out a take for mastering when two jobs want theirs: then both have their titles."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._two = asyncio.Barrier(2)

    async def load(self, key: str) -> bytes:
        if key in (take_keys("1")[0], take_keys("2")[0]):
            await self._two.wait()
        return await super().load(key)


async def test_two_jobs_that_reach_the_mastering_together_have_different_titles(
    library: Library, pool: WorkerPool, tmp_path: Path
) -> None:
    bench = SongBench(tmp_path, pool, ledger=library, storage=MeetingFolder(tmp_path))
    bench.reader.brief = BRIEF.model_copy(update={"spare_titles": ("Dusk, Slowly",)})
    for job_id in ("1", "2"):
        accept(library, job_id)
    await asyncio.gather(bench.run("1"), bench.run("2"))
    assert {song.title for song in bench.delivery.songs} == {"Amber Dusk", "Dusk, Slowly"}


def test_a_claimed_title_is_kept_for_its_job_and_its_place_and_for_an_hour(library: Library) -> None:
    first, second = a_job("1"), a_job("2")
    assert library.claim_words(first, 9, first_free, 100.0).title == TITLES[0]
    assert library.claim_words(first, 9, first_free, 101.0).title == TITLES[0]  # again, after a crash
    assert library.claim_words(second, 9, first_free, 102.0).title == TITLES[1]
    assert (
        library.claim_words(a_job("3", place=Place(channel_id=10, guild_id=77)), 9, first_free, 103.0).title
        == TITLES[0]
    )
    assert library.claim_words(a_job("4"), 9, first_free, 102.0 + CLAIM_S).title == TITLES[0]


@pytest.mark.parametrize(("ahead", "kept"), [(0.01, True), (60.0, True), (90_000.0, False)])
def test_a_title_that_was_claimed_by_a_clock_ahead_is_kept_unless_that_clock_is_wrong(
    library: Library, ahead: float, kept: bool
) -> None:
    assert library.claim_words(a_job("1"), 9, first_free, 100.0 + ahead).title == TITLES[0]
    assert library.claim_words(a_job("2"), 9, first_free, 100.0).title == TITLES[kept]


def test_of_songs_in_direct_messages_only_those_of_the_same_member_have_different_titles(library: Library) -> None:
    alone = Place(channel_id=10, guild_id=None)
    assert library.claim_words(a_job("1", user_id=1, place=alone), 9, first_free, 100.0).title == TITLES[0]
    assert library.claim_words(a_job("2", user_id=2, place=alone), 9, first_free, 100.0).title == TITLES[0]
    assert library.claim_words(a_job("3", user_id=1, place=alone), 9, first_free, 100.0).title == TITLES[1]


def test_it_is_known_which_jobs_own_files(library: Library) -> None:
    for job_id in ("1", "2", "3", "4"):
        accept(library, job_id)
    library.record_song(a_job("2"), a_song("2"), POSTED, 200.0)
    for job_id in ("3", "4"):
        library.refund(job_id, 200.0)
    library.mark_gone("picture", ["2", "4"])
    owners = library.owners({"1", "2", "3", "4", "5"})
    found = set(owners.open), set(owners.pictures), set(owners.songs)
    assert found == ({"1"}, {"1", "3"}, {"2"})
    assert library.owners(set()).open == set()
    assert library.identity() == library.identity()


def test_of_many_who_want_a_duty_at_once_one_has_it(library: Library) -> None:
    with ThreadPoolExecutor(8) as threads:
        taken = list(threads.map(lambda name: library.lease("positions", str(name), 100.0, 30.0), range(8)))
    assert taken.count(True) == 1


def accept(library: Library, job_id: str, user_id: int = 1, now: float = 100.0) -> None:
    with library.transaction() as connection:
        library.reserve(connection, a_job(job_id, user_id), now)


def test_sqlite_is_in_write_ahead_mode(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/melodify.db")
    Library(engine).create_schema()
    engine.dispose()
    with closing(sqlite3.connect(tmp_path / "melodify.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def modes(folder: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


def test_an_old_sqlite_too_knows_the_time_as_the_engine_asks_for_it_on_a_newer_python(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/melodify.db")
    with engine.begin() as connection:
        # As DBOS has it in its schema on Python 3.12 and newer.
        made = "CREATE TABLE queues (name TEXT, at INTEGER NOT NULL DEFAULT (unixepoch('subsec') * 1000))"
        connection.exec_driver_sql(made)
        connection.exec_driver_sql("INSERT INTO queues (name) VALUES ('songs')")
        at = connection.exec_driver_sql("SELECT at FROM queues").scalar_one()
    engine.dispose()
    assert at == pytest.approx(1000 * time.time(), abs=60_000)


def test_sqlite_s_files_are_for_us_alone_new_ones_and_old_ones(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/melodify.db")
    Library(engine).create_schema()
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))
        assert modes(tmp_path) == dict.fromkeys(("melodify.db", "melodify.db-wal", "melodify.db-shm"), 0o600)
        (tmp_path / "melodify.db.lock").touch()
        for path in tmp_path.iterdir():
            path.chmod(0o644)
        connect(f"sqlite:///{tmp_path}/melodify.db").dispose()
        assert set(modes(tmp_path).values()) == {0o600}
        assert len(modes(tmp_path)) == 4
    engine.dispose()


def test_a_database_that_may_only_be_read_may_be_so_by_us_alone(tmp_path: Path) -> None:
    connect(f"sqlite:///{tmp_path}/melodify.db").dispose()
    (tmp_path / "melodify.db").chmod(0o444)
    connect(f"sqlite:///{tmp_path}/melodify.db").dispose()
    assert modes(tmp_path)["melodify.db"] == 0o400


def test_a_database_that_cannot_be_migrated_is_named(tmp_path: Path) -> None:
    path = tmp_path / "melodify.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(BEFORE_VERSIONS)
    engine = connect(f"sqlite:///{path}")

    def forbid(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA query_only=ON")

    sa.event.listen(engine, "checkout", forbid)
    with pytest.raises(Misconfigured, match=f"database.url: {path} cannot be migrated: attempt to write a readonly"):
        upgrade(engine)
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:geheim@[::1/db",
        "postgresql://me:geheim@localhost:99x/db",
        "postgresql://me:geheim@he:im/geheim@localhost/db",
        "postgresql://127.0.0.1:1/x?foo=1",
        "postgresql://127.0.0.1:99999/x",
        "sqlite:///{}/melodify.db?timeout=soon",
        "sqlite:///{}/melodify\0.db",
    ],
)
def test_an_address_that_is_none_gets_a_sentence_without_its_password(url: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"^database\.url.* cannot be (used|read)") as refused:
        connect(url.format(tmp_path))
    assert "geheim" not in str(refused.value)


def test_a_reserved_job_counts_and_waits(library: Library) -> None:
    accept(library, "1", now=100.0)
    usage = library.standing_of(1, 20, 50.0)
    assert usage.used_at == (100.0,)
    assert usage.waiting == 1
    assert library.standing_of(2, 20, 50.0).used_at == ()


def test_an_open_job_waits_however_old_it_is_and_an_ended_one_is_forgotten_by_the_limits(library: Library) -> None:
    accept(library, "1", now=100.0)
    assert library.standing_of(1, 20, 100.0).waiting == 1
    library.record_song(a_job("1"), a_song("1"), POSTED, now=200.0)
    assert library.standing_of(1, 20, 100.0).used_at == ()


def test_of_a_job_that_is_asked_about_it_is_told_whether_it_is_known_and_it_does_not_count(library: Library) -> None:
    accept(library, "1", now=100.0)
    accept(library, "2", now=101.0)
    standing = library.standing_of(1, 20, 0.0, job_id="2")
    assert standing.known
    assert (standing.used_at, standing.waiting) == ((100.0,), 1)
    assert not library.standing_of(1, 20, 0.0, job_id="3").known
    # Whatever its end was and whoever asks: a repeat is a repeat.
    library.refund("2", 102.0)
    assert library.standing_of(7, 20, 0.0, job_id="2").known


def test_a_job_that_a_moderator_gave_back_does_not_count(library: Library) -> None:
    accept(library, "1", now=100.0)
    library.record_song(a_job("1"), a_song("1"), POSTED, now=200.0)
    assert library.reset_usage(1, 21) == 0
    assert library.reset_usage(1, 20) == 1
    assert library.standing_of(1, 20, 0.0).used_at == ()


def test_a_refunded_job_does_not_count(library: Library) -> None:
    accept(library, "1")
    library.refund("1", 150.0)
    assert library.standing_of(1, 20, 0.0).used_at == ()


def test_a_charged_job_counts_and_no_longer_waits(library: Library) -> None:
    accept(library, "1")
    library.record_song(a_job("1"), a_song("1"), POSTED, now=200.0)
    usage = library.standing_of(1, 20, 0.0)
    assert (len(usage.used_at), usage.waiting) == (1, 0)
    assert library.song("1") == a_song("1")


def test_a_charged_job_cannot_be_refunded_nor_a_refunded_one_charged(library: Library) -> None:
    accept(library, "1")
    accept(library, "2")
    library.record_song(a_job("1"), a_song("1"), POSTED, now=200.0)
    library.refund("1", 150.0)
    library.refund("2", 150.0)
    library.record_song(a_job("2"), a_song("2"), POSTED, now=200.0)
    assert library.state("1") == "charged"
    assert library.state("2") == "refunded"


def test_keeping_twice_is_keeping_once(library: Library) -> None:
    accept(library, "1")
    for now in (200.0, 300.0):
        library.record_song(a_job("1"), a_song("1"), POSTED, now=now)
    assert library.song("1") == a_song("1")
    assert library.song("2") is None


def test_the_position_counts_those_who_wait_in_front(library: Library) -> None:
    for number in range(1, 4):
        accept(library, str(number), user_id=number, now=100.0 + number)
    assert [library.outlook(str(number))[0] for number in range(1, 4)] == [1, 2, 3]
    library.start("1", 150.0)
    assert [library.outlook(str(number))[0] for number in range(1, 4)] == [0, 1, 2]
    assert library.open_jobs() == 3


def test_a_transaction_keeps_other_writers_out_until_it_ends(library: Library) -> None:
    order: list[str] = []

    def other() -> None:
        accept(library, "2")
        order.append("other")

    with library.transaction() as connection:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(0.2)
        library.reserve(connection, a_job("1"), 100.0)
        order.append("first")
    thread.join()
    assert order == ["first", "other"]


def test_a_failed_transaction_leaves_nothing(library: Library) -> None:
    def reserve_and_fail() -> None:
        with library.transaction() as connection:
            library.reserve(connection, a_job("1"), 100.0)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        reserve_and_fail()
    assert library.state("1") is None


def test_a_place_that_cannot_hold_a_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(Misconfigured, match=r"database\.url: .*cannot be used"):
        connect(f"sqlite:///{tmp_path}/file/melodify.db")


def test_a_file_that_is_no_database_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "melodify.db").write_bytes(b"this is not a database at all" * 100)
    with pytest.raises(Misconfigured, match="not a database"):
        connect(f"sqlite:///{tmp_path}/melodify.db")


def test_what_counts_is_told_of_member_server_and_all(library: Library) -> None:
    accept(library, "1", user_id=1)
    accept(library, "2", user_id=2)
    library.start("2", 110.0)
    library.book("1", "call1", Bill(provider="p", model="m", dollars=0.5), 120.0)
    standing = library.standing_of(1, 20, 50.0)
    assert (standing.waiting, standing.guild_waiting, standing.all_waiting) == (1, 2, 2)
    assert len(standing.guild_used_at) == 2
    assert standing.spent == standing.guild_spent == ((120.0, 0.5),)
    assert library.standing_of(1, 21, 50.0).guild_spent == ()


def test_payments_add_up_for_a_job(library: Library) -> None:
    accept(library, "1")
    for dollars in (0.25, 0.5):
        library.book("1", f"call {dollars}", Bill(provider="p", model="m", dollars=dollars), 120.0)
    assert library.spent("1") == pytest.approx(0.75)
    assert library.spent("2") == 0.0


def test_a_job_that_waits_can_be_withdrawn_and_then_does_not_start(library: Library) -> None:
    accept(library, "1")
    assert library.cancel_queued("1", 110.0)
    assert not library.cancel_queued("1", 111.0)
    assert not library.start("1", 112.0)
    assert library.state("1") == "withdrawn"
    assert library.standing_of(1, 20, 50.0).used_at == ()


def test_a_job_that_runs_is_asked_to_stop(library: Library) -> None:
    accept(library, "1")
    assert not library.request_cancel("1")
    assert library.start("1", 110.0)
    assert library.start("1", 111.0)  # again, after a crash
    assert not library.cancel_queued("1", 112.0)
    assert library.request_cancel("1")
    assert library.cancelled(["1", "2"]) == {"1"}
    assert library.cancelled([]) == set()


def test_a_cancelled_job_counts_when_something_was_paid_for_it(library: Library) -> None:
    accept(library, "1")
    accept(library, "2")
    library.book("1", "call", Bill(provider="lyria", model="m", dollars=0.06), 110.0)
    library.end_cancelled("1", 120.0)
    library.end_cancelled("2", 120.0)
    assert (library.state("1"), library.state("2")) == ("forfeited", "refunded")
    assert len(library.standing_of(1, 20, 50.0).used_at) == 1


def test_a_song_is_known_before_it_is_posted_and_gone_when_it_is_not_posted_in_the_end(library: Library) -> None:
    for job_id in ("1", "2", "3"):
        accept(library, job_id)
        library.start(job_id, 110.0)
        assert library.record_unposted(a_job(job_id), a_song(job_id), 120.0)
        assert library.record_unposted(a_job(job_id), a_song(job_id), 121.0)  # again, after a crash
        assert library.song(job_id) == a_song(job_id)
    assert library.record_song(a_job("1"), a_song("1"), POSTED, 130.0)
    library.refund("2", 130.0, "discord.unavailable")
    library.end_cancelled("3", 130.0)
    assert [library.song(job_id) for job_id in ("1", "2", "3")] == [a_song("1"), None, None]


def test_a_song_is_kept_or_cancelled_never_both(library: Library) -> None:
    for job_id in ("1", "2"):
        accept(library, job_id)
        library.start(job_id, 110.0)
    assert library.request_cancel("1")
    assert not library.record_unposted(a_job("1"), a_song("1"), 120.0)
    assert not library.record_song(a_job("1"), a_song("1"), POSTED, 120.0)
    library.end_cancelled("1", 130.0)
    assert not library.record_song(a_job("1"), a_song("1"), POSTED, 140.0)  # again, after a crash
    assert (library.state("1"), library.song("1")) == ("refunded", None)
    assert library.record_song(a_job("2"), a_song("2"), POSTED, 120.0)
    assert not library.request_cancel("2")


def test_an_order_is_known_without_its_record(library: Library) -> None:
    accept(library, "1")
    accepted = library.accepted_order("1")
    assert accepted is not None
    assert accepted.place == a_job("1").place
    assert (accepted.user_id, accepted.state, accepted.language) == (1, "waiting", "en")
    assert accepted.picture_key == "pictures/1.jpg"
    assert library.accepted_order("2") is None


def test_the_typical_time_is_the_median_of_the_latest_songs(library: Library) -> None:
    assert library.typical_s() is None
    for number, seconds in enumerate((5.0, 7.0, 100.0), start=1):
        accept(library, str(number), user_id=number)
        library.start(str(number), 200.0)
        library.record_song(a_job(str(number), number), a_song(str(number)), POSTED, now=200.0 + seconds)
    assert library.typical_s() == pytest.approx(7.0)


def test_old_jobs_are_found_and_forgotten(library: Library) -> None:
    accept(library, "1", now=100.0)
    accept(library, "2", user_id=2, now=100.0)
    library.record_song(a_job("1"), a_song("1"), POSTED, now=120.0)
    assert library.open_since(150.0) == ["2"]
    assert library.expired("record", 150.0, 10) == library.expired("song", 150.0, 10) == ["1"]
    library.mark_gone("record", ["1"])
    assert library.expired("record", 150.0, 10) == []
    assert library.song("1") is not None
    library.mark_gone("song", ["1"])
    assert library.song("1") is None
    assert library.state("1") == "charged"


def test_an_old_job_that_is_queued_again_is_young_in_the_queue_and_old_for_limits(library: Library) -> None:
    accept(library, "1", now=100.0)
    library.refund("1", 120.0, "music.failed")
    accept(library, "2", user_id=2, now=900.0)
    with library.transaction() as connection:
        assert JobBook(connection.engine).reopen(connection, "1", 1000.0) == 1000
    assert library.queue().oldest_at == 900.0
    assert library.open_since(950.0) == ["2"]
    assert library.open_since(1001.0) == ["2", "1"]
    assert library.waiting() == ["2", "1"]
    assert library.standing_of(1, 20, 50.0).used_at == (100.0,)


async def test_readings_are_remembered_for_their_hours_and_the_oldest_go_first(engine: sa.Engine) -> None:
    memory = Readings(engine, 1, 2)
    for question in ("a", "b", "c"):
        await memory.remember(question, BRIEF)
    assert await memory.recall("c") == BRIEF
    assert await memory.recall("a") is None
    assert await Readings(engine, 0, 2).recall("c") is None


def test_a_hundred_parallel_orders_against_a_limit_of_three_are_thirty(library: Library) -> None:
    limits = Limits(songs_per_minute=0, songs_per_hour=3, waiting_per_user=0)

    def order(number: int) -> bool:
        user_id = number % 10
        with library.transaction() as connection:
            standing = library.standing_of(user_id, 20, 0.0, connection)
            try:
                check(limits, standing, 200.0)
            except Rejected:
                return False
            library.reserve(connection, a_job(str(number), user_id), 100.0)
        return True

    with ThreadPoolExecutor(20) as threads:
        assert sum(threads.map(order, range(100))) == 30


async def test_no_more_calls_at_once_than_the_cap(database_url: str) -> None:
    engine = connect(database_url)
    upgrade(engine)
    running, most = 0, 0

    async def call(gate: ProviderGate, job_id: str) -> None:
        nonlocal running, most
        async with gate("lyria", job_id):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.05)
            running -= 1

    # Two gates are two processes: they share nothing but the database.
    gates = [ProviderGate(engine, {"lyria": Cap(2, 0, 60.0)}, 30.0) for _ in range(2)]
    await asyncio.gather(*(call(gates[number % 2], str(number)) for number in range(8)))
    assert most == 2
    engine.dispose()


async def test_no_more_starts_in_a_minute_than_the_cap_and_a_dead_call_frees_its_place(database_url: str) -> None:
    engine, now = connect(database_url), [1000.0]
    upgrade(engine)
    gate = ProviderGate(engine, {"openai": Cap(1, 2, 30.0)}, 2.0, lambda: now[0])
    async with gate("openai", "1"), gate("palette", "1"):
        with pytest.raises(Unavailable):
            await gate.enter("openai", "2")
    # The same job's next call is another one.
    async with gate("openai", "1"):
        now[0] += 40.0  # as if the process had died in the call: its place is free, its start still counts
        with pytest.raises(Unavailable):
            await gate.enter("openai", "2")
        now[0] += 21.0
        async with gate("openai", "2"):
            pass
    engine.dispose()


async def test_calls_from_before_the_clock_was_set_back_take_no_place(database_url: str) -> None:
    engine, now = connect(database_url), [10_000.0]
    upgrade(engine)
    gate = ProviderGate(engine, {"openai": Cap(1, 1, 30.0)}, 30.0, lambda: now[0])
    async with gate("openai", "1"):
        pass
    now[0] = 5_000.0
    await gate.enter("openai", "2")  # this process dies
    now[0] = 1_000.0
    await gate.enter("openai", "3")
    now[0] = 9_000.0
    await gate.leave("openai", "3")
    now[0] = 1_100.0
    async with gate("openai", "4"):
        pass
    engine.dispose()


async def test_a_job_keeps_its_place_over_a_crash_and_what_has_begun_never_waits(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/melodify.db")
    upgrade(engine)
    caps = {"pipeline": Cap(1, 0, 3600.0)}
    await ProviderGate(engine, caps, 0.3).enter("pipeline", "1")  # this process dies
    survivor = ProviderGate(engine, caps, 0.3)
    with pytest.raises(Unavailable, match=r"provider\.busy"):
        await survivor.enter("pipeline", "2")
    async with survivor("pipeline", "1", begun=True):
        async with survivor("pipeline", "3", begun=True):
            pass
        with pytest.raises(Unavailable):
            await survivor.enter("pipeline", "2")
    await survivor.enter("pipeline", "2")
    engine.dispose()


async def test_a_cancelled_entrance_leaves_no_place_taken(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/melodify.db")
    upgrade(engine)
    gate = ProviderGate(engine, {"lyria": Cap(1, 0, 3600.0)}, 5.0)

    async def call(number: int) -> None:
        async with gate("lyria", str(number)):
            await asyncio.sleep(10)

    for number in range(40):
        task = asyncio.create_task(call(number))
        await asyncio.sleep(number / 4000)  # at every moment of the entrance, and inside
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(3), gate("lyria", "last"):
        pass
    engine.dispose()


async def test_a_gate_that_cannot_be_left_keeps_the_result(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/melodify.db")
    upgrade(engine)
    async with ProviderGate(engine, {"lyria": Cap(1, 0, 60.0)}, 5.0)("lyria", "1"):
        with engine.begin() as connection:
            connection.execute(sa.text("DROP TABLE calls"))
    engine.dispose()


def test_open_jobs_reserve_what_is_not_booked_of_them_yet(library: Library) -> None:
    with library.transaction() as connection:
        for job_id in ("1", "2", "3"):
            library.reserve(connection, a_job(job_id), 100.0, 0.06)
        elsewhere = a_job("4").model_copy(update={"place": Place(channel_id=1, guild_id=9)})
        library.reserve(connection, elsewhere, 100.0, 0.01)
    bill = Bill(provider="vertex", model="m", dollars=0.04)
    library.book("2", "call3", bill, 100.0)  # 2 cents of it are left
    library.book("3", "call4", bill.model_copy(update={"dollars": 0.09}), 100.0)  # more than expected: nothing is left
    standing = library.standing_of(1, 9, 0.0)
    assert standing.reserved == pytest.approx(0.09)
    assert standing.guild_reserved == pytest.approx(0.01)
    library.refund("1", 101.0)
    assert library.standing_of(1, 9, 0.0).reserved == pytest.approx(0.03)


async def test_all_jobs_of_a_server_that_was_left_end(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/melodify.db")
    library, guilds, book = Library(engine), Guilds(engine), JobBook(engine)
    library.create_schema()
    with library.transaction() as connection:
        for number in range(40):
            library.reserve(connection, a_job(str(number)), 100.0)
    guilds.leave(20, 100.0)
    cancelled: list[str] = []

    async def cancel(job_id: str) -> CancelResult:
        cancelled.append(job_id)
        return CancelResult(caller_informs_asker=False, language="en")

    async def told(job_id: str) -> None:
        raise AssertionError(job_id)  # the worker that runs the job reports it

    moderation = Moderation(guilds, book, library, RecordingDelivery(), cancel, told)
    assert len(await moderation.open_jobs(20)) == 25  # as many as a list shows
    assert await moderation.erase_left_servers(200.0) == 1
    assert len(cancelled) == 40
    engine.dispose()


def test_the_migrations_make_the_tables_of_the_schema(database_url: str) -> None:
    engine = connect(database_url)
    assert schema_state(engine) == "empty"
    upgrade(engine)
    assert schema_state(engine) == "current"
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": "melodify_version"})
        assert compare_metadata(context, tables) == []
    engine.dispose()


def test_a_database_from_before_versions_is_migrated(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "melodify.db")) as connection:
        connection.executescript(BEFORE_VERSIONS)
    engine = connect(f"sqlite:///{tmp_path}/melodify.db")
    assert schema_state(engine) == "old"
    library = Library(engine)
    library.create_schema()
    assert schema_state(engine) == "current"
    assert library.state("7") == "charged"
    engine.dispose()


def test_the_takes_of_an_earlier_database_know_whose_picture_they_show(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "melodify.db")) as connection:
        connection.executescript(Path(__file__).with_name("database_7b42462.sql").read_text())
        copied = connection.execute("SELECT * FROM songs LIMIT 1").fetchone()
        connection.execute("DELETE FROM songs")
        # The parent of the fourth one was deleted.
        for job_id, parent in (("1", None), ("2", "1"), ("3", "2"), ("4", "0"), ("5", "4")):
            connection.execute(f"INSERT INTO songs VALUES ({','.join('?' * len(copied))})", (job_id, *copied[1:]))  # noqa: S608
            connection.execute("UPDATE songs SET parent_id = ? WHERE job_id = ?", (parent, job_id))
        connection.commit()
    engine = connect(f"sqlite:///{tmp_path}/melodify.db")
    upgrade(engine)
    with engine.connect() as migrated:
        roots = migrated.execute(sa.text("SELECT job_id, root_id, videos FROM songs ORDER BY job_id")).all()
    assert [row.root_id for row in roots] == [None, "1", "1", "0", "0"]
    assert {row.videos for row in roots} == {"[]"}
    engine.dispose()


def test_postgres_is_not_migrated_unasked(postgres_url: str) -> None:
    engine = connect(postgres_url)
    with pytest.raises(Misconfigured, match="melodify migrate"):
        Library(engine).create_schema()
    upgrade(engine)
    Library(engine).create_schema()
    engine.dispose()


def test_a_newer_schema_is_refused(database_url: str) -> None:
    engine = connect(database_url)
    upgrade(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE melodify_version SET version_num = '9999'"))
    for attempt in (Library(engine).create_schema, lambda: upgrade(engine)):
        with pytest.raises(Misconfigured, match="newer Melodify"):
            attempt()
    engine.dispose()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"port": 1}, "cannot be used"),
        ({"database": "nowhere"}, "does not exist"),
        ({"username": "nobody", "password": "hunter2"}, "cannot be used"),
    ],
)
def test_a_postgres_that_cannot_be_used_is_one_sentence_without_a_password(
    postgres_url: str, change: dict[str, Any], reason: str
) -> None:
    url = sa.make_url(postgres_url).set(**change)
    with pytest.raises(Misconfigured) as caught:
        connect(url.render_as_string(hide_password=False))
    [sentence] = caught.value.problems
    assert reason in sentence
    assert "hunter2" not in sentence
    assert "\n" not in sentence


def test_connections_that_a_restart_killed_are_replaced_unseen(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine, other = connect(postgres_url), connect(postgres_url)
    upgrade(engine)
    library = Library(engine)
    with library.reading() as first, library.reading() as second:
        pids = [c.exec_driver_sql("SELECT pg_backend_pid()").scalar() for c in (first, second)]
    with other.begin() as connection:
        for pid in pids:
            assert connection.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid}).scalar()
    # As if they had lain there for longer.
    monkeypatch.setattr(database, "PING_AFTER_IDLE_S", 0.0)
    assert library.open_jobs() == 0
    assert library.open_jobs() == 0
    other.dispose()
    engine.dispose()


def test_a_connection_that_was_killed_a_moment_after_its_use_costs_one_question(postgres_url: str) -> None:
    engine, other = connect(postgres_url), connect(postgres_url)
    upgrade(engine)
    library = Library(engine)
    with library.reading() as mine:
        pid = mine.exec_driver_sql("SELECT pg_backend_pid()").scalar()
    with other.begin() as connection:
        assert connection.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid}).scalar()
    with suppress(Unavailable):
        library.open_jobs()
    assert library.open_jobs() == 0
    other.dispose()
    engine.dispose()


def test_a_database_that_went_away_is_told_as_such(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/melodify.db")
    with pytest.raises(Unavailable, match=r"database\.unavailable"):
        Library(engine).open_jobs()  # no such table
    engine.dispose()
