"""What can be done with a finished song: show, like, make a video, delete. Another take is an order: see studio.py."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from melodify_core.errors import Rejected, Unavailable
from melodify_core.media.video import make_video
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Entry, Link, SongPosts
from melodify_core.ports import Storage
from melodify_core.services.video_failures import VideoFailures
from melodify_core.storage.layout import keys_of, midi_key, video_key

if TYPE_CHECKING:
    from melodify_core.library import Songbook

MEBIBYTE = 1024 * 1024
VIDEO_DEADLINE_S = 180.0
# A stored video may be larger than this server accepts: another server may accept it, or a link is sent.
LARGEST_VIDEO = 50 * MEBIBYTE
SMALL_VIDEO = 10 * MEBIBYTE  # Discord's lowest upload limit


class SongService:
    """The finished songs, with their files."""

    def __init__(
        self,
        songbook: "Songbook",
        storage: Storage,
        pool: WorkerPool,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._songbook = songbook
        self._storage = storage
        self._pool = pool
        self._rendering: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._posting: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._failures = VideoFailures(clock)

    async def entry(self, job_id: str, user_id: int) -> Entry:
        """Return the song. Raises Rejected: song.gone, or song.private for a private one of another member."""
        entry = await asyncio.to_thread(self._songbook.entry, job_id)
        if entry is None:
            raise Rejected("song.gone")
        if entry.private and entry.user_id != user_id:
            raise Rejected("song.private")
        return entry

    async def picture(self, entry: Entry) -> bytes:
        """Return the song's picture. Raises Rejected("song.picture_gone") when it was deleted, Unavailable."""
        if await self._storage.find(entry.song.picture_key) is None:
            raise Rejected("song.picture_gone")
        return await self._storage.load(entry.song.picture_key)

    async def like(self, job_id: str, user_id: int) -> tuple[bool, int]:
        """Like the song, or remove the like; return whether the member likes it now, and how many members do."""
        await self.entry(job_id, user_id)
        return await asyncio.to_thread(self._songbook.like, job_id, user_id, time.time())

    async def likes(self, job_id: str) -> int:
        """Return how many members like the song."""
        entry = await asyncio.to_thread(self._songbook.entry, job_id)
        return entry.likes if entry else 0

    async def video(self, entry: Entry, max_bytes: int) -> bytes | Link:
        """Return the song's video, made at the first request; a link to it where it is too large to attach.

        Raises Rejected (song.picture_gone, song.too_large) and Unavailable.
        """
        key = video_key(entry.song.job_id)
        size = await self._ensure_video(entry, key, max_bytes)
        if size <= max_bytes:
            return await self._storage.load(key)
        link = await self._storage.link(key, f"{entry.song.title}.mp4")
        if link is None:
            raise Rejected("song.too_large", limit_mb=round(max_bytes / MEBIBYTE, 1))
        return link

    async def render_video(self, job_id: str) -> None:
        """Make the song's video where there is none yet. If the storage has no links, the video fits any server.

        Raises Rejected (song.gone, song.picture_gone, song.too_large) and Unavailable.
        """
        entry = await asyncio.to_thread(self._songbook.entry, job_id)
        if entry is None:
            raise Rejected("song.gone")
        await self._ensure_video(entry, video_key(job_id), SMALL_VIDEO)

    def check_video(self, job_id: str) -> None:
        """Raise what `render_video` would raise again without another attempt."""
        self._failures.check(job_id, SMALL_VIDEO)

    async def _ensure_video(self, entry: Entry, key: str, max_bytes: int) -> int:
        """Render and store the video where there is none yet; return the size of the stored one in bytes."""
        # Simultaneous requests share one rendering. The weak dictionary drops the lock when no request uses it.
        lock = self._rendering.setdefault(entry.song.job_id, asyncio.Lock())
        async with lock:
            found = await self._storage.find(key)
            if found:
                return found.size_bytes
            self._failures.check(entry.song.job_id, max_bytes)
            with self._failures.remember(entry.song.job_id, max_bytes):
                return await self._render_unless_deleted(entry, key, max_bytes)

    async def _render_unless_deleted(self, entry: Entry, key: str, max_bytes: int) -> int:
        try:
            size = await self._render_and_store(entry, key, max_bytes)
        except Unavailable:
            # The song's files are deleted before its entry.
            if await self._is_gone(entry) or await self._storage.find(entry.song.audio_key) is None:
                raise Rejected("song.gone") from None
            raise
        if await self._is_gone(entry):
            # The song was deleted during the rendering, and its asker was told that no file is left.
            await self._storage.delete(key)
            raise Rejected("song.gone")
        return size

    async def _render_and_store(self, entry: Entry, key: str, max_bytes: int) -> int:
        song = entry.song
        picture, mp3 = await self.picture(entry), await self._storage.load(song.audio_key)
        # Without links, a storage cannot offer a video that is too large to attach.
        fits = max_bytes if await self._storage.link(song.audio_key, "song.mp3") is None else LARGEST_VIDEO
        video = await self._pool.run(VIDEO_DEADLINE_S, make_video, mp3, picture, song.waveform, fits)
        await self._storage.save(key, video.data, "video/mp4")
        return len(video.data)

    async def _is_gone(self, entry: Entry) -> bool:
        return await asyncio.to_thread(self._songbook.entry, entry.song.job_id) is None

    async def midi(self, entry: Entry) -> bytes | None:
        """Return the song's score as a MIDI file, None where there is none. Raises Unavailable."""
        key = midi_key(entry.song.job_id)
        return await self._storage.load(key) if await self._storage.find(key) else None

    def video_turn(self, job_id: str) -> asyncio.Lock:
        """Return what lets those who post the song's video do so one after the other."""
        return self._posting.setdefault(job_id, asyncio.Lock())

    async def note_video(self, entry: Entry, channel_id: int, message_id: int) -> bool:
        """Remember a message with the song's video, so that it is deleted with the song. Raises Unavailable.

        False for a song that was deleted meanwhile.
        """
        return await asyncio.to_thread(self._songbook.note_video, entry.song.job_id, channel_id, message_id)

    async def takes(self, job_id: str) -> list[SongPosts]:
        """Return where the newest takes of the song were posted; each links to it. Raises Unavailable."""
        return await asyncio.to_thread(self._songbook.takes_of, job_id)

    async def delete(self, entry: Entry) -> None:
        """Delete the song's files and its entry; what was paid for it stays in the ledger. Raises Unavailable."""
        for key in keys_of(entry.song.job_id):
            await self._storage.delete(key)
        await asyncio.to_thread(self._songbook.erase, [entry.song.job_id], time.time())
        # A rendering that ran meanwhile may have stored its video after the first deletion.
        await self._storage.delete(video_key(entry.song.job_id))
