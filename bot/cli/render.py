"""`melodify render`: one song from a picture file, without Discord; the same workflow, delivered to a file."""

import asyncio
import errno
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from bot.cli.interrupts import endings
from bot.cli.output import can_say
from bot.i18n.messages import key_name, name_of, say, sentence
from bot.posts.hint_lines import hint_lines
from melodify_core import models
from melodify_core.bootstrap import make_one
from melodify_core.brief import clean
from melodify_core.config.files import read_regular
from melodify_core.config.settings import Settings
from melodify_core.errors import MelodifyError, Rejected
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import (
    AcceptedOrder,
    Bill,
    Job,
    Language,
    Link,
    Order,
    Place,
    Posted,
    Song,
    Stage,
    Wish,
    Wording,
)

NO_LIMIT = 1 << 40
MEBIBYTE = 1 << 20
SONG_BYTES_PER_S = 40_000  # MP3 has at most 320 kbit/s
WORKING_BYTES = 64 * MEBIBYTE  # two minutes of uncompressed sound, and the picture
# Why the folder for files in between cannot be used.
NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ENOENT)
STAGES = (Stage.QUEUED, Stage.LOOKING, Stage.COMPOSING, Stage.MASTERING, Stage.DELIVERING)


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """What the command line asked for."""

    picture: Path
    out: Path
    wish: Wish
    as_json: bool = False
    midi: Path | None = None


async def make(request: RenderRequest, settings: Settings, pool: WorkerPool) -> int:
    """Make the song and print what it is. Return 0, or 1 with a sentence; raise CancelledError after a signal."""
    _end_cleanly()
    language = request.wish.language
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    # rich draws nothing into a pipe: standard output carries the result only.
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        delivery = ConsoleDelivery(request, bar, bar.add_task("", total=len(STAGES)))
        try:
            await delivery.show(Stage.QUEUED)
            order = _order(request, settings)
            check_room(Path(tempfile.gettempdir()), WORKING_BYTES)
            for out in (request.out, request.midi):
                if out is not None:
                    check_writable(out)
                    check_room(out.parent, request.wish.seconds * SONG_BYTES_PER_S)
            score = await make_one(order, settings, delivery, RenderLedger(), pool)
            if request.midi is not None and delivery.song is not None:
                if score is None:
                    raise Rejected("file.no_score", composer=settings.composer)
                write_whole(request.midi, score)
        except MelodifyError as error:
            delivery.error = error
        except OSError as error:
            # Not the song's own folder: that is Rejected above.
            if error.errno not in NO_ROOM:
                raise
            delivery.error = _unwritable(Path(os.environ.get("TMPDIR") or "/tmp"), error)  # noqa: S108 - only named
    if delivery.song is None or delivery.error is not None:
        reason = delivery.error or Rejected("internal")
        named = f"{request.picture}: " if reason.code.startswith("picture.") else ""
        text = sentence(language, reason)
        print(named + (text if can_say(sys.stderr, text) else sentence("en", reason)), file=sys.stderr)
        return 1
    song, stages_s = delivery.song, delivery.stages_s()
    print(_as_json(request, song, stages_s) if request.as_json else _as_text(request, song))
    return 0


def _end_cleanly() -> None:
    """Let a signal cancel the current task, so that no file in between is left."""
    if (task := asyncio.current_task()) is not None:
        for number in endings():
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)


def _order(request: RenderRequest, settings: Settings) -> Order:
    try:
        data = read_regular(request.picture, settings.picture.max_megabytes * MEBIBYTE)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise Rejected("picture.too_large", limit_mb=settings.picture.max_megabytes) from error
        reason = error.strerror or type(error).__name__
        raise Rejected("file.unreadable", path=str(request.picture), reason=reason) from error
    place = Place(channel_id=0, max_bytes=NO_LIMIT)
    # The seed follows the picture: the same picture and wish give the same song.
    return Order(job_id="render", user_id=0, place=place, picture=data, wish=request.wish)


def _as_text(request: RenderRequest, song: Song) -> str:
    language = request.wish.language
    played = [say(language, "song.bpm", bpm=song.bpm)] if song.bpm else []
    played += [key_name(language, song.key, song.mode)] if song.key else []
    played += [name_of(language, "instrument", name) for name in song.instruments]
    made = say(language, "render.made", path=str(request.out), seconds=f"{song.duration_s:.0f}")
    heard = [line for line in hint_lines(language, song, clean).splitlines() if line]
    return "\n".join([song.title, song.caption, *heard, "", ", ".join(played), made])


def _as_json(request: RenderRequest, song: Song, stages_s: dict[str, float]) -> str:
    named = ("title", "caption", "mood", "valence", "arousal", "genre", "bpm", "key", "mode", "instruments")
    measured = (
        "duration_s",
        "lufs",
        "true_peak_dbtp",
        "bitrate_kbps",
        "size_bytes",
        "seed",
        "captioner",
        "composer",
        "dollars",
    )
    result = song.model_dump(mode="json", include={*named, *measured})
    ordered = {name: result[name] for name in (*named, *measured)}
    asked = {"style": request.wish.style, "hint": request.wish.hint, "path": str(request.out)}
    brief = song.brief
    understood = {"heard": brief.heard, "not_used": brief.not_used} if brief else {}
    facts = ordered | asked | understood | {"stages_s": stages_s}
    text = json.dumps(facts, ensure_ascii=False, indent=2)
    return text if can_say(sys.stdout, text) else json.dumps(facts, indent=2)


def check_room(folder: Path, needed: int) -> None:
    """Raise Rejected when the disk of the folder has less room than that, as far as it says."""
    disk = shutil.disk_usage(folder)
    if disk.total and disk.free < needed:
        raise _unwritable(folder, OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))


def check_writable(out: Path) -> None:
    """Raise Rejected when a file of that name cannot be written: nobody wants to learn that after the song is made."""
    try:
        if out.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        out.lstat()
    except FileNotFoundError:
        pass  # it will be new; a name that is too long is another error
    except OSError as error:
        raise _unwritable(out, error) from error
    partial = _partial(out)
    try:
        partial.touch()
        partial.unlink()
    except OSError as error:
        raise _unwritable(out, error) from error


def write_whole(out: Path, data: bytes) -> None:
    """Write the whole file or none of it. Raises Rejected when it cannot be written."""
    partial = _partial(out)
    try:
        partial.write_bytes(data)
        partial.replace(out)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        raise _unwritable(out, error) from error


def _partial(out: Path) -> Path:
    # A short name: what stands before and after `out` would make a long one too long.
    return out.with_name(f".melodify.{os.getpid()}")


def _unwritable(out: Path, error: OSError) -> Rejected:
    return Rejected("file.unwritable", path=str(out), reason=error.strerror or type(error).__name__)


class RenderLedger:
    """The Ledger port for one song on the host's own terminal: limits nothing, and adds up what the calls cost."""

    def __init__(self) -> None:
        self._calls: dict[str, float] = {}

    def start(self, job_id: str, now: float) -> bool:
        """Return that the job may start."""
        del job_id, now
        return True

    def note_stage(self, job_id: str, stage: Stage) -> None:
        """Do nothing."""

    def book(self, job_id: str, call_id: str, bill: Bill, now: float) -> None:
        """Record what the call is expected to cost."""
        del job_id, now
        self._calls.setdefault(call_id, bill.dollars)

    def settle(self, call_id: str, bill: Bill) -> None:
        """Record what the call has cost."""
        self._calls[call_id] = bill.dollars

    def unbook(self, call_id: str) -> None:
        """Forget a call that cost nothing."""
        self._calls.pop(call_id, None)

    def spent(self, job_id: str) -> float:
        """Return what all calls have cost, as far as that is known."""
        del job_id
        return sum(self._calls.values())

    def has_booked_music(self, job_id: str, captioner: str) -> bool:
        """Return False: a song made on the command line is never gone on with."""
        del job_id, captioner
        return False

    def claim_words(self, job: Job, limit: int, choose: Callable[[Sequence[Wording]], Wording], now: float) -> Wording:
        """Return the first choice: there are no other songs."""
        del job, limit, now
        return choose(())

    def refund(self, job_id: str, now: float, code: str = "") -> None:
        """Do nothing."""

    def end_cancelled(self, job_id: str, now: float) -> None:
        """Do nothing."""

    def accepted_order(self, job_id: str) -> AcceptedOrder | None:
        """Return None: there is no usage row."""
        del job_id
        return None

    def refreshed(self, job: Job) -> Job:
        """Return the job as it is."""
        return job

    def record_unposted(self, job: Job, song: Song, now: float) -> bool:
        """Do nothing."""
        del job, song, now
        return True

    def record_song(self, job: Job, song: Song, posted: Posted, now: float) -> bool:
        """Do nothing."""
        del job, song, posted, now
        return True


class ConsoleDelivery:
    """The Delivery port on a terminal and a file: a progress bar, then the song as a file."""

    def __init__(self, request: RenderRequest, bar: Progress, task: TaskID) -> None:
        self.song: Song | None = None
        self.error: MelodifyError | None = None
        self._request = request
        self._bar = bar
        self._task = task
        self._started: list[tuple[Stage, float]] = []

    async def show(self, stage: Stage) -> None:
        """Move the bar."""
        self._started.append((stage, time.perf_counter()))
        text = say(self._request.wish.language, f"stage.{stage.value}")
        self._bar.update(self._task, description=text, completed=STAGES.index(stage))

    async def show_stage(self, job: Job, stage: Stage, progress: models.Progress | None = None) -> None:
        """Move the bar."""
        del job
        if progress is not None:
            text = say(self._request.wish.language, f"progress.{progress}")
            self._bar.update(self._task, description=text)
            return
        await self.show(stage)

    async def show_position(
        self,
        job_id: str,
        place: models.Place,
        language: Language,
        forecast: models.Forecast,
        page_id: str | None = None,
    ) -> None:
        """Do nothing: there is no queue."""

    async def deliver(self, job: Job, song: Song, audio: bytes | Link, picture: bytes) -> Posted:
        """Write the song's file. Raises Rejected when it cannot be written."""
        del job, picture
        if isinstance(audio, Link):
            raise TypeError("no song is too large for a file")
        write_whole(self._request.out, audio)
        self.song = song
        self._started.append((Stage.DONE, time.perf_counter()))
        return Posted(channel_id=0, message_id=0)

    async def close_line(self, job: Job, song: Song, posted: Posted) -> None:
        """Do nothing: the bar is already gone."""

    async def delete_posted_song(self, job: Job) -> None:
        """Leave the file: a person at the terminal cancels by ending the program."""

    async def apologise(self, job: Job, error: MelodifyError) -> None:
        """Keep the error for the exit."""
        del job
        self.error = error

    def stages_s(self) -> dict[str, float]:
        """Return the seconds that each stage took."""
        pairs = zip(self._started, self._started[1:], strict=False)
        return {stage.value: round(after - before, 3) for (stage, before), (_, after) in pairs}
