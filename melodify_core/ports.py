"""The ports: what the workflow needs from the outside. A contract test suite per port runs on every adapter."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from melodify_core.errors import MelodifyError
from melodify_core.models import (
    AcceptedOrder,
    Bill,
    Brief,
    Commission,
    Forecast,
    Job,
    Language,
    Link,
    ListedFile,
    Picture,
    Place,
    Posted,
    Progress,
    RawTake,
    Song,
    Stage,
    Stored,
    Wish,
    Wording,
)


class PaidCall(Protocol):
    """A call to a provider that costs money, booked at its expected price before it begins. Never raises.

    A call that is neither `billed` nor `free` stays booked at that price: it was cut off, or the process ended.
    """

    async def billed(self, bill: Bill) -> None:
        """Book what the call cost, also when its answer is useless."""

    async def free(self) -> None:
        """Remove the booking, because the call is known to cost nothing."""

    def lost(self) -> None:
        """Report that the call ended at an unknown cost."""


@dataclass(frozen=True, slots=True)
class ProviderContext:
    """The job that a provider works for: what the provider may know, and how it reports back."""

    job_id: str
    seed: int
    asker: str  # salted hash of the member's id, 64 hex digits: all that a provider learns of the member
    guild_id: int | None
    picture: Callable[[], Awaitable[Picture]]  # raises Unavailable
    # Call it right before each paid call, with the expected cost. A bill with a request id is booked once per job.
    # Raises Rejected when that would exceed a budget, and Unavailable.
    begun: Callable[[Bill], Awaitable[PaidCall]]
    progress: Callable[[Progress], Awaitable[None]]  # never raises
    adult: bool = False  # sexual pictures may be read, though none that involve children


class Provider(Protocol):
    """What every adapter has in common. Build it only inside the running event loop."""

    name: str

    async def check(self) -> None:
        """Check, without spending anything, whether this can work.

        Raises Misconfigured, with one sentence per mistake that names the setting or the console page to fix it, and
        Unavailable when the service is only away for now.
        """

    async def close(self) -> None:
        """Close connections. The adapter must not be used afterwards."""


class Captioner(Provider, Protocol):
    """Reads a picture as music."""

    async def caption(self, picture: Picture, wish: Wish, context: ProviderContext) -> Brief:
        """Return the reading; title and caption in the asker's language.

        Raises Refused or Unavailable, the latter also past the adapter's own deadline.
        """


class Moderator(Provider, Protocol):
    """Decides whether a picture and a hint may be read. It costs nothing."""

    async def moderate(self, picture: Picture, wish: Wish, context: ProviderContext) -> None:
        """Return for what may be read; where `context.adult`, being sexual does not count.

        Raises Refused("caption.picture_blocked") or ("caption.hint_blocked"), and Unavailable.
        """


class Composer(Provider, Protocol):
    """Composes the music of a Brief."""

    async def compose(self, brief: Brief, wish: Wish, context: ProviderContext) -> RawTake:
        """Return a take of about `wish.seconds` seconds.

        Raises Refused or Unavailable, the latter also past the adapter's own deadline. A repeat for one job bills
        once where the provider allows it.
        """


@runtime_checkable
class CommissioningComposer(Provider, Protocol):
    """A composer whose work runs elsewhere for minutes: ordered in one step, collected in the next."""

    async def commission(self, brief: Brief, wish: Wish, context: ProviderContext) -> Commission:
        """Order the work. A repeat for the same job returns the first order. Raises Refused or Unavailable."""

    async def collect(self, commission: Commission, context: ProviderContext) -> RawTake:
        """Wait for the work and return it. Raises Refused or Unavailable."""

    async def cancel(self, commission: Commission) -> None:
        """Stop the work if it still runs; finished or missing work is no error. Raises Unavailable."""


@runtime_checkable
class Describable(Protocol):
    """A provider that depends on what is installed on this machine."""

    def describe(self) -> str:
        """Return in a few words what it uses here, for `melodify check`. Raises Misconfigured."""


@runtime_checkable
class SelfRepairing(Protocol):
    """A provider with settings on its own side that Melodify can change."""

    async def advice(self) -> list[str]:
        """Return one sentence for each of them that is wrong. Raises Misconfigured, Unavailable."""

    async def fix(self) -> list[str]:
        """Change them, and return one sentence for each change. Raises Misconfigured, Unavailable."""


class Storage(Provider, Protocol):
    """Stores bytes under keys such as "pictures/123.jpg"."""

    async def save(self, key: str, data: bytes, content_type: str, labels: Mapping[str, str] | None = None) -> None:
        """Store all bytes or nothing; a second save of a key replaces the first. Raises Unavailable.

        `labels` name the owner ("job", "guild", "user" as salted hash), for people who look into the storage.
        """

    async def load(self, key: str) -> bytes:
        """Return the bytes. Raises Unavailable, also when the key does not exist."""

    async def read(self, key: str, start: int, length: int) -> bytes:
        """Return up to `length` bytes from the byte `start` on: fewer at the end, none behind it.

        `length` is at least 1, `start` at least 0. Raises Unavailable, also when the key does not exist.
        """

    async def find(self, key: str) -> Stored | None:
        """Return the key's metadata, None when it does not exist. Raises Unavailable."""

    async def delete(self, key: str, version: str | None = None) -> None:
        """Delete the key; a missing key is no error. Raises Unavailable.

        With the `version` of a listing, delete it only if it was not saved again since.
        """

    def listed(self, shelf: str) -> AsyncGenerator[list[ListedFile], None]:
        """Yield the keys of a shelf such as "pictures", page by page, in any order; none for a missing shelf.

        Keys that are saved or deleted meanwhile may be included or not. Files whose names are not keys are left out:
        they belong to somebody else. May be closed at any time. Raises Unavailable.
        """

    async def clear(self, before: float) -> None:
        """Delete the remains of saves and checks that were cut off before the unix time. Raises Unavailable."""

    async def link(self, key: str, file_name: str) -> Link | None:
        """Return a URL to download the key as `file_name`; None where the storage has no such URLs.

        Raises Unavailable.
        """


class Memory(Protocol):
    """Stores paid readings for some time, so that nobody pays twice for the same question."""

    async def recall(self, key: str) -> Brief | None:
        """Return the reading that was stored under the key."""

    async def remember(self, key: str, brief: Brief) -> None:
        """Store the reading; delete the oldest ones when there are too many."""


class Delivery(Protocol):
    """Posts progress, song or apology for the asker. Each call may be repeated for a job."""

    async def show_stage(self, job: Job, stage: Stage, progress: Progress | None = None) -> None:
        """Show the job's progress. Never raises: a status line that fails must not cost a song."""

    async def show_position(
        self, job_id: str, place: Place, language: Language, forecast: Forecast, page_id: str | None = None
    ) -> None:
        """Show the position in the queue, with a link to the job's page if it has one. Never raises."""

    async def deliver(self, job: Job, song: Song, audio: bytes | Link, picture: bytes) -> Posted:
        """Post the song, or the link to it, and return where.

        Raises Rejected when the place is gone, closed or too small for the audio, Unavailable when it may work later.
        """

    async def close_line(self, job: Job, song: Song, posted: Posted) -> None:
        """Link the song in the status message, where `deliver` left that open.

        Raises Unavailable when it may work later; a missing message is no error.
        """

    async def delete_posted_song(self, job: Job) -> None:
        """Delete the song wherever a try has posted it; a missing song is no error. Raises Unavailable."""

    async def apologise(self, job: Job, error: MelodifyError) -> None:
        """Post why there is no song. Raises Unavailable; a place that is gone is no error."""


class Ledger(Protocol):
    """Keeps the account of a job. Synchronous: the workflow calls it off the loop. Each call may be repeated.

    `now` is in unix seconds. Every call raises Unavailable("database.unavailable") while the database is away.
    """

    def start(self, job_id: str, now: float) -> bool:
        """Note that the job runs; False when it was cancelled before. Raises Rejected where a budget is used up."""

    def note_stage(self, job_id: str, stage: Stage) -> None:
        """Note the job's stage, for the visitors of its page."""

    def book(self, job_id: str, call_id: str, bill: Bill, now: float) -> None:
        """Book a call that begins at its expected price; a call that is booked already stays as it is.

        Raises Rejected where that would exceed a budget.
        """

    def settle(self, call_id: str, bill: Bill) -> None:
        """Replace a booked call's expected price with what it cost."""

    def unbook(self, call_id: str) -> None:
        """Remove the booking of a call that is known to cost nothing."""

    def spent(self, job_id: str) -> float:
        """Return the dollars paid for the job so far."""

    def has_booked_music(self, job_id: str, captioner: str) -> bool:
        """Return whether a call that costs something is booked for the job, other than the captioner's."""

    def claim_words(self, job: Job, limit: int, choose: Callable[[Sequence[Wording]], Wording], now: float) -> Wording:
        """Return the words that `choose` takes, given those of other songs there, and keep them from other jobs."""

    def refund(self, job_id: str, now: float, code: str = "") -> None:
        """End the job without charging its member, unless it was charged; `code` is the error that ended it."""

    def end_cancelled(self, job_id: str, now: float) -> None:
        """End a job that its asker cancelled: it counts if something was paid for it."""

    def refreshed(self, job: Job) -> Job:
        """Return the job without what was withdrawn since it was ordered: its member's name, the song that it links."""

    def record_unposted(self, job: Job, song: Song, now: float) -> bool:
        """Store the song before it is posted, so that the buttons under it work. False for a cancelled job."""

    def record_song(self, job: Job, song: Song, posted: Posted, now: float) -> bool:
        """Record the song and charge it; False for a job that was cancelled before: then nothing is recorded."""

    def accepted_order(self, job_id: str) -> AcceptedOrder | None:
        """Return what the usage row knows about an accepted order, without its job's record."""
