"""A storage whose seconds and errors are counted, as the other providers' are."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from melodify_core.models import Link, ListedFile, Stored
from melodify_core.observability.log_context import asking
from melodify_core.ports import Storage


class MeasuredStorage:
    """Passes everything on."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self.name = storage.name

    async def check(self) -> None:
        """See whether it can work."""
        with asking(self.name):
            await self._storage.check()

    async def close(self) -> None:
        """Close it."""
        await self._storage.close()

    async def save(self, key: str, data: bytes, content_type: str, labels: Mapping[str, str] | None = None) -> None:
        """Store the bytes."""
        with asking(self.name):
            await self._storage.save(key, data, content_type, labels)

    async def load(self, key: str) -> bytes:
        """Return the bytes."""
        with asking(self.name):
            return await self._storage.load(key)

    async def read(self, key: str, start: int, length: int) -> bytes:
        """Return some of the bytes."""
        with asking(self.name):
            return await self._storage.read(key, start, length)

    async def find(self, key: str) -> Stored | None:
        """Return what is known of the key."""
        with asking(self.name):
            return await self._storage.find(key)

    async def delete(self, key: str, version: str | None = None) -> None:
        """Delete the key."""
        with asking(self.name):
            await self._storage.delete(key, version)

    async def listed(self, shelf: str) -> AsyncGenerator[list[ListedFile], None]:
        """Yield the keys of a shelf."""
        async with aclosing(self._storage.listed(shelf)) as pages:
            while True:
                with asking(self.name):  # what is done with a page does not count
                    page = await anext(pages, None)
                if page is None:
                    return
                yield page

    async def clear(self, before: float) -> None:
        """Delete what was cut off."""
        with asking(self.name):
            await self._storage.clear(before)

    async def link(self, key: str, file_name: str) -> Link | None:
        """Return the key's address."""
        with asking(self.name):
            return await self._storage.link(key, file_name)
