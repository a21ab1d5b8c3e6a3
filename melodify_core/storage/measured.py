"""A storage whose seconds and errors are counted, as the other providers' are."""

from collections.abc import Mapping

from melodify_core.models import Link, Stored
from melodify_core.observing import asking
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

    async def delete(self, key: str) -> None:
        """Delete the key."""
        with asking(self.name):
            await self._storage.delete(key)

    async def link(self, key: str, file_name: str) -> Link | None:
        """Return the key's address."""
        with asking(self.name):
            return await self._storage.link(key, file_name)
