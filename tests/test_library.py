import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from melodify_core.errors import Misconfigured
from melodify_core.library import Library, connect
from tests.jobs import POSTED, a_job, a_song


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    engine = connect(f"sqlite:///{tmp_path}/sub/melodify.db")
    library = Library(engine)
    library.create_schema()
    yield library
    engine.dispose()


def accept(library: Library, job_id: str, user_id: int = 1, now: float = 100.0) -> None:
    with library.transaction() as connection:
        library.reserve(connection, a_job(job_id, user_id), now)


def test_the_database_is_in_write_ahead_mode(library: Library, tmp_path: Path) -> None:
    accept(library, "1")
    with sqlite3.connect(tmp_path / "sub" / "melodify.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_a_reserved_job_counts_and_waits(library: Library) -> None:
    accept(library, "1", now=100.0)
    usage = library.usage(1, since=50.0)
    assert usage.used_at == (100.0,)
    assert usage.waiting == 1
    assert library.usage(2, since=50.0).used_at == ()
    assert library.usage(1, since=100.0).used_at == ()


def test_a_refunded_job_does_not_count(library: Library) -> None:
    accept(library, "1")
    library.refund("1")
    assert library.usage(1, since=0.0).used_at == ()


def test_a_charged_job_counts_and_no_longer_waits(library: Library) -> None:
    accept(library, "1")
    library.keep(a_job("1"), a_song("1"), POSTED, now=200.0)
    usage = library.usage(1, since=0.0)
    assert (len(usage.used_at), usage.waiting) == (1, 0)
    assert library.song("1") == a_song("1")


def test_a_charged_job_cannot_be_refunded_nor_a_refunded_one_charged(library: Library) -> None:
    accept(library, "1")
    accept(library, "2")
    library.keep(a_job("1"), a_song("1"), POSTED, now=200.0)
    library.refund("1")
    library.refund("2")
    library.keep(a_job("2"), a_song("2"), POSTED, now=200.0)
    assert library.state("1") == "charged"
    assert library.state("2") == "refunded"


def test_keeping_twice_is_keeping_once(library: Library) -> None:
    accept(library, "1")
    for now in (200.0, 300.0):
        library.keep(a_job("1"), a_song("1"), POSTED, now=now)
    assert library.song("1") == a_song("1")
    assert library.song("2") is None


def test_the_position_counts_those_who_wait_in_front(library: Library) -> None:
    for number in range(1, 4):
        accept(library, str(number), user_id=number, now=100.0 + number)
    assert [library.position(str(number)) for number in range(1, 4)] == [1, 2, 3]
    library.start("1")
    assert [library.position(str(number)) for number in range(1, 4)] == [0, 1, 2]
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
