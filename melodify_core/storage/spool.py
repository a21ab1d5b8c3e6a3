"""Keeps paid takes on this machine's disk from the composer's answer until the storage has them.

Not a Storage: no other process reads it, and it is empty except for the jobs that wait for their storage.
"""

import json
import logging
import os
import time
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path

from melodify_core.models import RawTake

log = logging.getLogger(__name__)
PARTS = ("audio", "midi", "json")


class Spool:
    """A folder with a take in two or three files. Synchronous: call it off the event loop."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, job_id: str, take: RawTake) -> None:
        """Keep the take; the last file makes it whole. A disk that takes nothing is logged: memory still has it."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            for part, data in (("audio", take.audio), ("midi", take.midi)):
                if data is not None:
                    self._write(job_id, part, data)
            described = asdict(replace(take, audio=b"", midi=None)) | {"audio": None}
            self._write(job_id, "json", json.dumps(described).encode())
        except OSError as error:
            log.warning("job %s: its take is in memory only until it is stored: %s", job_id, error)

    def get(self, job_id: str) -> RawTake | None:
        """Return the job's take, None where there is no complete one."""
        try:
            described = json.loads(self._path(job_id, "json").read_bytes())
            midi = self._path(job_id, "midi")
            audio = self._path(job_id, "audio").read_bytes()
            described |= {
                "audio": audio,
                "midi": midi.read_bytes() if midi.exists() else None,
                "instruments": tuple(described["instruments"]),
            }
            return RawTake(**described)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def drop(self, job_id: str) -> None:
        """Delete the job's take, if there is one. What cannot be deleted is logged: the job must not fail for it."""
        try:
            for part in reversed(PARTS):
                self._path(job_id, part).unlink(missing_ok=True)
        except OSError as error:
            log.warning("job %s: its take stays on this disk until it is a day old: %s", job_id, error)

    def older(self, before: float) -> dict[str, list[Path]]:
        """Return the files from before the unix time by their jobs; under "" those whose writing was cut off."""
        found: dict[str, list[Path]] = {}
        for path in self._folder.glob("*"):
            with suppress(FileNotFoundError):  # dropped since
                if path.is_file() and path.stat().st_mtime < before:
                    found.setdefault(path.name.partition(".")[0], []).append(path)
        return found

    def _write(self, job_id: str, part: str, data: bytes) -> None:
        path = self._path(job_id, part)
        partial = path.with_name(f".{path.name}.{os.getpid()}.{time.monotonic_ns()}")
        with partial.open("wb") as file:
            partial.chmod(0o600)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)

    def _path(self, job_id: str, part: str) -> Path:
        if not job_id.isalnum():
            raise ValueError(job_id)
        return self._folder / f"{job_id}.{part}"
