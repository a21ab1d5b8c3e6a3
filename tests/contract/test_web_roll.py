"""What the piano roll of a song's page is drawn from."""

import json
from collections.abc import AsyncIterator
from importlib.resources import files
from pathlib import Path

import aiohttp
import pytest
from aiohttp import ClientSession

from melodify_core.models import Stage
from tests.contract.web_pages import Site, html_of, score, site_of


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_of(tmp_path / "files") as site:
        yield site


@pytest.fixture
async def web() -> AsyncIterator[ClientSession]:
    async with ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:
        yield session


async def test_a_song_with_a_score_has_its_notes_and_the_script_that_draws_them(site: Site, web: ClientSession) -> None:
    await site.storage.save("songs/1.mid", score(), "audio/midi")
    page = site.page(site.pages.add())
    html = await html_of(web, page)
    assert "/roll.js" in html
    assert f'data-notes="{page.removeprefix(site.url)}/notes.json?lang=en" aria-hidden="true"' in html
    async with web.get(f"{page}/notes.json") as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        assert answer.headers["Cache-Control"] == "private, max-age=3600"
        piano, drums = json.loads(await answer.read())
        tag = answer.headers["ETag"]
    assert (piano["name"], piano["drums"]) == ("felt piano", False)
    assert piano["notes"] == [0, 200, 60, 200, 200, 62, 400, 200, 64, 600, 200, 65, 800, 200, 67, 1000, 200, 69]
    assert (drums["name"], drums["drums"], drums["notes"][:6]) == ("brushed drums", True, [0, 100, 36, 100, 100, 36])
    async with web.get(f"{page}/notes.json", headers={"If-None-Match": tag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")
    async with web.get(f"{page}/notes.json?lang=ko") as answer:
        assert [voice["name"] for voice in await answer.json()] == ["펠트 피아노", "브러시 드럼"]


async def test_without_a_score_there_is_neither_script_nor_answer(site: Site, web: ClientSession) -> None:
    page = site.page(site.pages.add())
    html = await html_of(web, page)
    assert "roll" not in html
    await html_of(web, f"{page}/notes.json", 404)


async def test_the_notes_of_a_page_that_is_not_shown_are_not_either(site: Site, web: ClientSession) -> None:
    await site.storage.save("songs/1.mid", score(), "audio/midi")
    for status, page_id in (
        (404, site.pages.add(private=True)),
        (410, site.pages.add(deleted=True)),
        (404, site.pages.add(song=None, stage=Stage.COMPOSING)),
    ):
        await html_of(web, f"{site.page(page_id)}/notes.json", status)


async def test_a_damaged_score_has_no_notes(site: Site, web: ClientSession) -> None:
    await site.storage.save("songs/1.mid", score()[:-9], "audio/midi")
    async with web.get(f"{site.page(site.pages.add())}/notes.json") as answer:
        assert (answer.status, await answer.json()) == (200, [])


def test_the_script_is_small() -> None:
    assert len((files("bot.web") / "static" / "roll.js").read_bytes()) <= 6000
