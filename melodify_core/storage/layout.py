"""Every storage key: its form, which every adapter holds to, and what a job's files are called."""

import logging
import re

from melodify_core.errors import MelodifyError, Unavailable
from melodify_core.ports import Storage

log = logging.getLogger(__name__)
PICTURES, TAKES, SONGS = SHELVES = ("pictures", "takes", "songs")
MARKS = "owners"  # each database's mark, which says that it owns files here
# No part begins with a dot: those names are the folder adapter's own, and "..".
SHELF = re.compile(r"[a-z]{1,32}")
KEY = re.compile(rf"({SHELF.pattern})/([A-Za-z0-9_-][A-Za-z0-9._-]{{0,127}})")


def shelf_of(name: str) -> str:
    """Return the name of a shelf. Raises Unavailable for anything else."""
    if not SHELF.fullmatch(name):
        raise Unavailable("storage.unavailable")
    return name


def split(key: str) -> tuple[str, str]:
    """Return the shelf and the name of a key. Raises Unavailable for anything else."""
    found = KEY.fullmatch(key)
    if not found:
        raise Unavailable("storage.unavailable")
    return found[1], found[2]


def picture_key(job_id: str) -> str:
    """Return the key of the checked picture."""
    return f"{PICTURES}/{job_id}.jpg"


def take_keys(job_id: str) -> tuple[str, str]:
    """Return the keys of the raw take and of the note that describes it."""
    return f"{TAKES}/{job_id}", f"{TAKES}/{job_id}.json"


def song_key(job_id: str) -> str:
    """Return the key of the finished song."""
    return f"{SONGS}/{job_id}.mp3"


def midi_key(job_id: str) -> str:
    """Return the key of the song's score, which only some composers write."""
    return f"{SONGS}/{job_id}.mid"


def video_key(job_id: str) -> str:
    """Return the key of the song's video, which is made at the first request."""
    return f"{SONGS}/{job_id}.mp4"


def mark_key(identity: str) -> str:
    """Return the key of a database's mark."""
    return f"{MARKS}/{identity}"


def making_keys(job_id: str) -> tuple[str, ...]:
    """Return the keys of what a song is made from."""
    return picture_key(job_id), *take_keys(job_id)


def song_keys(job_id: str) -> tuple[str, ...]:
    """Return the keys of a finished song and of what is made from it."""
    return song_key(job_id), midi_key(job_id), video_key(job_id)


def keys_of(job_id: str) -> tuple[str, ...]:
    """Return all keys under which something of a job may be stored."""
    return making_keys(job_id) + song_keys(job_id)


def owner_of(key: str) -> str | None:
    """Return the job whose key it is; None for a key of no job."""
    job_id = key.partition("/")[2].partition(".")[0]
    return job_id if job_id.isascii() and job_id.isdigit() and key in keys_of(job_id) else None


async def tidy(storage: Storage, *keys: str) -> bool:
    """Delete the keys; return whether all are gone. Retention deletes later what cannot be deleted now."""
    gone = True
    for key in keys:
        try:
            await storage.delete(key)
        except MelodifyError as error:
            log.warning("%s was not deleted: %s", key, error)
            gone = False
    return gone
