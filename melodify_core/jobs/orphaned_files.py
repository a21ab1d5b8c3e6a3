"""Files that nobody owns: of orders that were cut off before they were taken, and of ends that were cut off.

Whose a file is, its key and the database say; what is no job's key is somebody else's file, and stays.
"""

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING

from melodify_core.errors import MelodifyError
from melodify_core.models import ListedFile
from melodify_core.ports import Storage
from melodify_core.storage.layout import MARKS, SHELVES, SONGS, mark_key, owner_of
from melodify_core.storage.spool import Spool

if TYPE_CHECKING:
    from melodify_core.library import Library, Owners

log = logging.getLogger(__name__)
# Each database leaves its mark. Where there are two, neither knows what is the other's.
MARK = b"A Melodify's database owns files here. Delete this mark when that database is no more.\n"


async def delete_orphaned_files(storage: Storage, library: "Library", before: float) -> int:
    """Delete the files from before the unix time that nobody owns; return how many. Raises Unavailable.

    A file that was saved a moment ago may be an order's that is about to be taken: `before` leaves it time.
    """
    await storage.clear(before)
    if not await _is_alone(storage, await asyncio.to_thread(library.identity), before):
        return 0
    dropped = 0
    for shelf in SHELVES:
        async with aclosing(storage.listed(shelf)) as pages:
            async for page in pages:
                old = [filed for filed in page if filed.saved_at < before]
                dropped += await _drop(old, storage, library)
    if dropped:
        log.info("%d files that nobody owned are deleted", dropped)
    return dropped


async def _is_alone(storage: Storage, identity: str, before: float) -> bool:
    """Return whether the files are this database's alone: others had until now to leave a mark, and left none."""
    mine = mark_key(identity)
    # Before the look at the others: of two that come at once, one sees both.
    if await storage.find(mine) is None:
        await storage.save(mine, MARK, "text/plain")
        log.info("the storage %s has this database's mark now: in a day, what nobody owns is deleted", storage.name)
    async with aclosing(storage.listed(MARKS)) as pages:
        marks = {filed.key: filed.saved_at async for page in pages for filed in page}
    others = [key for key in marks if key != mine]
    if others:
        log.warning(
            "the storage %s has files of another database, too (%s): what nobody owns is not deleted. Give each a "
            "storage of its own. When the other database is no more, delete its mark: its files are then deleted",
            storage.name,
            ", ".join(others),
        )
    # Another one may be of a Melodify that leaves no marks yet, or does not run at the moment.
    return not others and mine in marks and marks[mine] < before


async def _drop(filed: list[ListedFile], storage: Storage, library: "Library") -> int:
    jobs = {each.key: job_id for each in filed if (job_id := owner_of(each.key)) is not None}
    if not jobs:
        return 0
    owners = await asyncio.to_thread(library.owners, set(jobs.values()))
    unowned = [each for each in filed if each.key in jobs and not _is_owned(each.key, jobs[each.key], owners)]
    gone = 0
    for each in unowned:
        try:
            # Not one that was saved again since it was listed: its order has come back.
            await storage.delete(each.key, each.version)
            gone += 1
        except MelodifyError as error:
            log.warning("%s was not deleted: %s", each.key, error)
    return gone


def _is_owned(key: str, job_id: str, owners: "Owners") -> bool:
    kept = owners.songs if key.startswith(f"{SONGS}/") else owners.pictures
    return job_id in owners.open or job_id in kept


async def delete_orphaned_takes(spool: Spool, library: "Library", before: float) -> None:
    """Delete the takes from before the unix time, of jobs that did not come back. Raises Unavailable."""
    old = await asyncio.to_thread(spool.older, before)
    owners = await asyncio.to_thread(library.owners, set(old))
    for job_id in old.keys() - owners.open:
        for path in old[job_id]:
            await asyncio.to_thread(path.unlink, missing_ok=True)
