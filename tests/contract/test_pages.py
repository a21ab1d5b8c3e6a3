"""The Pages port on the library, on both databases."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
import sqlalchemy as sa

from melodify_core.config.settings import Settings
from melodify_core.errors import Unavailable
from melodify_core.library import Guilds, Library, LibraryPages, MemberBook, Songbook, connect, upgrade
from melodify_core.library import pages as pages_module
from melodify_core.library.schema import songs
from melodify_core.models import Order, Picture, Place, Stage, Wish
from melodify_core.pages import ID_PATTERN, new_page_id
from melodify_core.studio import job_of
from melodify_core.usage.guild_rules import block, changed
from tests.jobs import POSTED, a_job, a_song

ID = "p" * 22
PICTURE = Picture(b"", 4, 3, "0" * 64)


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[sa.Engine]:
    engine = connect(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
async def pages(engine: sa.Engine) -> AsyncIterator[LibraryPages]:
    pages = LibraryPages(engine, poll_s=0.02)
    yield pages
    pages.close()


def accept(engine: sa.Engine, job_id: str = "1", page_id: str | None = ID, now: float = 100.0) -> Library:
    library = Library(engine)
    with library.transaction() as connection:
        library.reserve(connection, a_job(job_id, page_id=page_id), now)
    return library


def finish(engine: sa.Engine, job_id: str = "1", page_id: str = ID, **song: object) -> None:
    accept(engine, job_id, page_id).record_song(a_job(job_id), a_song(job_id, **song), POSTED, 200.0)


def an_order(*, private: bool = False, adult: bool = False) -> Order:
    return Order("1", 1, Place(channel_id=10, adult=adult), b"", Wish(), private=private)


def test_only_what_everybody_may_see_gets_a_page_and_only_when_pages_are_on() -> None:
    job = job_of(an_order(), PICTURE, Settings(), paged=True)
    page_id = job.page_id
    assert page_id is not None
    assert re.fullmatch(ID_PATTERN, page_id)
    assert page_id not in repr(job)  # a reader of the log must not see the page
    assert job_of(an_order(), PICTURE, Settings(), paged=True).page_id != page_id
    assert job_of(an_order(), PICTURE, Settings()).page_id is None
    assert job_of(an_order(private=True), PICTURE, Settings(), paged=True).page_id is None
    assert job_of(an_order(adult=True), PICTURE, Settings(), paged=True).page_id is None


async def test_a_song_in_the_making_shows_picture_and_stage(engine: sa.Engine, pages: LibraryPages) -> None:
    library = accept(engine)
    page = await pages.page(ID)
    assert page is not None
    assert (page.song, page.stage, page.language, page.created_at) == (None, Stage.QUEUED, "en", 100.0)
    assert (page.picture_key, page.picture_width, page.picture_height) == ("pictures/1.jpg", 4, 3)
    library.start("1", 101.0)
    library.note_stage("1", Stage.COMPOSING)
    page = await pages.page(ID)
    assert page is not None
    assert page.stage is Stage.COMPOSING


async def test_a_finished_song_is_shown(engine: sa.Engine, pages: LibraryPages) -> None:
    finish(engine)
    page = await pages.page(ID)
    assert page is not None
    assert (page.song, page.stage, page.private, page.deleted) == (a_song("1"), None, False, False)
    assert (page.picture_key, page.picture_width, page.created_at) == ("pictures/1.jpg", 4, 200.0)


@pytest.mark.parametrize(
    ("captioner", "wish", "language"),
    [
        ("palette", Wish(language="ko"), "ko"),
        ("palette", Wish(language="en", locale="ja"), "en"),
        ("openai", Wish(language="en", locale="ja"), "ja"),
        ("openai", Wish(language="ko"), "ko"),
        ("palette", None, "en"),
    ],
)
async def test_the_language_of_title_and_caption_is_told(
    engine: sa.Engine, pages: LibraryPages, captioner: str, wish: Wish | None, language: str
) -> None:
    finish(engine, captioner=captioner, wish=wish)
    page = await pages.page(ID)
    assert page is not None
    assert page.language == language


async def test_an_unknown_id_and_a_song_without_a_page_are_nothing(engine: sa.Engine, pages: LibraryPages) -> None:
    accept(engine, page_id=None)
    assert await pages.page(ID) is None
    assert await pages.page(new_page_id()) is None


async def test_an_erased_song_is_gone_and_a_forgotten_one_in_the_making_is_nothing(
    engine: sa.Engine, pages: LibraryPages
) -> None:
    finish(engine)
    accept(engine, "2", "q" * 22)
    Songbook(engine).erase(["1"], 300.0)
    page = await pages.page(ID)
    assert page is not None
    assert (page.deleted, page.song, page.picture_key) == (True, None, None)
    MemberBook(engine).forget(1, -5, 400.0, 0.0)
    assert await pages.page("q" * 22) is None


async def test_retention_takes_the_picture_from_the_page_and_then_the_song(
    engine: sa.Engine, pages: LibraryPages
) -> None:
    finish(engine)
    Library(engine).mark_gone("picture", ["1"])
    page = await pages.page(ID)
    assert page is not None
    assert (page.picture_key, page.song) == (None, a_song("1"))
    Library(engine).mark_gone("song", ["1"])
    page = await pages.page(ID)
    assert page is not None
    assert page.deleted


@pytest.mark.parametrize("end", ["refund", "end_cancelled", "cancel_queued"])
async def test_a_song_that_will_never_be_has_neither_song_nor_stage(
    engine: sa.Engine, pages: LibraryPages, end: str
) -> None:
    getattr(accept(engine), end)("1", 150.0)
    page = await pages.page(ID)
    assert page is not None
    assert (page.song, page.stage, page.deleted) == (None, None, False)
    async with aclosing(pages.watch(ID)) as stages:
        assert [stage async for stage in stages] == []


async def test_a_song_that_is_being_posted_is_not_to_be_seen_yet(engine: sa.Engine, pages: LibraryPages) -> None:
    library = accept(engine)
    library.start("1", 110.0)
    library.record_unposted(a_job("1"), a_song("1"), 120.0)
    page = await pages.page(ID)
    assert page is not None
    assert page.song is None
    library.record_song(a_job("1"), a_song("1"), POSTED, 130.0)
    page = await pages.page(ID)
    assert page is not None
    assert page.song == a_song("1")


def agree(engine: sa.Engine, user_id: int = 1, guild_id: int = 20) -> None:
    MemberBook(engine).change_settings(user_id, lambda settings: settings.model_copy(update={"start_page": True}))
    Guilds(engine).change(guild_id, changed(start_page=True), 100.0)


def post(engine: sa.Engine, number: int, user_id: int = 1, **changes: Any) -> None:
    """Have a song made for the member; a higher number is newer."""
    library, job = Library(engine), a_job(str(number), user_id, **({"page_id": f"{number:022}"} | changes))
    with library.transaction() as connection:
        library.reserve(connection, job, 100.0)
    library.record_song(job, a_song(str(number), parent_id=job.parent_id), POSTED, 200.0 + number)


async def shown(pages: LibraryPages) -> list[str]:
    return [page.song.job_id for page in await pages.on_show() if page.song]


async def test_the_start_page_shows_the_newest_songs_whose_member_and_server_agree(
    engine: sa.Engine, pages: LibraryPages
) -> None:
    for number in range(15):
        post(engine, number)
    assert await shown(pages) == []
    Guilds(engine).change(20, changed(start_page=True), 100.0)
    assert await shown(pages) == []
    agree(engine)
    assert await shown(pages) == [str(number) for number in range(14, 2, -1)]
    found = (await pages.on_show())[0]
    assert (found.page_id, found.created_at, found.picture_key) == (f"{14:022}", 214.0, "pictures/14.jpg")


def say_no(engine: sa.Engine, how: str) -> None:
    """Take song 1 of member 1 off the start page."""
    members, guilds = MemberBook(engine), Guilds(engine)
    match how:
        case "by the member":
            members.change_settings(1, lambda settings: settings.model_copy(update={"start_page": False}))
        case "not named":
            members.change_settings(1, lambda settings: settings.model_copy(update={"named": False}))
        case "by the server":
            guilds.change(20, changed(start_page=False), 100.0)
        case "blocked":
            guilds.change(20, block(1, 2), 100.0)
        case "server left":
            guilds.leave(20, 100.0)
        case "deleted":
            Songbook(engine).erase(["1"], 300.0)
        case "forgotten":
            members.forget(1, -5, 400.0, 0.0)
        case _:
            Library(engine).mark_gone("song", ["1"])


NOES = (
    "by the member",
    "not named",
    "by the server",
    "blocked",
    "server left",
    "deleted",
    "forgotten",
    "kept no longer",
)


@pytest.mark.parametrize("how", NOES)
async def test_whoever_says_no_takes_the_songs_off_the_start_page_at_once(
    engine: sa.Engine, pages: LibraryPages, how: str
) -> None:
    post(engine, 1)
    agree(engine)
    assert await shown(pages) == ["1"]
    say_no(engine, how)
    assert await shown(pages) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"private": True},
        {"page_id": None},
        {"place": Place(channel_id=10)},
        {"place": Place(channel_id=10, guild_id=21)},
    ],
    ids=["private", "without a page", "in direct messages", "in another server"],
)
async def test_what_is_not_for_everybody_is_never_on_the_start_page(
    engine: sa.Engine, pages: LibraryPages, changes: dict[str, Any]
) -> None:
    agree(engine)
    post(engine, 1, **changes)
    assert await shown(pages) == []


async def test_a_song_that_is_being_posted_is_not_on_the_start_page_yet(engine: sa.Engine, pages: LibraryPages) -> None:
    agree(engine)
    accept(engine).record_unposted(a_job("1"), a_song("1"), 120.0)
    assert await pages.on_show() == []


async def test_a_take_of_another_member_s_picture_is_not_on_the_start_page(
    engine: sa.Engine, pages: LibraryPages
) -> None:
    agree(engine)
    agree(engine, 2)
    post(engine, 1)
    post(engine, 2, 2, parent_id="1")
    post(engine, 3, parent_id="1")
    assert await shown(pages) == ["3", "1"]


async def test_a_song_of_somebody_else_s_picture_and_its_takes_are_not_on_the_start_page(
    engine: sa.Engine, pages: LibraryPages
) -> None:
    agree(engine)
    post(engine, 1, place=Place(channel_id=10, guild_id=20, borrowed=True))
    post(engine, 2, parent_id="1")
    post(engine, 3)
    assert await shown(pages) == ["3"]


async def test_a_song_that_cannot_be_read_and_those_of_the_blocked_hide_no_other(
    engine: sa.Engine, pages: LibraryPages
) -> None:
    agree(engine)
    agree(engine, 2)
    Guilds(engine).change(20, block(2, 1), 100.0)
    for number in range(1, 30):
        post(engine, number, 1 if number < 3 else 2)
    with engine.begin() as connection:
        connection.execute(songs.update().where(songs.c.job_id == "2").values(song="{}"))
    assert await shown(pages) == ["1"]


async def test_stages_are_seen_as_another_process_writes_them(engine: sa.Engine, pages: LibraryPages) -> None:
    library = accept(engine)
    async with aclosing(pages.watch(ID)) as stages:
        assert await anext(stages) is Stage.QUEUED
        for stage in (Stage.LOOKING, Stage.MASTERING):
            await asyncio.to_thread(library.note_stage, "1", stage)
            assert await anext(stages) is stage
        await asyncio.to_thread(library.record_song, a_job("1"), a_song("1"), POSTED, 200.0)
        assert [stage async for stage in stages] == [Stage.DONE]


async def test_many_who_watch_cost_one_question_a_round(engine: sa.Engine) -> None:
    pages = LibraryPages(engine, poll_s=0.2)
    names = [new_page_id() for _ in range(10)]
    for number, name in enumerate(names):
        accept(engine, str(number), name)
    asked = []
    sa.event.listen(engine, "before_cursor_execute", lambda *args: asked.append(args[2]))
    watching = [pages.watch(name) for name in names for _ in range(3)]
    try:
        await asyncio.gather(*(anext(stages) for stages in watching))
        # One for the first, one for those who came while it was asked.
        assert len([statement for statement in asked if "usage" in statement]) <= 3
    finally:
        for stages in watching:
            await stages.aclose()
        pages.close()


async def test_strangers_never_hold_the_threads_that_jobs_need(
    engine: sa.Engine, pages: LibraryPages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages_module, "MAX_QUERIES", 8)
    # Ours to close, the database hangs until then.
    gate = threading.Event()
    sa.event.listen(engine, "before_cursor_execute", lambda *_: gate.wait(20))
    asking = [asyncio.create_task(pages.page(new_page_id())) for _ in range(8)]
    await asyncio.sleep(0.05)
    with pytest.raises(Unavailable, match=r"database\.unavailable"):
        await pages.page(ID)
    assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 5) == "free"
    gate.set()
    assert await asyncio.gather(*asking) == [None] * 8
