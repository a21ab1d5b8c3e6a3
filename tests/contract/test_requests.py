"""What was asked outlives the process that served it, on both databases, and two processes never serve one request."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from melodify_core.errors import Unavailable
from melodify_core.library import RequestBook, connect, upgrade
from melodify_core.library.requests import Change
from melodify_core.library.schema import requests
from melodify_core.services.request_journal import LEASE_S, RequestJournal


@pytest.fixture
def engine(database_url: str) -> Iterator[sa.Engine]:
    engine = connect(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


def written(engine: sa.Engine) -> dict[str, str]:
    with engine.connect() as connection:
        return {row.request_id: row.record for row in connection.execute(sa.select(requests))}


def die(engine: sa.Engine) -> None:
    """Let the lease of all requests run out, as that of a dead process does."""
    with engine.begin() as connection:
        connection.execute(requests.update().values(leased_until=time.time() - 1))


async def test_what_a_dead_process_has_left_the_next_one_finds_with_what_was_noted(engine: sa.Engine) -> None:
    first, second = RequestJournal(RequestBook(engine)), RequestJournal(RequestBook(engine))
    for number in range(3):
        assert await first.begin(str(number), 7, "asked")
    await first.note("1", "further")
    await first.end("2")
    die(engine)
    assert {(left.request_id, left.record, left.tries) for left in await second.claim()} == {
        ("0", "asked", 1),
        ("1", "further", 1),
    }
    assert await second.claim() == []


async def test_a_request_is_served_by_one_process_only(engine: sa.Engine) -> None:
    first, second = RequestJournal(RequestBook(engine)), RequestJournal(RequestBook(engine))
    assert await first.begin("1", 7, "asked")
    assert await first.begin("1", 7, "asked better")  # a caller that does not know whether it arrived repeats it
    assert not await second.begin("1", 7, "other")
    assert written(engine) == {"1": "asked better"}
    await second.note("1", "other")
    await second.end("1")
    assert written(engine) == {"1": "asked better"}


async def test_many_at_once_are_written_in_a_few_transactions(engine: sa.Engine) -> None:
    journal = RequestJournal(RequestBook(engine))
    commits: list[sa.Connection] = []
    sa.event.listen(engine, "commit", commits.append)
    assert all(await asyncio.gather(*(journal.begin(str(number), 7, "asked") for number in range(200))))
    await asyncio.gather(*(journal.end(str(number)) for number in range(200)))
    assert written(engine) == {}
    assert len(commits) < 20


async def test_an_end_that_could_not_be_written_is_written_later(tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/melodify.db")
    upgrade(engine)
    journal = RequestJournal(RequestBook(engine))
    await journal.begin("1", 7, "asked")
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE requests RENAME TO away"))
    await journal.end("1")
    with pytest.raises(Unavailable):
        await journal.begin("2", 7, "asked")
    with engine.begin() as connection:
        connection.execute(sa.text("ALTER TABLE away RENAME TO requests"))
    assert written(engine) == {"1": "asked"}
    await journal.renew()
    assert written(engine) == {}
    engine.dispose()


class Mute(RequestBook):
    """A database that does its work, and becomes unavailable before it answers."""

    mute = False

    def apply(self, changes: Sequence[Change]) -> list[bool]:
        answers = super().apply(changes)
        if self.mute:
            raise Unavailable("database.unavailable")
        return answers


async def test_a_request_that_was_refused_though_it_is_written_down_is_gone_on_with_by_nobody(
    engine: sa.Engine,
) -> None:
    book = Mute(engine)
    journal = RequestJournal(book)
    book.mute = True
    for request_id in ("1", "2"):
        with pytest.raises(Unavailable):
            await journal.begin(request_id, 7, "asked")
    assert written(engine) == {"1": "asked", "2": "asked"}
    book.mute = False
    assert await journal.begin("2", 7, "asked again")  # one that was not refused
    await journal.renew()
    assert written(engine) == {"2": "asked again"}


async def test_a_living_process_keeps_its_requests_from_the_others(postgres_url: str) -> None:
    engine = connect(postgres_url)
    upgrade(engine)
    try:
        first, second = RequestJournal(RequestBook(engine)), RequestJournal(RequestBook(engine))
        await first.begin("1", 7, "asked")
        assert await second.claim() == []
        die(engine)
        await first.renew()
        assert await second.claim() == []
        die(engine)
        both = await asyncio.gather(second.claim(), RequestJournal(RequestBook(engine)).claim())
        assert sorted(len(claimed) for claimed in both) == [0, 1]
        with engine.connect() as connection:
            until = float(connection.scalar(sa.select(requests.c.leased_until)) or 0)
        assert until > time.time() + LEASE_S / 2
    finally:
        engine.dispose()
