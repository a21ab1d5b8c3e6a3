"""The song page in its states: private, deleted, failed, away, in the making; and how it is looked up and kept."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import ClientSession

from bot.web.lookup import Lookup
from melodify_core.errors import Unavailable
from melodify_core.models import Stage, Stored
from melodify_core.pages import new_page_id
from melodify_core.storage.folder import FolderStorage
from tests.contract.web_pages import MemoryPages, Metas, Site, html_of, site_of


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_of(tmp_path / "files") as site:
        yield site


@pytest.fixture
async def web() -> AsyncIterator[ClientSession]:
    async with ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:
        yield session


# --- states ---------------------------------------------------------------------------------------------------------


async def test_a_private_song_cannot_be_told_from_an_unknown_one(site: Site, web: ClientSession) -> None:
    private = site.pages.add(private=True)
    answers = []
    for page_id in (private, new_page_id(), "short"):
        for rest in ("", "/song.mp3", "/picture.jpg", "/events"):
            async with web.get(f"{site.page(page_id)}{rest}") as answer:
                headers = {name: value for name, value in answer.headers.items() if name != "Date"}
                answers.append((answer.status, headers, await answer.text()))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] == 404


async def test_a_private_song_that_is_deleted_or_in_the_making_is_not_there_either(
    site: Site, web: ClientSession
) -> None:
    for fields in ({"deleted": True}, {"song": None, "stage": Stage.COMPOSING}, {"song": None}):
        await html_of(web, site.page(site.pages.add(private=True, **fields)), 404)


@pytest.mark.parametrize("rest", ["", "/song.mp3", "/picture.jpg", "/events"])
async def test_a_deleted_song_is_gone_with_a_kind_sentence(site: Site, web: ClientSession, rest: str) -> None:
    page_id = site.pages.add(deleted=True)
    assert "Thank you for coming by" in await html_of(web, site.page(page_id) + rest, 410)
    assert "고마워요" in await html_of(web, f"{site.page(page_id)}{rest}?lang=ko", 410)


async def test_a_song_that_could_not_be_made_says_so(site: Site, web: ClientSession) -> None:
    assert "could not be made" in await html_of(web, site.page(site.pages.add(song=None)), 410)


async def test_away_is_said_as_away_and_is_not_remembered(site: Site, web: ClientSession) -> None:
    page_id = site.pages.add()
    site.pages.away = True
    async with web.get(site.page(page_id)) as answer:
        assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        assert answer.headers["Cache-Control"] == "no-store"
    site.pages.away = False
    await html_of(web, site.page(page_id))


async def test_a_page_is_asked_for_again_with_its_tag(site: Site, web: ClientSession) -> None:
    page = site.page(site.pages.add())
    async with web.get(page) as answer:
        tag = answer.headers["ETag"]
        assert answer.headers["Cache-Control"] == "no-cache"
    for known in (tag, f'"other", W/{tag}', "*"):
        async with web.get(page, headers={"If-None-Match": known}) as answer:
            assert (answer.status, await answer.read(), answer.headers["ETag"]) == (304, b"", tag)
    async with web.get(f"{page}?lang=ko", headers={"If-None-Match": tag}) as answer:
        assert answer.status == 200


async def test_head_tells_what_get_would(site: Site, web: ClientSession) -> None:
    page = site.page(site.pages.add())
    async with web.get(page) as got, web.head(page) as head:
        names = ("Content-Length", "ETag", "Content-Type", "Cache-Control")
        assert [head.headers[name] for name in names] == [got.headers[name] for name in names]
        assert await head.read() == b""


async def test_a_page_may_live_under_a_path(tmp_path: Path, web: ClientSession) -> None:
    async with site_of(tmp_path, public_url="https://example.org/songs") as site:
        page_id = site.pages.add()
        html = await html_of(web, f"{site.url}/songs/s/{page_id}")
        assert Metas(html).said["og:url"] == f"https://example.org/songs/s/{page_id}"
        assert f'src="/songs/s/{page_id}/song.mp3"' in html
        sheet = re.findall(r"/songs/static/[^\"]+css", html)[0]
        async with web.get(site.url + sheet) as answer:
            assert answer.status == 200
        await html_of(web, f"{site.url}/s/{page_id}", 404)


# --- progress -------------------------------------------------------------------------------------------------------


async def next_event(answer: aiohttp.ClientResponse) -> str:
    """Return the next event."""
    lines = []
    while line := (await answer.content.readline()).decode().strip("\n"):
        lines.append(line)
    return "; ".join(lines)


async def test_the_page_of_a_song_in_the_making_shows_how_far_it_is(site: Site, web: ClientSession) -> None:
    page_id = site.pages.add(song=None, stage=Stage.COMPOSING)
    async with web.get(site.page(page_id)) as answer:
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-store")
        html = await answer.text()
    assert '<noscript><meta http-equiv="refresh" content="5"></noscript>' in html
    assert re.findall(r'data-stage="(\w+)" class="(\w+)"', html) == [
        ("queued", "done"),
        ("looking", "done"),
        ("composing", "now"),
        ("mastering", "later"),
        ("delivering", "later"),
    ]
    assert html.count('aria-current="step"') == 1
    async with web.get(f"{site.page(page_id)}/song.mp3") as answer:
        assert answer.status == 404


async def test_stages_are_told_as_they_come_until_the_end(site: Site, web: ClientSession) -> None:
    page_id = site.pages.add(song=None, stage=Stage.QUEUED)
    async with web.get(f"{site.page(page_id)}/events") as answer:
        assert (answer.content_type, answer.headers["Cache-Control"]) == ("text/event-stream", "no-store")
        assert await next_event(answer) == "event: stage; data: queued"
        for stage in (Stage.LOOKING, Stage.COMPOSING):
            site.pages.stages.put_nowait(stage)
            assert await next_event(answer) == f"event: stage; data: {stage}"
        site.pages.stages.put_nowait(Stage.DONE)
        assert await next_event(answer) == "event: end; data: "
        assert await answer.content.read() == b""
    assert site.pages.watchers == 0


async def test_a_song_that_is_there_ends_the_events_at_once(site: Site, web: ClientSession) -> None:
    async with web.get(f"{site.page(site.pages.add())}/events") as answer:
        assert await next_event(answer) == "event: end; data: "


async def test_a_visitor_who_leaves_frees_the_place_at_once(tmp_path: Path, web: ClientSession) -> None:
    async with site_of(tmp_path, streams_per_address=1) as site:
        events = f"{site.page(site.pages.add(song=None, stage=Stage.COMPOSING))}/events"
        answer = await web.get(events)
        assert await next_event(answer) == "event: stage; data: composing"
        async with web.get(events) as refused:
            assert refused.status == 429
        answer.close()
        async with asyncio.timeout(5):  # long before the next heartbeat
            while site.pages.watchers:
                await asyncio.sleep(0.01)
        async with web.get(events) as answer:
            assert answer.status == 200


async def test_a_stop_ends_the_streams_and_the_watching(tmp_path: Path, web: ClientSession) -> None:
    async with site_of(tmp_path) as site:
        page_id = site.pages.add(song=None, stage=Stage.COMPOSING)
        answer = await web.get(f"{site.page(page_id)}/events")
        assert await next_event(answer) == "event: stage; data: composing"
        assert site.pages.watchers == 1
    assert site.pages.watchers == 0
    answer.close()


# --- looking up -----------------------------------------------------------------------------------------------------


async def test_many_visitors_at_once_cost_one_look_up_a_second() -> None:
    now = [100.0]
    pages = MemoryPages()
    lookup = Lookup(pages, clock=lambda: now[0])
    page_id = pages.add()
    found = await asyncio.gather(*(lookup.page(page_id) for _ in range(50)))
    await lookup.page(page_id)
    assert (len(pages.asked), found[0]) == (1, pages.pages[page_id])
    now[0] += 1.01
    await lookup.page(page_id)
    assert len(pages.asked) == 2


async def test_a_song_in_the_making_is_looked_up_each_time() -> None:
    pages = MemoryPages()
    lookup = Lookup(pages)
    page_id = pages.add(song=None, stage=Stage.QUEUED)
    await lookup.page(page_id)
    await lookup.page(page_id)
    assert len(pages.asked) == 2


async def test_a_visitor_who_leaves_does_not_take_the_answer_from_the_others() -> None:
    pages = MemoryPages()
    lookup = Lookup(pages)
    page_id = pages.add()
    leaving, staying = (asyncio.create_task(lookup.page(page_id)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying == pages.pages[page_id]


async def test_many_visitors_of_the_start_page_cost_one_question_a_second() -> None:
    now = [100.0]
    pages = MemoryPages()
    lookup = Lookup(pages, clock=lambda: now[0])
    pages.shown = [pages.add()]
    leaving, *staying = (asyncio.create_task(lookup.on_show()) for _ in range(50))
    await asyncio.sleep(0)
    leaving.cancel()
    found = await asyncio.gather(*staying)
    assert (pages.asked, found[0]) == (["/"], tuple(pages.pages.values()))
    pages.shown = []
    assert await lookup.on_show() == found[0]
    now[0] += 1.01
    assert await lookup.on_show() == ()
    assert pages.asked == ["/", "/"]


class Counted(FolderStorage):
    """A storage that counts the questions for a file, each of which Cloud Storage charges for."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.questions = 0
        self.away = False

    async def find(self, key: str) -> Stored | None:
        self.questions += 1
        if self.away:
            raise Unavailable("storage.unavailable")
        return await super().find(key)


async def test_the_files_beside_a_song_are_looked_for_twice_a_minute_at_most(tmp_path: Path) -> None:
    now = [100.0]
    pages, storage = MemoryPages(), Counted(tmp_path)
    await storage.save("songs/1.mid", b"MThd", "audio/midi")
    lookup = Lookup(pages, storage, clock=lambda: now[0])
    page_id = pages.add()
    for _ in range(20):
        page = await lookup.page(page_id)
        assert page is not None
        assert (page.midi_key, page.video_key) == ("songs/1.mid", None)
        now[0] += 1.1
    assert storage.questions == 2
    await storage.save("songs/1.mp4", b"video", "video/mp4")
    now[0] += 30
    later = await lookup.page(page_id)
    assert later is not None
    assert (later.video_key, storage.questions) == ("songs/1.mp4", 4)


async def test_a_storage_that_was_unavailable_is_asked_again_at_the_next_look_up(tmp_path: Path) -> None:
    now = [100.0]
    pages, storage = MemoryPages(), Counted(tmp_path)
    await storage.save("songs/1.mid", b"MThd", "audio/midi")
    storage.away = True
    lookup = Lookup(pages, storage, clock=lambda: now[0])
    page_id = pages.add()
    page = await lookup.page(page_id)
    assert page is not None
    assert page.midi_key is None
    storage.away, now[0] = False, now[0] + 1.1
    page = await lookup.page(page_id)
    assert page is not None
    assert page.midi_key == "songs/1.mid"
