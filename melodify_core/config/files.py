"""Reads a file that a person has named: whole, up to a bound, and nothing that has no end or never begins."""

import errno
import os
import stat
from pathlib import Path

# A settings file or a secret is a few kilobytes.
MAX_BYTES = 1 << 20


def read_regular(path: Path, max_bytes: int = MAX_BYTES) -> bytes:
    """Return the file's bytes.

    Raises OSError with a `strerror` for the reader: also for a device, a pipe or a folder, and with EFBIG for a file
    that is larger.
    """
    # A pipe that nobody writes to would let the opening wait for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor, not a path
        kind = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(kind):
            reason = os.strerror(errno.EISDIR) if stat.S_ISDIR(kind) else "it is a device or a pipe, not a file"
            raise OSError(errno.EINVAL, reason, str(path))
        data = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise OSError(errno.EFBIG, os.strerror(errno.EFBIG), str(path))
    return data


def read_text(path: Path) -> str:
    """Return the text of a small file in UTF-8, without a byte order mark. Raises OSError and UnicodeDecodeError."""
    return read_regular(path).decode("utf-8-sig")
