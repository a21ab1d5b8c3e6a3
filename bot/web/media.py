"""Picture and sound of a page, streamed from storage in pieces: no file is ever whole in memory."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Protocol

from aiohttp import web

from bot.ops.http import ConnectionLimiter
from bot.posts.song_embed import file_stem
from bot.web.responses import set_tag
from bot.web.roll import MOST_BYTES, roll_of
from bot.web.videos import Videos
from bot.web.visitors import language_of, visitor_address
from melodify_core.config.settings import Web
from melodify_core.errors import Rejected, Unavailable
from melodify_core.models import Song, Stored
from melodify_core.pages import Page
from melodify_core.storage.file_names import disposition

PIECE_BYTES = 256 * 1024
_HEADERS = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, max-age=3600",  # no proxy may keep it: a song may be deleted
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_TYPES = {"picture.jpg": "image/jpeg", "song.mp3": "audio/mpeg", "song.mid": "audio/midi", "song.mp4": "video/mp4"}
NAMES = "|".join(re.escape(name) for name in _TYPES)
_RANGE = re.compile(r"(\d+)-(\d*)|-(\d+)", re.ASCII)


class Files(Protocol):
    """As much of ports.Storage as is needed here."""

    async def find(self, key: str) -> Stored | None:
        """Return what is known of the key, None for an unknown one. Raises Unavailable."""

    async def read(self, key: str, start: int, length: int) -> bytes:
        """Return up to `length` bytes from the byte `start` on. Raises Unavailable."""


class Media:
    """Serves the files of pages. With `videos`, a video is made when it is first asked for."""

    def __init__(self, storage: Files, settings: Web, videos: Videos | None = None) -> None:
        self._storage = storage
        self._videos = videos
        self._settings = settings
        self._streams = ConnectionLimiter(settings.streams, settings.streams_per_address)

    async def answer(self, request: web.Request, page: Page) -> web.StreamResponse:
        """Send one file of the page, or the part that is asked for. Raises HTTPException and Unavailable."""
        name = request.match_info["name"]
        key = _key_of(page, name)
        # Asked each time, and not remembered: a file may be replaced under its key, or go.
        found = await self._storage.find(key) if key else None
        if key and found is None and name == "song.mp4" and page.song and self._videos:
            if request.method == "HEAD":
                return _announced(self._videos, page.song)
            found = await self._made(request, self._videos, page.song, key)
        if key is None or found is None:
            raise web.HTTPNotFound
        return await self._answer(request, page, name, key, found)

    async def notes(self, request: web.Request, page: Page) -> web.StreamResponse:
        """Send the notes of the page's score, for the piano roll. Raises HTTPException and Unavailable."""
        found = await self._storage.find(page.midi_key) if page.midi_key else None
        if page.midi_key is None or found is None:
            raise web.HTTPNotFound
        language = language_of(request, page.language)
        headers = {"Cache-Control": _HEADERS["Cache-Control"], "Vary": "Accept-Language"}
        response = web.Response(content_type="application/json", headers=headers)
        if not set_tag(request, response, page.midi_key, language, str(found.size_bytes)):
            with self._streams.hold(visitor_address(request, self._settings)):
                midi = await self._storage.read(page.midi_key, 0, MOST_BYTES)
                response.body = await asyncio.to_thread(roll_of, midi, language)
        return response

    async def _answer(self, request: web.Request, page: Page, name: str, key: str, found: Stored) -> web.StreamResponse:
        size = found.size_bytes
        # A song that is mastered anew measures differently: the tag changes with it.
        measured = page.song.model_dump_json() if page.song else ""
        response = web.StreamResponse(headers=_HEADERS)
        if set_tag(request, response, key, measured, found.content_type, str(size)):
            return response
        # The browser's other parts must be of the same file. We give no dates.
        tag = response.headers["ETag"]
        partial = request.method == "GET" and request.headers.get("If-Range", tag).strip() == tag
        try:
            part = wanted(request.headers.get("Range") if partial else None, size)
        except Unsatisfiable:
            return web.Response(status=416, headers={"Content-Range": f"bytes */{size}"})
        response.content_type = _TYPES[name]
        if "download" in request.query and page.song:
            stem = file_stem(language_of(request, page.language), page.song)
            response.headers["Content-Disposition"] = disposition(f"{stem}{name[name.rindex('.') :]}")
        if part is not None:
            response.set_status(206)
            response.headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
        return await self._send(request, response, key, size, range(size) if part is None else part)

    async def _send(
        self, request: web.Request, response: web.StreamResponse, key: str, size: int, part: range
    ) -> web.StreamResponse:
        response.content_length = len(part)
        if request.method == "GET":
            with self._streams.hold(visitor_address(request, self._settings)):
                pieces = self._pieces(key, size, part)
                first = await anext(pieces, b"")  # an answer begins only when storage is there
                await response.prepare(request)
                await response.write(first)
                async for piece in pieces:
                    await response.write(piece)
        return response

    async def _pieces(self, key: str, size: int, part: range) -> AsyncIterator[bytes]:
        for start in range(part.start, part.stop, PIECE_BYTES):
            length = min(PIECE_BYTES, part.stop - start)
            beyond = 1 if start + length == size else 0  # a longer file has more than its end
            piece = await self._storage.read(key, start, length + beyond)
            if len(piece) != length:
                raise Unavailable("storage.unavailable")  # another file has taken its place
            yield piece

    async def _made(self, request: web.Request, videos: Videos, song: Song, key: str) -> Stored | None:
        # A visitor that waits for a video takes the place of a stream.
        with suppress(Rejected), self._streams.hold(visitor_address(request, self._settings)):
            await videos.make(song.job_id)
            return await self._storage.find(key)
        return None


def _key_of(page: Page, name: str) -> str | None:
    keys = {"picture.jpg": page.picture_key}
    if page.song:
        keys |= {"song.mp3": page.song.audio_key, "song.mid": page.midi_key, "song.mp4": page.video_key}
    return keys.get(name)


def _announced(videos: Videos, song: Song) -> web.StreamResponse:
    """Return the head of a video that a GET would have made: its length is not known yet (RFC 9110, section 9.3.2)."""
    with suppress(Rejected):
        videos.check(song.job_id)
        response = web.StreamResponse(headers=_HEADERS)
        response.content_type = _TYPES["song.mp4"]
        return response
    raise web.HTTPNotFound


class Unsatisfiable(Exception):
    """The header asks for bytes that do not exist."""


def wanted(header: str | None, size: int) -> range | None:
    """Return the bytes that a Range header asks for, None for all (RFC 9110, section 14). Raises Unsatisfiable.

    An unknown unit, a list of ranges and what is no range are answered with all bytes, as the RFC allows. aiohttp's own
    `http_range` refuses lists, empty elements and other units, and fails on long numbers.
    """
    unit, _, listed = (header or "").partition("=")
    elements = [element for word in listed.split(",") if (element := word.strip(" \t"))]
    ranges = [found for element in elements if (found := _RANGE.fullmatch(element))]
    if unit.lower() != "bytes" or len(ranges) != 1 or len(ranges) < len(elements):
        return None
    first, last, count = (_number(digits, size) for digits in ranges[0].groups())
    part = range(max(size - count, 0), size) if ranges[0][1] is None else range(first, min(last + 1, size))
    if not part:
        raise Unsatisfiable
    return part


def _number(digits: str | None, size: int) -> int:
    """Return the number, `size` where there is none or where it is longer than any file's."""
    significant = (digits or str(size)).lstrip("0") or "0"
    return int(significant) if len(significant) <= len(str(size)) else size
