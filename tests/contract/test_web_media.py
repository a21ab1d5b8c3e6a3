"""Picture and sound of a song page: ranges, tags, names, streaming, visitors who stall or leave."""

import asyncio
import socket
import struct
import tracemalloc
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import ClientSession

from bot.web.media import PIECE_BYTES, Unsatisfiable, wanted
from melodify_core.models import Stored
from tests.contract.web_pages import SOUND, MemoryPages, Site, html_of, serve, site_of, song_of, web_settings
from tests.loopback import logged

SIZE = len(SOUND)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_of(tmp_path / "files") as site:
        yield site


@pytest.fixture
async def web() -> AsyncIterator[ClientSession]:
    async with ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:
        yield session


def sound_of(site: Site) -> str:
    return f"{site.page(site.pages.add())}/song.mp3"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-", range(100)),
        ("bytes=0-0", range(1)),
        ("bytes=99-", range(99, 100)),
        ("bytes=10-19", range(10, 20)),
        ("bytes=10-1000", range(10, 100)),
        ("bytes=-1", range(99, 100)),
        ("bytes=-1000", range(100)),
        ("bytes= 1-2 ", range(1, 3)),
        ("Bytes=0-0", range(1)),
        ("BYTES=-1", range(99, 100)),
        ("bytes=0-0,", range(1)),
        ("bytes=, ,5-6 ,", range(5, 7)),
        (f"bytes=0-{'9' * 19}", range(100)),
        (f"bytes=90-{'9' * 5000}", range(90, 100)),
        (f"bytes=-{'9' * 5000}", range(100)),
        (f"bytes={'0' * 30}1-2", range(1, 3)),
        ("bytes=0-1,5-6", None),
        ("lines=1-2", None),
        ("bytes=0-1,x", None),
        ("bytes=-1,-", None),
        ("", None),
    ],
)
def test_a_range_is_read(header: str | None, expected: range | None) -> None:
    assert wanted(header, 100) == expected


@pytest.mark.parametrize(
    "header",
    [
        *(
            "bytes=100-",
            "bytes=5-4",
            "bytes=-0",
            f"bytes={'9' * 5000}-",
        ),
        "bytes=99999999999999999999-",
    ],
)
def test_bytes_that_do_not_exist_are_refused(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        wanted(header, 100)


@pytest.mark.parametrize(
    "header",
    [
        *("bytes=-", "bytes=", "bytes=a-b", "bytes", "BYTES=x", "bytes=,"),
        *("bytes=--1", "bytes=٣-", "bytes=1-2-3", "bytes=0x1-2"),
    ],
)
def test_what_is_no_range_is_ignored(header: str) -> None:
    assert wanted(header, 100) is None


async def test_the_whole_song_comes_with_its_length_and_tag(site: Site, web: ClientSession) -> None:
    async with web.get(sound_of(site)) as answer:
        assert (answer.status, answer.content_type, await answer.read()) == (200, "audio/mpeg", SOUND)
        assert answer.headers["Content-Length"] == str(SIZE)
        assert answer.headers["Accept-Ranges"] == "bytes"
        assert answer.headers["Cache-Control"] == "private, max-age=3600"
        assert answer.headers["ETag"].startswith('"')


@pytest.mark.parametrize(
    ("header", "part"),
    [("bytes=0-1", range(2)), ("bytes=-5", range(SIZE - 5, SIZE)), (f"bytes={PIECE_BYTES - 1}-", None)],
)
async def test_a_part_comes_as_asked(site: Site, web: ClientSession, header: str, part: range | None) -> None:
    part = part or range(PIECE_BYTES - 1, SIZE)
    async with web.get(sound_of(site), headers={"Range": header}) as answer:
        assert (answer.status, await answer.read()) == (206, SOUND[part.start : part.stop])
        assert answer.headers["Content-Range"] == f"bytes {part.start}-{part.stop - 1}/{SIZE}"


async def test_a_part_that_is_not_there_is_416(site: Site, web: ClientSession) -> None:
    async with web.get(sound_of(site), headers={"Range": f"bytes={SIZE}-"}) as answer:
        assert (answer.status, answer.headers["Content-Range"]) == (416, f"bytes */{SIZE}")
        assert await answer.read() == b""


async def test_parts_of_another_song_are_not_mixed_in(site: Site, web: ClientSession) -> None:
    url = sound_of(site)
    async with web.head(url) as answer:
        tag = answer.headers["ETag"]
    for known, status in ((tag, 206), ('"other"', 200), ("Mon, 23 Nov 2026 00:00:00 GMT", 200)):
        async with web.get(url, headers={"Range": "bytes=0-9", "If-Range": known}) as answer:
            assert answer.status == status
    async with web.get(url, headers={"If-None-Match": tag}) as answer:
        assert (answer.status, await answer.read()) == (304, b"")


async def test_head_tells_what_get_would_and_reads_nothing(site: Site, web: ClientSession) -> None:
    async with web.head(sound_of(site), headers={"Range": "bytes=0-1"}) as answer:
        assert (answer.status, answer.headers["Content-Length"]) == (200, str(SIZE))
        assert await answer.read() == b""


async def test_a_download_has_the_song_s_name(site: Site, web: ClientSession) -> None:
    song = song_of(title='바다: "빛"\r\nSet-Cookie: a=b')
    async with web.get(f"{site.page(site.pages.add(song=song))}/song.mp3?download=1") as answer:
        disposition = answer.headers["Content-Disposition"]
        assert "Set-Cookie" not in answer.headers
    assert disposition.startswith("attachment; ")
    assert "filename*=UTF-8''%EB%B0%94%EB%8B%A4" in disposition
    async with web.get(f"{site.page(site.pages.add())}/song.mp3") as answer:
        assert "Content-Disposition" not in answer.headers


async def test_files_that_are_gone_from_storage_are_404(site: Site, web: ClientSession) -> None:
    page = site.page(site.pages.add())
    await site.storage.delete("pictures/1.jpg")
    for name in ("picture.jpg", "song.mid", "song.mp4"):
        await html_of(web, f"{page}/{name}", 404)


class Endless:
    """A song of a gigabyte, made while it is read."""

    size = 1_000_000_000

    async def find(self, key: str) -> Stored | None:
        return Stored("audio/mpeg", self.size) if key.endswith(".mp3") else None

    async def read(self, key: str, start: int, length: int) -> bytes:
        del key, start
        return bytes(length)


async def test_a_song_is_never_whole_in_memory(web: ClientSession) -> None:
    pages = MemoryPages()
    page_id = pages.add()
    async with serve(pages, Endless(), web_settings()) as url:
        tracemalloc.start()
        async with web.get(f"{url}/s/{page_id}/song.mp3", headers={"Range": "bytes=0-99999999"}) as answer:
            seen = 0
            async for piece in answer.content.iter_any():
                seen += len(piece)
            peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert seen == 100_000_000
    print(f"at most {peak / 1e6:.1f} MB in memory, client included, for a part of 100 MB")
    assert peak < 12 * PIECE_BYTES


async def test_a_visitor_who_takes_nothing_is_hung_up_on_and_the_place_is_free_again(web: ClientSession) -> None:
    pages = MemoryPages()
    page_id = pages.add()
    async with serve(pages, Endless(), web_settings(streams_per_address=1, stall_s=0.3)) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port, limit=1024)
        writer.write(f"GET /s/{page_id}/song.mp3 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await reader.readuntil(b"\r\n")
        async with web.get(f"{url}/s/{page_id}/song.mp3") as answer:
            assert (answer.status, answer.headers["Retry-After"]) == (429, "5")
        async with asyncio.timeout(10):
            while (await status_of(web, f"{url}/s/{page_id}/song.mp3")) != 206:
                await asyncio.sleep(0.05)
        writer.close()


async def test_a_visitor_who_breaks_off_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    pages = MemoryPages()
    page_id = pages.add()
    async with serve(pages, Endless(), web_settings()) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port, limit=1024)
        writer.write(f"GET /s/{page_id}/song.mp3 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await reader.readuntil(b"\r\n")
        await asyncio.sleep(0.1)  # the server waits until it may go on writing
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()
        await asyncio.sleep(0.1)
    assert logged(caplog) == []


async def status_of(web: ClientSession, url: str) -> int:
    async with web.get(url, headers={"Range": "bytes=0-0"}) as answer:
        return answer.status


async def test_too_many_streams_in_all_are_503(web: ClientSession) -> None:
    pages = MemoryPages()
    page_id = pages.add()
    async with serve(pages, Endless(), web_settings(streams=2)) as url:
        held = [await web.get(f"{url}/s/{page_id}/song.mp3") for _ in range(2)]
        async with web.get(f"{url}/s/{page_id}/song.mp3") as answer:
            assert answer.status == 503
        for answer in held:
            answer.close()
        async with asyncio.timeout(10):
            while (await status_of(web, f"{url}/s/{page_id}/song.mp3")) != 206:
                await asyncio.sleep(0.05)


async def test_a_file_that_goes_while_its_page_is_read_is_404_for_get_as_for_head(
    site: Site, web: ClientSession
) -> None:
    url = sound_of(site)
    async with web.get(url) as answer:
        assert answer.status == 200
    await site.storage.delete("songs/1.mp3")
    await html_of(web, url, 404)
    async with web.head(url) as answer:
        assert answer.status == 404


@pytest.mark.parametrize("now", [SOUND[:1000], SOUND + SOUND], ids=["shorter", "longer"])
async def test_a_file_that_was_replaced_has_another_tag_and_comes_whole(
    site: Site, web: ClientSession, now: bytes
) -> None:
    await site.storage.save("songs/1.mp4", SOUND, "video/mp4")
    url = f"{site.page(site.pages.add())}/song.mp4"
    async with web.get(url) as answer:
        tag = answer.headers["ETag"]
    await site.storage.save("songs/1.mp4", now, "video/mp4")
    for sent in ({}, {"If-None-Match": tag}, {"If-Range": tag, "Range": "bytes=10-"}):
        async with web.get(url, headers=sent) as answer:
            assert (answer.status, await answer.read()) == (200, now)
            assert answer.headers["ETag"] != tag


@dataclass
class Replaced:
    """A file that another one takes the place of just after it was found."""

    found: int
    now: int

    async def find(self, key: str) -> Stored | None:
        return Stored("audio/mpeg", self.found) if key.endswith(".mp3") else None

    async def read(self, key: str, start: int, length: int) -> bytes:
        del key
        return bytes(self.now)[start : start + length]


@pytest.mark.parametrize(("found", "now"), [(3 * PIECE_BYTES, PIECE_BYTES + 5), (PIECE_BYTES + 5, 3 * PIECE_BYTES)])
async def test_a_file_that_changes_its_length_while_it_is_sent_breaks_the_connection(
    web: ClientSession, found: int, now: int
) -> None:
    pages = MemoryPages()
    async with serve(pages, Replaced(found, now), web_settings()) as url:
        with pytest.raises(aiohttp.ClientPayloadError):
            async with web.get(f"{url}/s/{pages.add()}/song.mp3") as answer:
                await answer.read()


async def test_a_length_that_is_known_to_be_wrong_is_never_promised(web: ClientSession) -> None:
    pages = MemoryPages()
    async with serve(pages, Replaced(found=10, now=20), web_settings()) as url:
        await html_of(web, f"{url}/s/{pages.add()}/song.mp3", 503)
