"""The ports: what the straight line asks of the outside. One contract test suite each runs on every adapter."""

from typing import Protocol

from melodify_core.errors import MelodifyError
from melodify_core.models import Brief, Job, Picture, Posted, RawTake, Song, Stage, Wish


class Captioner(Protocol):
    """Reads a picture as music."""

    name: str

    async def caption(self, picture: Picture, wish: Wish) -> Brief:
        """Return the reading; title and caption in `wish.language`. Raises Refused or Unavailable."""
        ...


class Composer(Protocol):
    """Makes the music of a Brief."""

    name: str

    async def compose(self, job_id: str, brief: Brief, wish: Wish, seed: int) -> RawTake:
        """Return a take of about `wish.seconds` seconds. Raises Refused or Unavailable.

        A repeat with one job id bills once where the provider allows it.
        """
        ...


class Storage(Protocol):
    """Keeps bytes under keys such as "pictures/123.jpg"."""

    name: str

    async def check(self) -> None:
        """Raise Misconfigured, with a sentence that names the setting, when nothing can be kept."""
        ...

    async def save(self, key: str, data: bytes, content_type: str) -> None:
        """Store the whole or nothing; a second save of one key replaces the first. Raises Unavailable."""
        ...

    async def load(self, key: str) -> bytes:
        """Return the bytes. Raises Unavailable, also when the key is not there."""
        ...

    async def delete(self, key: str) -> None:
        """Delete the key; one that is not there is no error. Raises Unavailable."""
        ...


class Delivery(Protocol):
    """Tells the asker: progress, song, apology. Each call may come twice for one job."""

    async def show_stage(self, job: Job, stage: Stage) -> None:
        """Show progress. Never raises: a lost status line must not lose a song."""
        ...

    async def deliver(self, job: Job, song: Song, audio: bytes, picture: bytes) -> Posted:
        """Post the song and say where. Raises Rejected when the place is gone or closed, Unavailable for later."""
        ...

    async def apologise(self, job: Job, error: MelodifyError) -> None:
        """Say why there is no song. Raises Unavailable for later; a place that is gone is no error."""
        ...


class Ledger(Protocol):
    """Keeps account of a job. Synchronous: the workflow calls it off the loop. Each call may come twice."""

    def start(self, job_id: str) -> None:
        """Note that the job runs."""
        ...

    def refund(self, job_id: str) -> None:
        """Take the job off its member's limits, unless it was charged."""
        ...

    def keep(self, job: Job, song: Song, posted: Posted, now: float) -> None:
        """Write the song down and charge it, at the unix time `now`."""
        ...
