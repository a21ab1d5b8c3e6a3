"""Settings of glibc's malloc, which keeps freed memory for later; without glibc nothing here does anything."""

import ctypes
from contextlib import suppress

_MEBIBYTE = 1024 * 1024
# glibc's malloc.h.
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8


def use_one_arena() -> None:
    """Have all threads share one heap: with one each, what some have freed is of no use to the others."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


def return_blocks_above(mebibytes: int) -> None:
    """Return a freed block of this size at once. By default the size grows up to 32 MiB."""
    with suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, mebibytes * _MEBIBYTE)
        mallopt(_M_TRIM_THRESHOLD, 2 * mebibytes * _MEBIBYTE)


def return_memory() -> None:
    """Return all that is freed to the system: 70 MB after a song or after a network ran."""
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
