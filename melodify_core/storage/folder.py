"""Storage in a local folder, the embedded default: one file per key, and beside it a hidden one with its type.

Everything is opened relative to the folder and never through a symbolic link, so no key leads out of it.
"""

import asyncio
import os
import secrets
import stat
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import TypeVar

from melodify_core.errors import Misconfigured, Unavailable
from melodify_core.models import Link, ListedFile, Stored
from melodify_core.observability.log_context import provider_span
from melodify_core.storage.layout import KEY, SHELF, shelf_of, split
from melodify_core.threads import finished

Result = TypeVar("Result")

UNFINISHED = ".tmp"
TYPE = ".type"
LEFTOVER_S = 3600.0  # no save takes an hour: what is older belongs to a process that died
PAGE = 1000  # files in a page of a list
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_NO_LINK = os.O_NOFOLLOW | os.O_CLOEXEC


class FolderStorage:
    """Keeps each key as a file of the same name. Files are the process owner's alone (0600, folders 0700)."""

    name = "folder"

    def __init__(self, folder: Path, page: int = PAGE) -> None:
        """`page` is how many files a list looks at at once."""
        self._folder = folder
        self._page = page
        self._committing = threading.Lock()

    async def check(self) -> None:
        """Make the folder, write to it, clear what dead processes left. Raises Misconfigured."""
        with provider_span(self.name):
            await asyncio.to_thread(self._check)

    async def save(self, key: str, data: bytes, content_type: str, labels: Mapping[str, str] | None = None) -> None:
        """Store the whole or nothing, on the disk when this returns. Raises Unavailable.

        The labels are not kept: the folder is its operator's own.
        """
        del labels
        await self._run(lambda: self._save(key, data, content_type))

    async def load(self, key: str) -> bytes:
        """Return the bytes. Raises Unavailable, also when the key is not there."""
        return await self._run(lambda: self._load(*split(key)))

    async def read(self, key: str, start: int, length: int) -> bytes:
        """Return up to `length` bytes from `start` on. Raises Unavailable, also when the key is not there."""
        return await self._run(lambda: self._read(*split(key), start, length))

    async def find(self, key: str) -> Stored | None:
        """Return type and size of the key, None when it is not there. Raises Unavailable."""
        return await self._run(lambda: self._find(*split(key)))

    async def delete(self, key: str, version: str | None = None) -> None:
        """Delete the key, with a `version` only that one; one that is not there is no error. Raises Unavailable."""
        await self._run(lambda: self._delete(key, version))

    async def listed(self, shelf: str) -> AsyncGenerator[list[ListedFile], None]:
        """Yield the keys of a shelf, page by page; also those of which only the type is left. Raises Unavailable."""
        with ExitStack() as stack:
            # The files are closed at the end of this block: `_run` is cancelled only when its thread has ended.
            place = await self._run(lambda: self._entered(stack, shelf_of(shelf)))
            if place is None:
                return
            entries = stack.enter_context(os.scandir(place))
            while files := await self._run(lambda: list(islice(entries, self._page))):
                yield await self._run(lambda: _filed(shelf, place, files))

    async def clear(self, before: float) -> None:
        """Delete what saves and checks that were cut off have left. Raises Unavailable."""
        await self._run(lambda: self._clear(before))

    async def link(self, key: str, file_name: str) -> Link | None:
        """Return None: no other machine reaches the folder."""
        del file_name
        split(key)
        return None

    async def close(self) -> None:
        """Do nothing: nothing is held open."""

    async def _run(self, work: Callable[[], Result]) -> Result:
        with provider_span(self.name):
            try:
                return await finished(work)
            except OSError as error:
                raise Unavailable("storage.unavailable") from error

    def _save(self, key: str, data: bytes, content_type: str) -> None:
        shelf, name = split(key)
        with self._shelf(shelf, make=True) as place:
            # Both are written before either takes its name: a full disk changes nothing.
            with _written(place, content_type.encode()) as kind, _written(place, data) as body, self._committing:
                os.replace(kind, _type_of(name), src_dir_fd=place, dst_dir_fd=place)
                os.replace(body, name, src_dir_fd=place, dst_dir_fd=place)
            os.fsync(place)  # the names too

    def _load(self, shelf: str, name: str) -> bytes:
        with self._file(shelf, name) as file, os.fdopen(file, "rb", closefd=False) as opened:
            return opened.read()

    def _read(self, shelf: str, name: str, start: int, length: int) -> bytes:
        with self._file(shelf, name) as file, os.fdopen(file, "rb", closefd=False) as opened:
            opened.seek(start)
            return opened.read(length)

    @contextmanager
    def _file(self, shelf: str, name: str) -> Iterator[int]:
        """Open the key for reading and yield its descriptor."""
        # Non-blocking: a pipe in the place of a file must not hang us.
        flags = os.O_RDONLY | os.O_NONBLOCK | _NO_LINK
        with self._shelf(shelf) as place, _opened(os.open(name, flags, dir_fd=place)) as file:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise OSError(f"{shelf}/{name} is no file")
            yield file

    def _find(self, shelf: str, name: str) -> Stored | None:
        try:
            with self._shelf(shelf) as place:
                found = os.stat(name, dir_fd=place, follow_symlinks=False)
            if not stat.S_ISREG(found.st_mode):
                raise OSError(f"{shelf}/{name} is no file")
            return Stored(self._load(shelf, _type_of(name)).decode(), found.st_size)
        except FileNotFoundError:
            return None

    def _delete(self, key: str, version: str | None) -> None:
        shelf, name = split(key)
        with suppress(FileNotFoundError), self._shelf(shelf) as place, self._committing:
            if version is not None and version != _version(_look(place, name)):
                return
            for each in (name, _type_of(name)):
                with suppress(FileNotFoundError):
                    os.unlink(each, dir_fd=place)

    @contextmanager
    def _shelf(self, name: str, *, make: bool = False) -> Iterator[int]:
        """Open the folder of the key's first part and yield its descriptor."""
        if make:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _opened(os.open(self._folder, _DIRECTORY)) as folder:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(name, 0o700, dir_fd=folder)
            with _opened(os.open(name, _DIRECTORY | _NO_LINK, dir_fd=folder)) as shelf:
                yield shelf

    def _entered(self, stack: ExitStack, shelf: str) -> int | None:
        try:
            return stack.enter_context(self._shelf(shelf))
        except FileNotFoundError:
            return None

    def _check(self) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with _opened(os.open(self._folder, _DIRECTORY)) as folder, _written(folder, b"?"):
                pass
            self._clear(time.time() - LEFTOVER_S)
        except OSError as error:
            reason = error.strerror or str(error)
            raise Misconfigured(f"folder.path: {self._folder} cannot be written ({reason}).") from error

    def _clear(self, before: float) -> None:
        if not self._folder.exists():
            return
        with _opened(os.open(self._folder, _DIRECTORY)) as folder:
            _clear_unfinished(folder, before)
            names = os.listdir(folder)  # noqa: PTH208  # pathlib takes no descriptor
        for name in filter(SHELF.fullmatch, names):
            with suppress(NotADirectoryError), self._shelf(name) as shelf:
                _clear_unfinished(shelf, before)


def _type_of(name: str) -> str:
    return f".{name}{TYPE}"


def _look(place: int, name: str) -> os.stat_result:
    """Return what the disk knows of the key, or of its type where no more is left. Raises FileNotFoundError."""
    try:
        return os.stat(name, dir_fd=place, follow_symlinks=False)
    except FileNotFoundError:
        return os.stat(_type_of(name), dir_fd=place, follow_symlinks=False)


def _version(found: os.stat_result) -> str:
    return f"{found.st_ino}-{found.st_mtime_ns}"


def _filed(shelf: str, place: int, files: "list[os.DirEntry[str]]") -> list[ListedFile]:
    """Return the keys among the files, each once."""
    filed = []
    for file in files:
        name, alone = file.name, False
        if name.startswith(".") and name.endswith(TYPE):
            name, alone = name[1 : -len(TYPE)], True
        key = f"{shelf}/{name}"
        if not KEY.fullmatch(key):
            continue
        with suppress(FileNotFoundError):  # deleted since
            found = _look(place, name)
            # A type that is not alone is listed with its key.
            if stat.S_ISREG(found.st_mode) and (not alone or found.st_ino == file.inode()):
                filed.append(ListedFile(key, found.st_mtime, _version(found)))
    return filed


@contextmanager
def _opened(descriptor: int) -> Iterator[int]:
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _written(place: int, data: bytes) -> Iterator[str]:
    """Write the data, to the disk, under a name of its own in `place`; gone at the end unless it was renamed."""
    name = f".{secrets.token_hex(8)}{UNFINISHED}"
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, 0o600, dir_fd=place)
    try:
        with os.fdopen(file, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(file)
        yield name
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=place)


def _clear_unfinished(place: int, before: float) -> None:
    for name in os.listdir(place):
        if not (name.startswith(".") and name.endswith(UNFINISHED)):
            continue
        with suppress(FileNotFoundError):  # another process may be clearing too
            if os.stat(name, dir_fd=place, follow_symlinks=False).st_mtime < before:
                os.unlink(name, dir_fd=place)
