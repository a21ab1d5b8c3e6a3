"""The song page as it is sent: what it says, in which language, and how a link to it unfolds."""

import asyncio
import re
from collections.abc import AsyncIterator
from html import escape
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import ClientSession

from bot.posts import song_embed
from bot.web.rendering import bars_of
from bot.web.responses import FRAMED, POLICY
from melodify_core.brief import clean
from melodify_core.models import Stage, Wish
from melodify_core.pages import ID_PATTERN, new_page_id
from tests.contract.web_pages import INVITE, PUBLIC, Metas, Site, html_of, site_of, song_of


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_of(tmp_path / "files") as site:
        yield site


@pytest.fixture
async def web() -> AsyncIterator[ClientSession]:
    async with ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:
        yield session


def test_ids_are_128_random_bits_fit_for_an_address() -> None:
    ids = {new_page_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(ID_PATTERN, page_id) for page_id in ids)


# --- what it says ---------------------------------------------------------------------------------------------------


async def with_extras(site: Site) -> None:
    await site.storage.save("songs/1.mid", b"MThd", "audio/midi")
    await site.storage.save("songs/1.mp4", b"ftyp", "video/mp4")


async def test_a_song_s_page_has_title_caption_player_facts_and_downloads(site: Site, web: ClientSession) -> None:
    page_id = site.pages.add()
    await with_extras(site)
    html = await html_of(web, site.page(page_id))
    assert '<h1 lang="en">Where the Sea Keeps the Light</h1>' in html
    assert "A low sun leaves its gold" in html
    assert f'<audio controls preload="metadata" src="/s/{page_id}/song.mp3"' in html
    for fact in ("0:30", "84 BPM", "E♭ major", "felt piano, slow strings, brushed drums"):
        assert fact in html
    for file in ("song.mp3", "song.mp4", "song.mid"):
        assert f'href="/s/{page_id}/{file}?download=1" download' in html


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", ["Jazz", "serene", "84 BPM", "E♭ major", "felt piano"]),
        ("ko", ["재즈", "고요한", "84 BPM", "E♭ 장조", "펠트 피아노"]),
    ],
)
async def test_style_mood_tempo_and_key_are_one_line_in_the_visitor_s_language(
    site: Site, web: ClientSession, language: str, line: list[str]
) -> None:
    song = song_of(
        mood=("serene", "peaceful", "dreamy"), genre="folk", wish=Wish(style="jazz"), instruments=("felt piano",)
    )
    html = await html_of(web, site.page(site.pages.add(song=song)), Accept_Language=language)
    facts = re.search(r'<ul class="facts".*?</ul>', html, re.DOTALL)
    assert facts is not None
    assert re.findall(r"<li[^>]*>(.*?)</li>", facts[0]) == line


async def test_a_spoiler_is_shown_to_those_who_ask_and_to_no_program_that_unfolds_links(
    site: Site, web: ClientSession
) -> None:
    page_id = site.pages.add(spoiler=True)
    await with_extras(site)
    html = await html_of(web, site.page(page_id))
    hidden = re.search(r'<details class="spoiler">(.*?)</details>', html, re.DOTALL)
    assert hidden is not None
    assert "Spoiler: show the picture" in hidden[1]
    for shown in (f'src="/s/{page_id}/picture.jpg"', "A low sun leaves its gold"):
        assert html.count(shown) == hidden[1].count(shown) == 1
    assert 'loading="lazy"' in hidden[1]  # a browser fetches it when it is shown
    assert "og:image" not in html
    assert "og:video" not in html
    assert "data-picture" not in html
    query = {"url": f"{PUBLIC}/s/{page_id}"}
    async with web.get(f"{site.url}/oembed", params=query) as answer:
        assert "thumbnail_url" not in await answer.json()
    making = site.pages.add(song=None, stage=Stage.COMPOSING, spoiler=True)
    html = await html_of(web, site.page(making))
    assert html.count("picture.jpg") == 1
    assert re.search(r'<details class="spoiler">.*picture.jpg.*</details>', html, re.DOTALL)


async def test_what_there_is_not_is_not_offered(site: Site, web: ClientSession) -> None:
    unknown: dict[str, Any] = {"bpm": None, "key": None, "mode": None, "instruments": (), "mood": (), "genre": ""}
    song = song_of(title="  ", caption="", waveform=(), **unknown)
    html = await html_of(web, site.page(site.pages.add(song=song, picture_key=None)))
    assert "A song without a name" in html
    for absent in ("BPM", "major", 'class="facts"', "MP4", "MIDI", "picture.jpg", '<div class="wave">'):
        assert absent not in html


def test_a_waveform_of_a_hundred_peaks_has_a_hundred_bars_around_the_middle() -> None:
    bars = bars_of(tuple(range(0, 200, 2)))
    assert len(bars) == 100
    assert all(bar.y + bar.height / 2 == pytest.approx(50, abs=0.1) for bar in bars)
    assert (bars[0].height, bars[-1].height) == (6, 100)


async def test_the_page_is_light_and_needs_no_script_to_be_seen(site: Site, web: ClientSession) -> None:
    html = await html_of(web, site.page(site.pages.add()))
    weight = len(html.encode())
    for path in set(re.findall(r'(?:src|href)="(/static/[^"]+)"', html)):
        async with web.get(site.url + path) as answer:
            assert answer.status == 200
            assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            weight += len(await answer.read())
    print(f"the song page weighs {weight / 1000:.1f} kB without picture and sound")
    assert weight <= 60_000
    assert all(" defer" in tag for tag in re.findall(r"<script[^>]*>", html))
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]*\ssrc=)", html)


async def test_texts_of_a_model_stay_texts(site: Site, web: ClientSession) -> None:
    evil = "\"><script>alert(1)</script>{{ 7 + 7 }}&amp;'onload=x"
    song = song_of(title=evil, caption=evil, instruments=(evil,), key=evil)
    html = await html_of(web, site.page(site.pages.add(song=song, language=evil)))
    assert "<script>alert" not in html
    assert "{{ 7 + 7 }}" in html
    assert Metas(html).said["og:title"] == clean(evil, 256)


# --- how a link unfolds ---------------------------------------------------------------------------------------------


async def test_a_link_unfolds_with_picture_and_sound(site: Site, web: ClientSession) -> None:
    page_id = site.pages.add()
    said = Metas(await html_of(web, site.page(page_id))).said
    here = f"{PUBLIC}/s/{page_id}"
    assert said["og:title"] == "Where the Sea Keeps the Light"
    assert said["og:description"].startswith("A low sun")
    assert (said["og:url"], said["og:site_name"], said["og:type"]) == (here, "Melodify", "music.song")
    assert (said["og:image"], said["og:audio"]) == (f"{here}/picture.jpg", f"{here}/song.mp3")
    assert (said["og:audio:secure_url"], said["og:audio:type"]) == (f"{here}/song.mp3", "audio/mpeg")
    assert (said["music:duration"], "video:duration" in said) == ("30", False)
    assert (said["og:image:width"], said["og:image:height"]) == ("960", "640")
    assert said["twitter:card"] == "summary_large_image"
    assert "noindex" in said["robots"]
    assert "og:video" not in said


async def test_a_link_to_a_song_with_a_film_unfolds_with_the_film(site: Site, web: ClientSession) -> None:
    page_id = site.pages.add()
    await with_extras(site)
    said = Metas(await html_of(web, site.page(page_id))).said
    assert said["og:type"] == "video.other"
    assert (said["og:video"], said["og:video:type"]) == (f"{PUBLIC}/s/{page_id}/song.mp4", "video/mp4")
    assert said["og:video:secure_url"] == f"{PUBLIC}/s/{page_id}/song.mp4"
    assert said["og:audio"] == f"{PUBLIC}/s/{page_id}/song.mp3"
    assert (said["video:duration"], "music:duration" in said) == ("30", False)
    assert (said["og:video:width"], said["og:video:height"]) == ("720", "576")


async def test_oembed_is_found_from_the_page_and_tells_title_and_picture(site: Site, web: ClientSession) -> None:
    page_id = site.pages.add()
    links = Metas(await html_of(web, site.page(page_id))).links
    address = next(link["href"] for link in links if link.get("type") == "application/json+oembed")
    assert address
    async with web.get(address.replace(PUBLIC, site.url)) as answer:
        assert (answer.status, answer.content_type) == (200, "application/json")
        card = await answer.json()
    assert (card["version"], card["type"], card["title"]) == ("1.0", "rich", "Where the Sea Keeps the Light")
    assert card["thumbnail_url"] == f"{PUBLIC}/s/{page_id}/picture.jpg"
    assert (card["thumbnail_width"], card["thumbnail_height"]) == (960, 640)


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"maxwidth": "960", "maxheight": "640"}, True),
        ({"maxwidth": "959"}, False),
        ({"maxheight": "639"}, False),
        ({"maxwidth": "2000", "maxheight": "10"}, False),
        ({"maxwidth": "0"}, False),
        ({"maxwidth": "9" * 30, "maxheight": "wide"}, True),
    ],
)
async def test_oembed_tells_of_no_picture_that_is_larger_than_asked_for(
    site: Site, web: ClientSession, asked: dict[str, str], shown: bool
) -> None:
    query = {"url": f"{PUBLIC}/s/{site.pages.add()}", **asked}
    async with web.get(f"{site.url}/oembed", params=query) as answer:
        card = await answer.json()
    assert card["title"] == "Where the Sea Keeps the Light"
    assert {name for name in card if name.startswith("thumbnail")} == (
        {"thumbnail_url", "thumbnail_width", "thumbnail_height"} if shown else set()
    )


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({}, (560, 192)),
        ({"maxwidth": "1000", "maxheight": "1000"}, (560, 192)),
        ({"maxwidth": "300"}, (300, 192)),
        ({"maxwidth": "240", "maxheight": "112"}, (240, 112)),
        ({"maxwidth": "239"}, None),
        ({"maxheight": "0"}, None),
    ],
)
async def test_oembed_brings_a_player_that_fits_or_a_link(
    site: Site, web: ClientSession, asked: dict[str, str], size: tuple[int, int] | None
) -> None:
    page_id = site.pages.add(song=song_of(title='A "quoted" & sung'))
    async with web.get(f"{site.url}/oembed", params={"url": f"{PUBLIC}/s/{page_id}", **asked}) as answer:
        card = await answer.json()
    if size is None:
        assert (card["type"], "html" in card, "width" in card) == ("link", False, False)
        return
    assert (card["type"], card["width"], card["height"]) == ("rich", *size)
    assert card["html"] == (
        f'<iframe src="{PUBLIC}/embed/{page_id}" title="A &quot;quoted&quot; &amp; sung" width="{size[0]}" '
        f'height="{size[1]}" style="border:0" loading="lazy"></iframe>'
    )


async def test_the_embedded_player_has_picture_title_and_sound_and_alone_may_be_framed(
    site: Site, web: ClientSession
) -> None:
    page_id = site.pages.add()
    async with web.get(f"{site.url}/embed/{page_id}") as answer:
        assert answer.headers["Content-Security-Policy"] == FRAMED["Content-Security-Policy"]
        html = await answer.text()
    assert FRAMED["Content-Security-Policy"] == POLICY.removesuffix("'none'") + "*"
    assert f'<a href="{PUBLIC}/s/{page_id}" target="_blank" rel="noopener">Where the Sea Keeps the Light</a>' in html
    assert f'src="/s/{page_id}/picture.jpg"' in html
    assert f'src="/s/{page_id}/song.mp3"' in html
    for path in (f"/s/{page_id}", "/", f"/oembed?url={PUBLIC}/s/{page_id}", f"/s/{page_id}/song.mp3", "/embed/short"):
        async with web.get(site.url + path) as answer:
            assert answer.headers["Content-Security-Policy"] == POLICY


async def test_an_embedded_spoiler_shows_no_picture(site: Site, web: ClientSession) -> None:
    assert "picture.jpg" not in await html_of(web, f"{site.url}/embed/{site.pages.add(spoiler=True)}")


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"private": True}, 404, "There is no page here"),
        ({"deleted": True}, 410, "This song has been deleted"),
        ({"song": None}, 410, "This song could not be made"),
        ({"song": None, "stage": Stage.COMPOSING}, 200, "Your song is being made"),
    ],
)
async def test_the_embedded_player_of_what_is_not_there_says_so_in_its_frame(
    site: Site, web: ClientSession, fields: dict[str, Any], status: int, said: str
) -> None:
    async with web.get(f"{site.url}/embed/{site.pages.add(**fields)}") as answer:
        assert answer.status == status
        assert said in await answer.text()
        assert answer.headers["Content-Security-Policy"].endswith("frame-ancestors *")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 404),
        ({"url": "nonsense"}, 404),
        ({"url": f"{PUBLIC}/s/../../etc"}, 404),
        ({"url": f"{PUBLIC}/s/{'x' * 22}"}, 404),
        ({"url": "https://songs.example.evil/s/{id}"}, 404),
        ({"url": f"{PUBLIC}/s/{{id}}", "format": "xml"}, 501),
        ({"url": f"{PUBLIC}/s/{{id}}?lang=ko"}, 200),
        ({"url": f"{PUBLIC}/embed/{{id}}"}, 200),
        ({"url": f"{PUBLIC}/s/{{id}}#t=5"}, 200),
        ({"url": f"{PUBLIC}/s/{{id}}/"}, 200),
        ({"url": f"{PUBLIC}/s/{{id}}/?lang=ko#t=5"}, 200),
        ({"url": f"{PUBLIC.upper()}/s/{{id}}"}, 200),
        ({"url": f"{PUBLIC}/S/{{id}}"}, 404),
        ({"url": f"{PUBLIC}/s/{{id}}/song.mp3"}, 404),
        ({"url": f"{PUBLIC}.evil/s/{{id}}"}, 404),
        ({"url": f"{PUBLIC}@songs.example.evil/s/{{id}}"}, 404),
    ],
)
async def test_oembed_answers_for_our_own_pages_only(
    site: Site, web: ClientSession, query: dict[str, str], status: int
) -> None:
    page_id = site.pages.add()
    sent = {name: value.replace("{id}", page_id) for name, value in query.items()}
    async with web.get(f"{site.url}/oembed", params=sent) as answer:
        assert answer.status == status
        assert answer.content_type == ("application/json" if status == 200 else "text/plain")
        assert status == 200 or len(await answer.text()) < 40


@pytest.mark.parametrize("path", ["s", "embed"])
async def test_a_slash_at_the_end_leads_to_the_same_page(site: Site, web: ClientSession, path: str) -> None:
    address = f"{site.url}/{path}/{site.pages.add()}"
    assert await html_of(web, f"{address}/") == await html_of(web, address)
    async with web.get(f"{address}//") as answer:
        assert answer.status == 404


@pytest.mark.parametrize("fields", [{"private": True}, {"deleted": True}, {"song": None, "stage": Stage.QUEUED}])
async def test_oembed_tells_nothing_of_what_is_not_shown(
    site: Site, web: ClientSession, fields: dict[str, Any]
) -> None:
    async with web.get(f"{site.url}/oembed", params={"url": f"{PUBLIC}/s/{site.pages.add(**fields)}"}) as answer:
        assert answer.status == 404


# --- the start page ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "greeting", "invitation"),
    [
        ("en", "A picture becomes a song", "Add Melodify to a server"),
        ("ko", "사진이 노래가 돼요", "서버에 Melodify 추가하기"),
    ],
)
async def test_the_start_page_says_what_it_is_and_invites(
    site: Site, web: ClientSession, language: str, greeting: str, invitation: str
) -> None:
    html = await html_of(web, f"{site.url}/", Accept_Language=language)
    assert f"<h1>{greeting}</h1>" in html
    assert re.findall(r'class="invite" href="([^"]*)">([^<]*)<', html) == [(escape(INVITE), invitation)]
    assert "<h2" not in html


@pytest.mark.parametrize(
    ("language", "heading", "about"), [("en", "Recent songs", "Jazz · 0:30"), ("ko", "최근에 만든 노래", "재즈 · 0:30")]
)
async def test_the_start_page_shows_the_songs_that_may_be_shown(
    site: Site, web: ClientSession, language: str, heading: str, about: str
) -> None:
    song = song_of(genre="jazz")
    ids = [site.pages.add(song=song), site.pages.add(song=song, spoiler=True)]
    ids.append(site.pages.add(song=song_of(genre="jazz", title=" "), picture_key=None))
    site.pages.shown = ids
    html = await html_of(web, f"{site.url}/", Accept_Language=language)
    assert heading in html
    assert re.findall(r'<li><a href="/s/([^"]*)">', html) == ids
    # A spoiler's picture stays covered.
    assert re.findall(r'<img src="/s/([^"]*)/picture.jpg" alt="" loading="lazy">', html) == ids[:1]
    assert html.count(f'<span class="about">{about}</span>') == 3
    assert html.count(">Where the Sea Keeps the Light</span>") == 2


async def test_what_is_taken_off_the_start_page_is_gone_within_a_second(site: Site, web: ClientSession) -> None:
    site.pages.shown = [page_id] = [site.pages.add()]
    async with web.get(f"{site.url}/") as answer:
        assert answer.headers["Cache-Control"] == "no-store"
        assert page_id in await answer.text()
    site.pages.shown = []
    await asyncio.sleep(1.1)
    assert page_id not in await html_of(web, f"{site.url}/")


async def test_the_start_page_greets_although_the_songs_are_unavailable(site: Site, web: ClientSession) -> None:
    site.pages.away = True
    assert "A picture becomes a song" in await html_of(web, f"{site.url}/")


async def test_a_wrong_link_says_so_and_leads_to_the_start(site: Site, web: ClientSession) -> None:
    for wrong in ("/s/" + "x" * 22, "/s/short", "/nothing"):
        html = await html_of(web, site.url + wrong, 404)
        assert "There is no page here" in html
        [home] = re.findall(r'<p><a href="([^"]*)" target="_top">What is Melodify', html)
        assert "A picture becomes a song" in await html_of(web, site.url + home)


async def test_below_a_path_the_start_page_is_there(tmp_path: Path, web: ClientSession) -> None:
    async with site_of(tmp_path, public_url=f"{PUBLIC}/songs") as site:
        site.pages.shown = [page_id] = [site.pages.add()]
        for home in ("/songs", "/songs/"):
            html = await html_of(web, site.url + home)
            assert "A picture becomes a song" in html
            assert f'<a href="/songs/s/{page_id}">' in html
        assert 'href="/songs/"' in await html_of(web, f"{site.url}/songs/elsewhere", 404)


# --- language -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("own", "accepted", "query", "expected"),
    [
        ("en", "ko-KR,ko;q=0.9,en;q=0.8", "", "ko"),
        ("en", "de-DE,ko;q=0.5,en;q=0.4", "", "ko"),
        ("ko", "en-GB", "", "en"),
        ("ko", "", "", "ko"),
        ("ko", "de, fr", "", "ko"),
        ("ja", "de", "", "en"),
        ("en", "ko;q=0, en;q=0.1", "", "en"),
        ("en", "ko;q=9, ;;;,=,q=, *;q=x", "", "en"),
        ("en", "ko", "?lang=en", "en"),
        ("en", "en", "?lang=ko", "ko"),
        ("en", "ko", "?lang=klingon", "ko"),
        ("en", "KO", "", "ko"),
        ("en", ",".join(["xx"] * 500 + ["ko"]), "", "en"),
    ],
)
async def test_the_page_speaks_the_visitor_s_language(
    site: Site, web: ClientSession, own: str, accepted: str, query: str, expected: str
) -> None:
    url = site.page(site.pages.add(language=own)) + query
    async with web.get(url, headers={"Accept-Language": accepted}) as answer:
        html = await answer.text()
        assert Metas(html).language == answer.headers["Content-Language"] == expected
        assert answer.headers["Vary"] == "Accept-Language"
    assert ("내려받기" in html) == (expected == "ko")
    assert f'<h1 lang="{own}">' in html


async def test_each_language_leads_to_the_other(site: Site, web: ClientSession) -> None:
    page = site.page(site.pages.add())
    assert '<a href="?lang=ko" lang="ko" hreflang="ko">한국어</a>' in await html_of(web, page)
    assert '<a href="?lang=en" lang="en" hreflang="en">English</a>' in await html_of(web, f"{page}?lang=ko")


async def test_the_page_and_its_unfolding_clean_texts_as_discord_does(site: Site, web: ClientSession) -> None:
    song = song_of(title="\u3164 visit evil.zip now", caption="a discord.gg/abc <@1> 👩\u200d🚀")
    path = site.page(site.pages.add(song=song))
    said = Metas(await html_of(web, path)).said
    assert said["og:title"] == "visit evil. zip now"
    assert said["og:description"] == "a 👩\u200d🚀"
    unseen = song_of(title="\u3164\u2800\u034f")
    nameless = Metas(await html_of(web, site.page(site.pages.add(song=unseen)))).said["og:title"]
    assert nameless == "A song without a name" == song_embed.title_of("en", unseen)
    assert song_embed.thread_name("en", unseen) == nameless
    assert song_embed.file_stem("en", unseen) == "melodify"
