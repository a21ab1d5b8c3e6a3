"""Watches the file of an SQLite database: a process goes on writing to one that was deleted, and nobody notices."""

import errno
import logging
from pathlib import Path

log = logging.getLogger(__name__)
GONE = (
    "the database %s was deleted or replaced while this process runs: what it writes now is lost when it ends. "
    "Stop it, restore a backup, and start it again"
)


class FileWatch:
    """Knows the file that the process has opened."""

    def __init__(self, path: Path) -> None:
        """`path` names the file that is open now."""
        self._path = path
        self._opened = _identity(path)
        self._logged = False

    def check(self) -> None:
        """Raise OSError when the name leads to no file any more, or to another one."""
        if _identity(self._path) != self._opened:
            raise OSError(errno.ESTALE, "deleted or replaced while this process runs", str(self._path))

    async def watch(self) -> None:
        """Log once that the file is gone."""
        try:
            self.check()
        except OSError:
            if not self._logged:
                log.critical(GONE, self._path)
            self._logged = True


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
