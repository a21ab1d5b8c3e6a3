"""What members ask for themselves: their songs, their quota, the deletion of their data. Posts are the bot's."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from melodify_core.errors import Rejected, Unavailable
from melodify_core.media.audio.cover import without_cover
from melodify_core.models import Entry, Link, MemberSettings, SongPosts
from melodify_core.ports import Storage
from melodify_core.services.admission import Admission
from melodify_core.storage.layout import keys_of, picture_key, song_key, video_key
from melodify_core.usage.limits import DAY_S
from melodify_core.usage.pseudonym import alias_of
from melodify_core.usage.quota import Quota

if TYPE_CHECKING:
    from melodify_core.jobs.engine import Engine
    from melodify_core.library import MemberBook, Songbook, SongListPage, SortOrder

log = logging.getLogger(__name__)
PAGE_SONGS = 8
# How long `forget` waits for the member's requests and jobs to end. A job that is being posted cannot be stopped.
END_S = 60.0


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was erased."""

    songs: int
    jobs: int  # orders, with or without a song
    takes: int  # others' songs of the member's pictures
    posts: tuple[SongPosts, ...] = ()  # what was posted for all these songs


@dataclass(frozen=True, slots=True)
class PlayableSong:
    """A song from a list, to be played again: as audio, or as a link to it."""

    entry: Entry
    audio: bytes | Link


class MemberService:
    """The songs, the quota and the data of members."""

    def __init__(
        self,
        book: "MemberBook",
        songbook: "Songbook",
        engine: "Engine",
        storage: Storage,
        salt: bytes,
        admission: Admission,
        cancel: Callable[[str], Awaitable[object]],
    ) -> None:
        """`cancel` cancels a job of any member, and informs its asker."""
        self._book = book
        self._songbook = songbook
        self._engine = engine
        self._storage = storage
        self._salt = salt
        self._admission = admission
        self._cancel = cancel

    async def quota(self, user_id: int, guild_id: int | None, role_ids: Collection[int]) -> Quota:
        """Return what the member has left."""
        return await self._admission.quota(user_id, guild_id, role_ids)

    async def own_songs(self, user_id: int, sort: "SortOrder", page: int) -> "SongListPage":
        """Return a page of the member's songs; pages count from 0."""
        return await asyncio.to_thread(self._book.own_songs, user_id, sort, page * PAGE_SONGS, PAGE_SONGS)

    async def public_songs(
        self, guild_id: int, asked_in: Collection[int], sort: "SortOrder", page: int
    ) -> "SongListPage":
        """Return a page of a server's public songs that were asked for in these channels."""
        skip = page * PAGE_SONGS
        return await asyncio.to_thread(self._book.public_songs, guild_id, asked_in, sort, skip, PAGE_SONGS)

    async def settings_of(self, user_id: int) -> MemberSettings:
        """Return what the member has chosen."""
        return await asyncio.to_thread(self._book.settings_of, user_id)

    async def change_settings(self, user_id: int, **changes: object) -> MemberSettings:
        """Change what the member has chosen; return the new settings."""
        edit = partial(_edited, changes)
        return await asyncio.to_thread(self._book.change_settings, user_id, edit)

    async def play(
        self, job_id: str, user_id: int, guild_id: int | None, asked_in: Collection[int], max_bytes: int
    ) -> PlayableSong:
        """Return the member's own song or a public one of the server, as audio or, if that is too large, as a link.

        Raises Rejected: song.gone for one that is missing or that the member may not see, song.too_large.
        """
        entry = await asyncio.to_thread(self._songbook.entry, job_id)
        if entry is None or not _may_play(entry, user_id, guild_id, asked_in):
            raise Rejected("song.gone")
        song = entry.song
        if song.size_bytes <= max_bytes:
            return PlayableSong(entry, await self._storage.load(song.audio_key))
        link = await self._storage.link(song.audio_key, f"{song.title}.mp3")
        if link is None:
            raise Rejected("song.too_large", limit_mb=round(max_bytes / (1024 * 1024), 1))
        return PlayableSong(entry, link)

    async def forget(self, user_id: int, *, with_takes: bool = False) -> Forgotten:
        """End the member's jobs and erase what is stored of the member. May be repeated.

        Songs that others had made of the member's pictures lose the picture; `with_takes` they are erased too. Those
        that are being made are cancelled.
        Raises Unavailable: member.busy while a request or job cannot be stopped any more, storage.* and database.*.
        """
        async with _wait_limit():
            # A request in progress may still become an order, so wait for it. A dead process's request does not: it is
            # erased below.
            while await asyncio.to_thread(self._book.has_open_request, user_id, time.time()):  # noqa: ASYNC110
                await asyncio.sleep(0.2)
        await self._stop(partial(self._book.open_jobs, user_id))
        jobs = await asyncio.to_thread(self._book.jobs, user_id)
        # Read before the erasure: nobody knows afterwards where the songs were posted.
        posts = await asyncio.to_thread(self._book.posted, user_id)
        others = await self._takes_of_pictures(user_id, jobs)
        takes = [take.job_id for take in others]
        await (self._erase_songs(takes) if with_takes else self._erase_pictures(takes))
        await self._delete_files(jobs)
        # The engine's records hold the orders and the readings.
        if jobs:
            await self._engine.forget(jobs)
        now = time.time()
        alias = alias_of(user_id, self._salt)
        songs = await asyncio.to_thread(self._book.forget, user_id, alias, now, now - DAY_S)
        # Without the member's id: the log must not keep what the database forgets.
        log.info("the data of a member was erased: %d songs of %d orders", songs, len(jobs))
        return Forgotten(songs, len(jobs), len(takes), (*posts, *others))

    async def _delete_files(self, job_ids: Collection[str]) -> None:
        for job_id in job_ids:
            for key in keys_of(job_id):
                await self._storage.delete(key)

    async def _erase_songs(self, job_ids: Collection[str]) -> None:
        await self._delete_files(job_ids)
        await asyncio.to_thread(self._songbook.erase, job_ids, time.time())

    async def _erase_pictures(self, job_ids: Collection[str]) -> None:
        """Delete the pictures of songs that stay, and what shows them: the videos and the covers."""
        # First, so that no page and no further take shows what is being deleted.
        await asyncio.to_thread(self._book.drop_pictures, job_ids)
        for job_id in job_ids:
            for key in (picture_key(job_id), video_key(job_id)):
                await self._storage.delete(key)
            if await self._storage.find(song_key(job_id)):
                bare = without_cover(await self._storage.load(song_key(job_id)))
                await self._storage.save(song_key(job_id), bare, "audio/mpeg")

    async def _takes_of_pictures(self, user_id: int, jobs: Collection[str]) -> list[SongPosts]:
        """Return others' songs of the member's pictures, once there can be no more of them."""
        known = await asyncio.to_thread(self._book.takes_of_pictures, user_id)
        await asyncio.to_thread(self._book.drop_pictures, [*jobs, *(take.job_id for take in known)])
        await self._stop(partial(self._book.open_takes, frozenset(jobs)))
        failed = await asyncio.to_thread(self._book.failed_takes, frozenset(jobs))
        await asyncio.to_thread(self._book.drop_pictures, failed)
        await self._delete_files(failed)
        return await asyncio.to_thread(self._book.takes_of_pictures, user_id)

    async def _stop(self, open_jobs: Callable[[], Collection[str]]) -> None:
        """Cancel these jobs, and wait until none of them is open."""
        for job_id in await asyncio.to_thread(open_jobs):
            try:
                await self._cancel(job_id)
            except Rejected as error:
                log.info("job %s is not cancelled, waiting for its end: %s", job_id, error)
        async with _wait_limit():
            # Poll, because the job may end in another process.
            while await asyncio.to_thread(open_jobs):  # noqa: ASYNC110
                await asyncio.sleep(0.2)


@asynccontextmanager
async def _wait_limit() -> AsyncIterator[None]:
    """Raise Unavailable when the block takes longer than END_S."""
    try:
        async with asyncio.timeout(END_S):
            yield
    except TimeoutError as error:
        raise Unavailable("member.busy") from error


def _edited(changes: dict[str, object], settings: MemberSettings) -> MemberSettings:
    # Validate: what is written to the database must be readable again.
    return MemberSettings.model_validate(settings.model_dump() | changes)


def _may_play(entry: Entry, user_id: int, guild_id: int | None, asked_in: Collection[int]) -> bool:
    if entry.user_id == user_id:
        return True
    return not entry.private and entry.guild_id == guild_id and guild_id is not None and entry.asked_in in asked_in
