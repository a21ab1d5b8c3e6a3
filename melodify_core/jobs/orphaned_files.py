"""Deletes orphaned files: those of orders that broke off before they were accepted, and of deletions that broke off.

A file's key names its job, and the database knows whether that job owns the file. A file under any other key is kept.
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
# Each database saves a mark in its storage. If there are two, neither knows the other's files, and nothing is deleted.
MARK = b"A Melodify's database owns files here. Delete this mark when that database is no more.\n"


async def delete_orphaned_files(storage: Storage, library: "Library", before: float) -> int:
    """Delete the orphaned files from before the unix time; return how many. Raises Unavailable.

    `before` must leave time for orders that are not accepted yet: their pictures are stored first.
    """
    await storage.clear(before)
    if not await _is_alone(storage, await asyncio.to_thread(library.identity), before):
        return 0
    deleted = 0
    for shelf in SHELVES:
        async with aclosing(storage.listed(shelf)) as pages:
            async for page in pages:
                old = [filed for filed in page if filed.saved_at < before]
                deleted += await _delete(old, storage, library)
    if deleted:
        log.info("%d orphaned files were deleted", deleted)
    return deleted


async def _is_alone(storage: Storage, identity: str, before: float) -> bool:
    """Return whether this database alone owns files here: other databases had time to leave a mark, and left none."""
    mine = mark_key(identity)
    # Save the mark before listing the marks: of two databases that do this at once, at least one sees both.
    if await storage.find(mine) is None:
        await storage.save(mine, MARK, "text/plain")
        log.info("the storage %s has the mark of this database now: orphaned files are deleted in a day", storage.name)
    async with aclosing(storage.listed(MARKS)) as pages:
        marks = {filed.key: filed.saved_at async for page in pages for filed in page}
    others = [key for key in marks if key != mine]
    if others:
        log.warning(
            "the storage %s also has files of another database (%s): orphaned files are not deleted. Give each "
            "database its own storage. If the other one no longer exists, delete its mark: then its files are deleted",
            storage.name,
            ", ".join(others),
        )
    # Wait a while: another database may belong to an older Melodify without marks, or to one that is stopped now.
    return not others and mine in marks and marks[mine] < before


async def _delete(filed: list[ListedFile], storage: Storage, library: "Library") -> int:
    jobs = {each.key: job_id for each in filed if (job_id := owner_of(each.key)) is not None}
    if not jobs:
        return 0
    owners = await asyncio.to_thread(library.owners, set(jobs.values()))
    unowned = [each for each in filed if each.key in jobs and not _is_owned(each.key, jobs[each.key], owners)]
    gone = 0
    for each in unowned:
        try:
            # By version: if its order was repeated since the listing, the file was saved again and must stay.
            await storage.delete(each.key, each.version)
            gone += 1
        except MelodifyError as error:
            log.warning("%s is orphaned but was not deleted, trying again at the next turn: %s", each.key, error)
    return gone


def _is_owned(key: str, job_id: str, owners: "Owners") -> bool:
    kept = owners.songs if key.startswith(f"{SONGS}/") else owners.pictures
    return job_id in owners.open or job_id in kept


async def delete_orphaned_takes(spool: Spool, library: "Library", before: float) -> None:
    """Delete the spooled takes from before the unix time whose jobs are not open. Raises Unavailable."""
    old = await asyncio.to_thread(spool.older, before)
    owners = await asyncio.to_thread(library.owners, set(old))
    for job_id in old.keys() - owners.open:
        for path in old[job_id]:
            await asyncio.to_thread(path.unlink, missing_ok=True)
