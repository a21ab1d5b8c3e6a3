"""The ports: what the straight line asks of the outside. One contract test suite each runs on every adapter."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
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
)


class PaidCall(Protocol):
    """A call to a provider that costs money, booked at its expected price before it begins. Raises nothing.

    What becomes neither `billed` nor `free` stays booked as it is: cut off, given up, or ended with the process.
    """

    async def billed(self, bill: Bill) -> None:
        """Note what it has cost, also when its answer is of no use."""
        ...

    async def free(self) -> None:
        """Give back what it was booked with: it is known that it costs nothing."""
        ...

    def lost(self) -> None:
        """Say that it ended, and that nobody knows what it costs."""
        ...


@dataclass(frozen=True, slots=True)
class ProviderContext:
    """The job that a provider works for: what it may know of it, and how it reports back."""

    job_id: str
    seed: int
    asker: str  # salted hash of the member's id, 64 hex digits: all that a provider learns of the member
    guild_id: int | None
    picture: Callable[[], Awaitable[Picture]]  # raises Unavailable
    # To be called right before each paid call, with what it is expected to cost. A bill with a request id is booked
    # once for the job. Raises Rejected when that would pass a budget, and Unavailable.
    begun: Callable[[Bill], Awaitable[PaidCall]]
    progress: Callable[[Progress], Awaitable[None]]  # never raises
    adult: bool = False  # sexual pictures may be read, though none that involve children


class Provider(Protocol):
    """What every adapter of the outside has. It may be built only inside the running event loop."""

    name: str

    async def check(self) -> None:
        """See, without spending anything, whether this can work.

        Raises Misconfigured, with one sentence per mistake that names the setting or the console page that mends it,
        and Unavailable when the outside is only away for now.
        """
        ...

    async def close(self) -> None:
        """Give connections back. Nothing may be asked afterwards."""
        ...


class Captioner(Provider, Protocol):
    """Reads a picture as music."""

    async def caption(self, picture: Picture, wish: Wish, context: ProviderContext) -> Brief:
        """Return the reading; title and caption in the asker's language.

        Raises Refused or Unavailable, the latter also past the adapter's own deadline.
        """
        ...


class Composer(Provider, Protocol):
    """Makes the music of a Brief."""

    async def compose(self, brief: Brief, wish: Wish, context: ProviderContext) -> RawTake:
        """Return a take of about `wish.seconds` seconds.

        Raises Refused or Unavailable, the latter also past the adapter's own deadline. A repeat for one job bills
        once where the provider allows it.
        """
        ...


@runtime_checkable
class CommissioningComposer(Provider, Protocol):
    """A composer that has its work done elsewhere, for minutes: ordered in one step, collected in the next."""

    async def commission(self, brief: Brief, wish: Wish, context: ProviderContext) -> Commission:
        """Order the work. A repeat for one job finds the first order. Raises Refused or Unavailable."""
        ...

    async def collect(self, commission: Commission, context: ProviderContext) -> RawTake:
        """Wait for the work and return it. Raises Refused or Unavailable."""
        ...

    async def cancel(self, commission: Commission) -> None:
        """Stop the work if it still goes on; what is done or gone is no error. Raises Unavailable."""
        ...


@runtime_checkable
class Describable(Protocol):
    """A provider that can be put together in several ways."""

    def describe(self) -> str:
        """Return in some words what it is made of here, for `melodify check`. Raises Misconfigured."""
        ...


@runtime_checkable
class SelfRepairing(Protocol):
    """A provider with settings on its own side that Melodify can make."""

    async def advice(self) -> list[str]:
        """Return one sentence for each that is not as the settings want it. Raises Misconfigured, Unavailable."""
        ...

    async def fix(self) -> list[str]:
        """Make them; return one sentence for each change. Raises Misconfigured, Unavailable."""
        ...


class Storage(Provider, Protocol):
    """Keeps bytes under keys such as "pictures/123.jpg"."""

    async def save(self, key: str, data: bytes, content_type: str, labels: Mapping[str, str] | None = None) -> None:
        """Store the whole or nothing; a second save of one key replaces the first. Raises Unavailable.

        `labels` say whose it is ("job", "guild", "user" as salted hash), for those who look into the storage.
        """
        ...

    async def load(self, key: str) -> bytes:
        """Return the bytes. Raises Unavailable, also when the key is not there."""
        ...

    async def read(self, key: str, start: int, length: int) -> bytes:
        """Return up to `length` bytes from the byte `start` on: fewer where the key ends, none behind its end.

        `length` is at least 1, `start` at least 0. Raises Unavailable, also when the key is not there.
        """
        ...

    async def find(self, key: str) -> Stored | None:
        """Return what is known of the key, None when it is not there. Raises Unavailable."""
        ...

    async def delete(self, key: str, version: str | None = None) -> None:
        """Delete the key; one that is not there is no error. Raises Unavailable.

        With the `version` of a list only if it was not saved again since.
        """
        ...

    def listed(self, shelf: str) -> AsyncGenerator[list[ListedFile], None]:
        """Yield the keys of a shelf, such as "pictures", page by page, in any order; none where there is no such.

        What is saved or deleted meanwhile may be among them or not. Only keys are listed: files of another form are
        somebody else's. May be closed at any time. Raises Unavailable.
        """
        ...

    async def clear(self, before: float) -> None:
        """Delete what saves and checks that were cut off before the unix time have left. Raises Unavailable."""
        ...

    async def link(self, key: str, file_name: str) -> Link | None:
        """Return an address under which anybody can download the key as `file_name`; None where there is no such.

        Raises Unavailable.
        """
        ...


class Memory(Protocol):
    """Remembers paid readings for some time, so that the same question is not paid twice."""

    async def recall(self, key: str) -> Brief | None:
        """Return what was remembered under the key."""
        ...

    async def remember(self, key: str, brief: Brief) -> None:
        """Remember; the oldest are forgotten when there are too many."""
        ...


class Delivery(Protocol):
    """Tells the asker: progress, song, apology. Each call may come twice for one job."""

    async def show_stage(self, job: Job, stage: Stage, progress: Progress | None = None) -> None:
        """Show progress. Never raises: a lost status line must not lose a song."""
        ...

    async def show_position(
        self, job_id: str, place: Place, language: Language, forecast: Forecast, page_id: str | None = None
    ) -> None:
        """Show the place in the queue, with the way to the job's page where it has one. Never raises."""
        ...

    async def deliver(self, job: Job, song: Song, audio: bytes | Link, picture: bytes) -> Posted:
        """Post the song, or the link to it, and say where.

        Raises Rejected when the place is gone, closed or too small for the audio, Unavailable for later.
        """
        ...

    async def close_line(self, job: Job, song: Song, posted: Posted) -> None:
        """Say in the status message where the song is, for which `deliver` left the line open.

        Raises Unavailable for later; a message that is gone is no error.
        """
        ...

    async def take_back(self, job: Job) -> None:
        """Delete the song wherever a try has posted it; none is no error. Raises Unavailable for later."""
        ...

    async def apologise(self, job: Job, error: MelodifyError) -> None:
        """Say why there is no song. Raises Unavailable for later; a place that is gone is no error."""
        ...


class Ledger(Protocol):
    """Keeps account of a job. Synchronous: the workflow calls it off the loop. Each call may come twice.

    `now` is in unix seconds. Every call raises Unavailable("database.unavailable") while there is no answer.
    """

    def start(self, job_id: str, now: float) -> bool:
        """Note that the job runs; False when it was cancelled before. Raises Rejected where a budget is used up."""
        ...

    def reach(self, job_id: str, stage: Stage) -> None:
        """Note how far the job is, for those who look at its page."""
        ...

    def book(self, job_id: str, call_id: str, bill: Bill, now: float) -> None:
        """Note a call that begins, with what it is expected to cost; one that is booked already stays.

        Raises Rejected where that would pass a budget.
        """
        ...

    def settle(self, call_id: str, bill: Bill) -> None:
        """Note what a booked call has cost."""
        ...

    def unbook(self, call_id: str) -> None:
        """Give back what a call was booked with that is known to cost nothing."""
        ...

    def spent(self, job_id: str) -> float:
        """Return the dollars paid for the job so far."""
        ...

    def refund(self, job_id: str, now: float, code: str = "") -> None:
        """Take the job off its member's limits, unless it was charged; `code` is the error that ended it."""
        ...

    def end_cancelled(self, job_id: str, now: float) -> None:
        """End a job that its asker cancelled: it counts if something was paid for it."""
        ...

    def write_down(self, job: Job, song: Song, now: float) -> bool:
        """Note the song before it is posted: who presses a button under it finds it. False for a cancelled job."""
        ...

    def record_song(self, job: Job, song: Song, posted: Posted, now: float) -> bool:
        """Write the song down and charge it; False for a job that was cancelled before: then nothing is kept."""
        ...

    def accepted_order(self, job_id: str) -> AcceptedOrder | None:
        """Return what is known of an accepted order without its job's own record."""
        ...
