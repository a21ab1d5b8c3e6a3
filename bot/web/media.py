"""Picture and sound of a page, streamed from storage in pieces: no file is ever whole in memory."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from aiohttp import web

from bot.posts.song_embed import file_stem
from bot.web.addresses import Places, visitor
from bot.web.etags import etag_of, is_known, may_continue
from bot.web.headers import Headers
from bot.web.language import language_of
from bot.web.notices import missing
from bot.web.ranges import Unsatisfiable, wanted
from melodify_core.config.settings import Web
from melodify_core.errors import Rejected, Unavailable
from melodify_core.models import Stored
from melodify_core.pages import Page
from melodify_core.storage.file_names import disposition

PIECE_BYTES = 256 * 1024
# Nobody between us and the visitor may keep it: a song may be deleted.
_CACHE_CONTROL = "private, max-age=3600"
_TYPES = {"picture.jpg": "image/jpeg", "song.mp3": "audio/mpeg", "song.mid": "audio/midi", "song.mp4": "video/mp4"}
NAMES = "|".join(name.replace(".", r"\.") for name in _TYPES)


@dataclass(frozen=True, slots=True)
class _File:
    key: str
    etag: str
    size: int


class Files(Protocol):
    """As much of ports.Storage as is needed here."""

    async def find(self, key: str) -> Stored | None:
        """Return what is known of the key, None when it is not there. Raises Unavailable."""
        ...

    async def read(self, key: str, start: int, length: int) -> bytes:
        """Return up to `length` bytes from the byte `start` on. Raises Unavailable."""
        ...


class VideoRenderer(Protocol):
    """As much of Takes as is needed here."""

    async def render_video(self, job_id: str) -> None:
        """Make the song's video where there is none yet. Raises Rejected and Unavailable."""
        ...


class Media:
    """Serves the files of pages. With `videos`, a video is made when it is first asked for, one at a time."""

    def __init__(self, storage: Files, settings: Web, headers: Headers, videos: VideoRenderer | None = None) -> None:
        self._storage = storage
        self._videos = videos
        self._rendering = asyncio.Semaphore(1)
        self._settings = settings
        self._places = Places(settings.streams, settings.streams_per_address)
        self._headers = headers

    async def answer(self, request: web.BaseRequest, page: Page, name: str) -> web.StreamResponse:
        """Serve one file of the page. Raises Notice and Unavailable."""
        file = await self._file(page, name)
        headers = {
            "ETag": file.etag,
            "Accept-Ranges": "bytes",
            "Cache-Control": _CACHE_CONTROL,
            "Cross-Origin-Resource-Policy": "cross-origin",
        }
        if is_known(request, file.etag):
            return web.Response(status=304, headers=self._headers.adding(headers))
        asked = request.headers.get("Range") if request.method == "GET" and may_continue(request, file.etag) else None
        try:
            part = wanted(asked, file.size)
        except Unsatisfiable:
            unfit = {"Content-Range": f"bytes */{file.size}"}
            return web.Response(status=416, headers=self._headers.adding(unfit))
        headers["Content-Type"] = _TYPES[name]
        if "download" in request.query and page.song:
            stem = file_stem(language_of(request, page.language), page.song)
            headers["Content-Disposition"] = disposition(f"{stem}{name[name.rindex('.') :]}")
        if part is not None:
            headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{file.size}"
        return await self._send(request, file, part, headers)

    async def _send(
        self, request: web.BaseRequest, file: _File, part: range | None, headers: dict[str, str]
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=200 if part is None else 206, headers=self._headers.adding(headers))
        part = range(file.size) if part is None else part
        response.content_length = len(part)
        if request.method == "HEAD":
            await response.prepare(request)
            return response
        with self._places.taken(visitor(request, self._settings)):
            pieces = self._pieces(file, part)
            first = await anext(pieces, b"")  # storage that is away must not look like a song
            await response.prepare(request)
            try:
                await self._write(response, first)
                async for piece in pieces:
                    await self._write(response, piece)
            except (Unavailable, TimeoutError, ConnectionError):
                # The length has been promised: only a broken connection says that it is not kept.
                if request.transport:
                    request.transport.abort()
        return response

    async def _write(self, response: web.StreamResponse, piece: bytes) -> None:
        async with asyncio.timeout(self._settings.stall_s):
            await response.write(piece)

    async def _pieces(self, file: _File, part: range) -> AsyncIterator[bytes]:
        for start in range(part.start, part.stop, PIECE_BYTES):
            length = min(PIECE_BYTES, part.stop - start)
            beyond = 1 if start + length == file.size else 0  # a longer file has more than its end
            piece = await self._storage.read(file.key, start, length + beyond)
            if len(piece) != length:
                raise Unavailable("storage.unavailable")  # another file has taken its place
            yield piece

    async def _file(self, page: Page, name: str) -> _File:
        key = _key(page, name)
        if key is None:
            raise missing()
        # Asked each time, and not remembered: a file may be replaced under its key, or go.
        found = await self._storage.find(key)
        if found is None and name == "song.mp4" and page.song:
            found = await self._filmed(page.song.job_id, key)
        if found is None:
            raise missing()
        # A song that is mastered anew measures differently: the tag changes with it.
        described = page.song.model_dump_json() if page.song else ""
        return _File(key, etag_of(key, described, found.content_type, str(found.size_bytes)), found.size_bytes)

    async def _filmed(self, job_id: str, key: str) -> Stored | None:
        if self._videos is None:
            return None
        async with self._rendering:
            try:
                await self._videos.render_video(job_id)
            except Rejected:
                return None
            return await self._storage.find(key)


def _key(page: Page, name: str) -> str | None:
    if name == "picture.jpg":
        return page.picture_key
    if page.song is None:
        return None
    return {"song.mp3": page.song.audio_key, "song.mid": page.midi_key, "song.mp4": page.video_key}[name]
