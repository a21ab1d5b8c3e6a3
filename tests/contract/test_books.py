"""Paid calls in the books: noted before they begin, corrected when they end, refused where a budget is used up."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from melodify_core.config.settings import Limits
from melodify_core.errors import Rejected, Unavailable
from melodify_core.jobs import paid_calls as paying
from melodify_core.library import Guilds, JobBook, Library, connect, upgrade
from melodify_core.models import Bill, GuildSettings, Money, Place
from melodify_core.observability import metrics
from tests.fakes import Book
from tests.jobs import a_job

TAKE = Bill(provider="vertex", model="lyria-002", dollars=0.06)
BUDGET = Limits(dollars_per_day=0.13)
NOW = 1_000_000.0


@pytest.fixture
def library_with(database_url: str) -> Iterator[Callable[[Limits], Library]]:
    engine = connect(database_url)
    upgrade(engine)
    yield lambda limits: Library(engine, limits=limits)
    engine.dispose()


@pytest.fixture
def library(library_with: Callable[[Limits], Library]) -> Library:
    return library_with(Limits())


def accept(library: Library, job_id: str, user_id: int = 1, dollars: float = 0.06, guild_id: int = 20) -> None:
    job = a_job(job_id, user_id, place=Place(channel_id=10, guild_id=guild_id))
    with library.transaction() as connection:
        library.reserve(connection, job, NOW, dollars)


def test_a_call_that_begins_is_booked_and_its_bill_takes_its_place(library: Library) -> None:
    accept(library, "1")
    assert library.money(NOW - 1) == Money(0.0, 0.06)
    library.book("1", "a", TAKE, NOW)
    assert library.money(NOW - 1) == Money(0.06, 0.0)
    library.settle("a", TAKE.model_copy(update={"dollars": 0.04, "request_id": "r"}))
    assert library.spent("1") == pytest.approx(0.04)


def test_a_call_is_booked_once_however_often_that_is_tried(library: Library) -> None:
    accept(library, "1")
    for _ in range(2):
        library.book("1", "a", TAKE, NOW)
    library.book("1", "b", TAKE, NOW)
    assert library.spent("1") == pytest.approx(0.12)


def test_what_is_known_to_be_free_is_given_back_to_the_reserve(library: Library) -> None:
    accept(library, "1")
    library.book("1", "a", TAKE, NOW)
    library.unbook("a")
    assert library.money(NOW - 1) == Money(0.0, 0.06)


def test_a_call_whose_end_is_not_known_counts_for_member_server_and_day(library: Library) -> None:
    accept(library, "1", user_id=7)
    accept(library, "2", user_id=8)
    library.book("1", "a", TAKE, time.time())
    library.refund("1", NOW, "provider.too_slow")
    since = time.time() - 60
    assert library.money(since) == Money(0.06, 0.06)
    assert library.money(since, 7) == Money(0.06, 0.0)
    assert library.money(since, 8) == Money(0.0, 0.06)
    book = JobBook(library._engine)
    day = book.server_day(20, since)
    assert (round(day.dollars, 6), round(day.reserved, 6)) == (0.06, 0.06)
    assert (book.money("1").dollars, book.money("1").unsettled, book.money("1").reserved) == (0.06, 0.06, 0.0)
    assert library.standing_of(1, 20, since).guild_spent[0][1] == pytest.approx(0.06)


def test_a_call_that_would_pass_a_budget_is_not_begun(library_with: Callable[[Limits], Library]) -> None:
    library = library_with(BUDGET)
    for number in range(3):
        accept(library, str(number))
    library.book("0", "a", TAKE, NOW)
    library.book("1", "b", TAKE, NOW)
    with pytest.raises(Rejected, match=r"limit\.budget"):
        library.book("2", "c", TAKE, NOW)
    assert library.money(NOW - 1).spent == pytest.approx(0.12)
    # Tomorrow there is another budget.
    library.book("2", "c", TAKE, NOW + 24 * 3600 + 61)


def test_music_that_was_booked_is_told_from_what_was_read_and_from_what_is_free(library: Library) -> None:
    accept(library, "1")
    accept(library, "2")
    library.book("1", "a", TAKE.model_copy(update={"provider": "openai"}), NOW)
    library.book("1", "b", TAKE.model_copy(update={"dollars": 0.0}), NOW)
    library.book("2", "c", TAKE, NOW)
    assert [library.has_booked_music(job_id, "openai") for job_id in ("1", "2", "3")] == [False, True, False]
    library.unbook("c")
    assert not library.has_booked_music("2", "openai")


def test_a_server_s_own_budget_holds_for_its_calls_only(library: Library) -> None:
    guilds = Guilds(library._engine)
    guilds.change(20, lambda _: GuildSettings(dollars_per_day=0.10), NOW)
    accept(library, "1")
    accept(library, "2")
    accept(library, "3", guild_id=21)
    library.book("1", "a", TAKE, NOW)
    with pytest.raises(Rejected, match=r"limit\.guild_budget"):
        library.book("2", "b", TAKE, NOW)
    library.book("3", "c", TAKE, NOW)


def test_members_without_limits_have_none_here_either(library_with: Callable[[Limits], Library]) -> None:
    library = library_with(Limits(dollars_per_day=0.05, exempt_users=frozenset({7})))
    accept(library, "1", user_id=7)
    assert library.start("1", NOW)
    library.book("1", "a", TAKE, NOW)
    assert library.spent("1") == pytest.approx(0.06)


def test_a_job_that_would_pass_a_budget_does_not_start(library_with: Callable[[Limits], Library]) -> None:
    library = library_with(BUDGET)
    for number in range(3):
        accept(library, str(number))
    library.book("0", "a", TAKE, NOW)
    assert library.start("0", NOW)  # its cost is booked: it continues
    library.book("0", "b", TAKE, NOW)  # once more, after a kill
    with pytest.raises(Rejected, match=r"limit\.budget"):
        library.start("1", NOW)
    accept(library, "free", dollars=0.0)
    assert library.start("free", NOW)


def test_a_job_whose_music_was_cheaper_than_expected_goes_on_when_the_budget_is_used_up(
    library_with: Callable[[Limits], Library],
) -> None:
    library = library_with(BUDGET)
    accept(library, "1", dollars=0.07)
    accept(library, "2")
    assert library.start("1", NOW)
    library.book("1", "a", TAKE, NOW)
    library.settle("a", TAKE)
    library.book("2", "b", TAKE.model_copy(update={"dollars": 0.07}), NOW)
    assert library.start("1", NOW)  # after a restart: its take is paid, and is stored
    with pytest.raises(Rejected, match=r"limit\.budget"):
        library.book("1", "c", TAKE, NOW)  # once more it is not


def test_of_many_calls_at_once_only_so_many_begin_as_the_budget_pays(
    library_with: Callable[[Limits], Library],
) -> None:
    library = library_with(BUDGET)
    together = threading.Barrier(12, timeout=20)
    refused: list[str] = []
    for number in range(12):
        accept(library, str(number))

    def begin(number: int) -> None:
        together.wait()
        try:
            library.book(str(number), f"call{number}", TAKE, NOW)
        except Rejected as error:
            refused.append(error.code)

    threads = [threading.Thread(target=begin, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused == ["limit.budget"] * 10
    assert library.money(NOW - 1).spent == pytest.approx(0.12)


class Slow(Book):
    """A ledger that is slow, and then may be unavailable."""

    def __init__(self) -> None:
        super().__init__()
        self.booked: set[str] = set()
        self.entered = threading.Event()
        self.go_on = threading.Event()
        self.away = False

    def book(self, job_id: str, call_id: str, bill: Bill, now: float) -> None:
        del job_id, bill, now
        self.entered.set()
        assert self.go_on.wait(10)
        self.booked.add(call_id)

    def settle(self, call_id: str, bill: Bill) -> None:
        del call_id, bill
        if self.away:
            raise Unavailable("database.unavailable")

    def unbook(self, call_id: str) -> None:
        if self.away:
            raise Unavailable("database.unavailable")
        self.booked.discard(call_id)


async def test_a_call_that_is_cancelled_before_it_was_sent_is_in_no_books() -> None:
    ledger = Slow()
    task = asyncio.create_task(paying.book_call("1", TAKE, ledger))
    await asyncio.to_thread(ledger.entered.wait, 10)
    task.cancel()
    await asyncio.sleep(0.05)
    ledger.go_on.set()  # a thread cannot be cancelled: it is booked by now
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ledger.booked == set()


async def test_a_database_that_is_away_costs_no_paid_answer() -> None:
    ledger = Slow()
    ledger.go_on.set()
    call = await paying.book_call("1", TAKE, ledger)
    ledger.away = True
    await call.billed(TAKE)
    await call.free()
    assert ledger.booked == {call.call_id}


async def test_what_the_provider_knows_as_one_call_is_one_call_here() -> None:
    ledger = Slow()
    ledger.go_on.set()
    run = TAKE.model_copy(update={"request_id": "runs/1"})
    first, second = [await paying.book_call("1", run, ledger) for _ in range(2)]
    assert first.call_id == second.call_id
    assert (await paying.book_call("2", run, ledger)).call_id != first.call_id
    assert (await paying.book_call("1", TAKE, ledger)).call_id != (await paying.book_call("1", TAKE, ledger)).call_id


async def test_a_lost_call_is_in_the_metrics() -> None:
    ledger = Slow()
    ledger.go_on.set()
    counter = metrics.dollars.labels("vertex", "lyria-002")
    before = counter._value.get()
    (await paying.book_call("1", TAKE, ledger)).lost()
    assert counter._value.get() - before == pytest.approx(0.06)
