"""The captioner that remembers: one payment per question, and no song lost to the memory."""

import asyncio
from collections.abc import Callable

import pytest

from melodify_core.captioners.remembering import RememberingCaptioner, key_of
from melodify_core.errors import MelodifyError, Unavailable
from melodify_core.models import Brief, Picture, Progress, Wish
from melodify_core.ports import ProviderContext
from tests.briefs import a_brief
from tests.jobs import PaidCalls

PICTURE = Picture(b"", 1, 1, "f" * 64)


class Counting:
    """A captioner that counts, and fails the given number of times."""

    name = "counting"

    def __init__(self, *failures: MelodifyError) -> None:
        self.asked = 0
        self.closed = False
        self.hold = asyncio.Event()
        self.hold.set()
        self._failures = list(failures)

    async def check(self) -> None:
        raise Unavailable("provider.unavailable")

    async def close(self) -> None:
        self.closed = True

    async def caption(self, picture: Picture, wish: Wish, context: ProviderContext) -> Brief:
        del picture, wish, context
        self.asked += 1
        await self.hold.wait()
        if self._failures:
            raise self._failures.pop(0)
        return a_brief()


class Shelf:
    """A memory in a dictionary, which may be broken."""

    def __init__(self, *, broken: bool = False) -> None:
        self.briefs: dict[str, Brief] = {}
        self.broken = broken

    async def recall(self, key: str) -> Brief | None:
        await asyncio.sleep(0)
        if self.broken:
            raise OSError("disk")
        return self.briefs.get(key)

    async def remember(self, key: str, brief: Brief) -> None:
        await asyncio.sleep(0)
        if self.broken:
            raise OSError("disk")
        self.briefs[key] = brief


def context() -> ProviderContext:
    async def load() -> Picture:
        return PICTURE

    async def progress(progress: Progress) -> None:
        del progress

    return ProviderContext("1", 1, "a" * 64, None, load, PaidCalls().begin, progress)


async def until(true: Callable[[], bool]) -> None:
    while not true():
        await asyncio.sleep(0)


async def test_the_same_question_is_paid_once() -> None:
    inner, shelf = Counting(), Shelf()
    for _ in range(2):
        # Another process has another captioner and the same memory.
        captioner = RememberingCaptioner(inner, shelf, "m")
        assert await captioner.caption(PICTURE, Wish(), context()) == a_brief()
    assert inner.asked == 1


@pytest.mark.parametrize("broken", [False, True])
async def test_the_same_question_at_the_same_moment_is_paid_once(broken: bool) -> None:
    inner = Counting()
    inner.hold.clear()
    captioner = RememberingCaptioner(inner, Shelf(broken=broken), "m")
    tasks = [asyncio.create_task(captioner.caption(PICTURE, Wish(), context())) for _ in range(5)]
    await until(lambda: inner.asked == 1)
    inner.hold.set()
    assert await asyncio.gather(*tasks) == [a_brief()] * 5
    assert inner.asked == 1


async def test_different_questions_do_not_wait_for_each_other() -> None:
    inner = Counting()
    inner.hold.clear()
    captioner = RememberingCaptioner(inner, Shelf(), "m")
    tasks = [asyncio.create_task(captioner.caption(PICTURE, Wish(hint=hint), context())) for hint in "ab"]
    await until(lambda: inner.asked == 2)
    inner.hold.set()
    await asyncio.gather(*tasks)


async def test_a_failure_is_not_remembered() -> None:
    inner, shelf = Counting(Unavailable("provider.busy")), Shelf()
    captioner = RememberingCaptioner(inner, shelf, "m")
    with pytest.raises(Unavailable, match="busy"):
        await captioner.caption(PICTURE, Wish(), context())
    assert not shelf.briefs
    assert await captioner.caption(PICTURE, Wish(), context()) == a_brief()


async def test_those_who_wait_share_a_failure_and_its_price() -> None:
    inner = Counting(Unavailable("provider.busy"))
    inner.hold.clear()
    captioner = RememberingCaptioner(inner, Shelf(), "m")
    tasks = [asyncio.create_task(captioner.caption(PICTURE, Wish(), context())) for _ in range(3)]
    await until(lambda: inner.asked == 1)
    inner.hold.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(isinstance(result, Unavailable) for result in results)
    assert inner.asked == 1


async def test_a_cancelled_asker_leaves_the_question_to_the_next() -> None:
    inner = Counting()
    inner.hold.clear()
    captioner = RememberingCaptioner(inner, Shelf(), "m")
    first, second = (asyncio.create_task(captioner.caption(PICTURE, Wish(), context())) for _ in range(2))
    await until(lambda: inner.asked == 1)
    first.cancel()
    await until(lambda: inner.asked == 2)
    inner.hold.set()
    assert await second == a_brief()
    assert first.cancelled()


async def test_a_broken_memory_loses_no_song() -> None:
    captioner = RememberingCaptioner(Counting(), Shelf(broken=True), "m")
    assert await captioner.caption(PICTURE, Wish(), context()) == a_brief()


async def test_check_and_close_are_the_captioners() -> None:
    inner = Counting()
    captioner = RememberingCaptioner(inner, Shelf(), "m")
    assert captioner.name == "counting"
    with pytest.raises(Unavailable):
        await captioner.check()
    await captioner.close()
    assert inner.closed


@pytest.mark.parametrize(
    "wish",
    [Wish(hint="x"), Wish(style="jazz"), Wish(seconds=31), Wish(language="ko"), Wish(locale="ja"), Wish(vocals=True)],
)
def test_whatever_changes_the_answer_changes_the_key(wish: Wish) -> None:
    assert key_of(PICTURE, wish, "m") != key_of(PICTURE, Wish(), "m")


def test_picture_and_model_change_the_key_and_the_seed_does_not() -> None:
    plain = key_of(PICTURE, Wish(), "m")
    assert key_of(Picture(b"", 1, 1, "e" * 64), Wish(), "m") != plain
    assert key_of(PICTURE, Wish(), "n") != plain
    assert key_of(PICTURE, Wish(seed=5), "m") == plain


def test_what_was_read_for_adults_is_not_remembered_for_all() -> None:
    assert key_of(PICTURE, Wish(), "m", adult=True) != key_of(PICTURE, Wish(), "m")
