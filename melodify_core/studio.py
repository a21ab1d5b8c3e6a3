"""The front door: opens everything in the right order, closes it again, and takes orders."""

import asyncio
import gc
import hashlib
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from melodify_core import limits, picture
from melodify_core.adapters import check_adapters, open_adapters
from melodify_core.errors import Rejected, Unavailable
from melodify_core.models import Job, Order, Picture
from melodify_core.ports import Delivery, Ledger, Storage
from melodify_core.settings import Settings
from melodify_core.workflow import Parts, labels_of, make_song, plain_step
from melodify_core.workshop import Workshop

if TYPE_CHECKING:
    from melodify_core.engine import Engine
    from melodify_core.library import Library

MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an order got: its job, and its place in the queue (1 is the next to start, 0 is started)."""

    job_id: str
    position: int
    repeated: bool = False


class Studio:
    """Takes orders and tells where they stand."""

    def __init__(
        self, settings: Settings, library: "Library", engine: "Engine", storage: Storage, workshop: Workshop
    ) -> None:
        self.settings = settings
        self._library = library
        self._engine = engine
        self._storage = storage
        self._workshop = workshop
        self._salt = salt_of(settings)

    async def admit(self, user_id: int) -> None:
        """Raise Rejected when the member's limits leave no room for one more song. Reserves nothing."""
        await asyncio.to_thread(self._check_limits, user_id, time.time())

    async def submit(self, order: Order) -> Receipt:
        """Accept the order: picture checked and stored, limits held, job queued. A repeat gets the first receipt.

        Raises Rejected (picture.*, limit.*) and Unavailable; then nothing is stored and nothing counts.
        """
        if await asyncio.to_thread(self._library.state, order.job_id) is not None:
            return await self._receipt(order.job_id, repeated=True)
        await self.admit(order.user_id)
        checked = await prepare_picture(order.picture, self.settings, self._workshop)
        job = job_of(order, checked)
        await self._storage.save(job.picture_key, checked.jpeg, "image/jpeg", labels_of(job, self._salt))
        try:
            accepted = await asyncio.to_thread(self._accept, job)
        except Rejected:
            await self._storage.delete(job.picture_key)
            raise
        return await self._receipt(order.job_id, repeated=not accepted)

    async def idle(self, timeout_s: float) -> None:
        """Wait until no job is waiting or running. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            # The end of a job may come from another thread of the engine: there is no event to wait for.
            while self._engine.running or await asyncio.to_thread(self._library.open_jobs):  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    def _accept(self, job: Job) -> bool:
        """Check the limits, write the usage row and queue the job in one transaction; False for a repeat."""
        now = time.time()
        with self._library.transaction() as connection:
            if self._library.state(job.job_id, connection) is not None:
                return False
            usage = self._library.usage(job.user_id, now - limits.DAY_S, connection)
            limits.check(self.settings.limits, usage.used_at, usage.waiting, now)
            self._library.reserve(connection, job, now)
            self._engine.enqueue(connection, job)
        return True

    def _check_limits(self, user_id: int, now: float) -> None:
        usage = self._library.usage(user_id, now - limits.DAY_S)
        limits.check(self.settings.limits, usage.used_at, usage.waiting, now)

    async def _receipt(self, job_id: str, *, repeated: bool) -> Receipt:
        return Receipt(job_id, await asyncio.to_thread(self._library.position, job_id), repeated)


@asynccontextmanager
async def open_studio(
    settings: Settings, delivery: Delivery, workshop: Workshop | None = None
) -> AsyncIterator[Studio]:
    """Yield the running studio; on exit running jobs get `settings.work.drain_s` seconds to end.

    Raises Misconfigured when a provider, the storage or the database cannot be used.
    """
    # Two seconds of imports that `render` and `check` do without.
    from melodify_core.engine import Engine, only_process
    from melodify_core.library import Library, Readings, connect, database_path

    async with AsyncExitStack() as stack:
        if workshop is None:
            workshop = Workshop(settings.work.processes)
            stack.push_async_callback(asyncio.to_thread, workshop.close)
        database = await asyncio.to_thread(connect, settings.database.url)
        stack.callback(database.dispose)
        stack.enter_context(only_process(database_path(settings.database.url).with_suffix(".lock")))
        library = Library(database)
        await asyncio.to_thread(library.create_schema)
        memory = Readings(library, settings.openai.memory_hours, settings.openai.memory_entries)
        adapters = await stack.enter_async_context(open_adapters(settings, workshop, memory))
        await check_adapters(adapters)
        engine = Engine(database, settings.work)
        parts = Parts(
            captioner=adapters.captioner,
            composer=adapters.composer,
            storage=adapters.storage,
            delivery=delivery,
            ledger=library,
            workshop=workshop,
            song=settings.song,
            salt=salt_of(settings),
        )
        await engine.launch(partial(make_song, parts=parts))
        stack.push_async_callback(engine.drain, settings.work.drain_s)
        # All that is loaded by now stays: a collector that walks through it blocks the loop for 95 ms each time.
        gc.freeze()
        stack.callback(gc.unfreeze)
        yield Studio(settings, library, engine, adapters.storage, workshop)


async def make_one(order: Order, settings: Settings, delivery: Delivery, ledger: Ledger) -> None:
    """Make one song at once, without queue, database and limits; files in between are gone afterwards.

    The delivery gets the song or the apology. Raises Rejected for the picture and Misconfigured.
    """
    from melodify_core.storage.folder import FolderStorage

    # One song is one piece of work at a time.
    with closing(Workshop(1)) as workshop, tempfile.TemporaryDirectory(prefix="melodify-") as folder:
        storage = FolderStorage(Path(folder))
        # Whatever storage is set: what one command makes is that command's own.
        local = settings.model_copy(update={"storage": "folder"})
        async with open_adapters(local, workshop) as adapters:
            checked = await prepare_picture(order.picture, settings, workshop)
            job = job_of(order, checked)
            await storage.save(job.picture_key, checked.jpeg, "image/jpeg")
            parts = Parts(
                captioner=adapters.captioner,
                composer=adapters.composer,
                storage=storage,
                delivery=delivery,
                ledger=ledger,
                workshop=workshop,
                song=settings.song,
                salt=salt_of(settings),
            )
            await make_song(job, plain_step, parts)


async def prepare_picture(data: bytes, settings: Settings, workshop: Workshop) -> Picture:
    """Return the checked picture. Raises Rejected."""
    bounds = picture.PictureLimits(
        max_bytes=settings.picture.max_megabytes * MEBIBYTE,
        max_pixels=settings.picture.max_megapixels * 1_000_000,
        longest_side=settings.picture.longest_side,
    )
    try:
        return await workshop.run(settings.picture.deadline_s, picture.prepare, data, bounds)
    except Unavailable as error:
        # The worker hung or died on this very picture.
        raise Rejected("picture.too_slow" if error.code == "provider.too_slow" else "picture.broken") from error


def job_of(order: Order, checked: Picture) -> Job:
    """Return the job of an order; without a wished seed, job id and picture decide it."""
    digest = hashlib.sha256(f"{order.job_id} {checked.sha256}".encode()).digest()
    seed = order.wish.seed if order.wish.seed is not None else int.from_bytes(digest[:4]) >> 1
    return Job(
        job_id=order.job_id,
        user_id=order.user_id,
        place=order.place,
        wish=order.wish,
        private=order.private,
        picture_key=f"pictures/{order.job_id}.jpg",
        picture_sha256=checked.sha256,
        picture_width=checked.width,
        picture_height=checked.height,
        seed=seed,
    )


def salt_of(settings: Settings) -> bytes:
    """Return the salt of the members' pseudonyms: the one that is set, else one derived from the bot's token."""
    secret = settings.privacy.salt or settings.discord.token
    return hashlib.sha256(b"melodify " + (secret.get_secret_value().encode() if secret else b"")).digest()
