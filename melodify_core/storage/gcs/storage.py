"""The Google Cloud Storage adapter of ports.Storage: one object per key, under the prefix, in one bucket.

An upload says which generation it replaces, so it may be repeated: what an earlier try has written is recognised by its
checksum. Loads are whole or fail: their checksum is compared, and nothing is resumed.
"""

import base64
import io
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from typing import Any, TypeVar

import google_crc32c
from google.api_core import exceptions as api
from google.auth.credentials import Credentials
from google.cloud import storage

from melodify_core.config.settings import Gcs
from melodify_core.errors import Misconfigured
from melodify_core.models import Link, ListedFile, Stored
from melodify_core.storage.gcs import checks, links
from melodify_core.storage.gcs.calls import Calls, Deadline
from melodify_core.storage.gcs.client import Bucket
from melodify_core.storage.gcs.errors import NAME, lacking, start_errors, storage_errors
from melodify_core.storage.layout import KEY, shelf_of, split

Result = TypeVar("Result")

# Nobody but the link's owner may keep a copy; what a key holds does not change once its job is done.
CACHE_CONTROL = "private, max-age=86400, immutable"
MAX_BYTES = 64 * 1024 * 1024  # the longest take of Lyria 3, 184 s of 48 kHz stereo WAV, has 35 MB
PAGE = 1000  # objects in a page of a list: no page has more
# Older bytes are written again although they are the same: who has listed them as old must not delete them now.
FRESH_S = 3600.0
CHECKS = "checks"
CHECK_S = 15.0  # a start must not wait a minute for a bucket that does not answer


class GcsStorage:
    """Keeps each key as an object of the same name."""

    name = NAME

    def __init__(
        self,
        settings: Gcs,
        *,
        credentials: Credentials | None = None,
        iam: str = links.IAM,
        max_bytes: int = MAX_BYTES,
        fresh_s: float = FRESH_S,
        page: int = PAGE,
    ) -> None:
        """Connect nothing yet. `credentials` replace those of the settings."""
        self._settings = settings
        self._iam = iam
        self._max_bytes = max_bytes
        self._fresh_s = fresh_s
        self._page_size = page
        self._bucket = Bucket(settings, credentials)
        self._calls = Calls(settings.calls, settings.deadline_s)

    async def check(self) -> None:
        """Write, read and delete an object of no account. Raises Misconfigured and Unavailable."""
        with start_errors(self._settings):
            name = f"{self._settings.prefix}{CHECKS}/{secrets.token_hex(8)}"
            lacks = await self._calls.run(lambda by: checks.probe(self._bucket, name, by), CHECK_S)
        if lacks:
            raise Misconfigured(lacking(self._settings, lacks))

    async def advice(self) -> list[str]:
        """Return one sentence for each thing that works without, but would be better fixed. Raises as `check` does."""
        with start_errors(self._settings):
            rules = await self._calls.run(lambda by: checks.lifecycle_advice(self._bucket, self._settings, by), CHECK_S)
            sign = await self._calls.run(lambda by: checks.link_advice(self._bucket, self._iam, by), CHECK_S)
        return rules + sign

    async def fix(self) -> list[str]:
        """Install the rules that delete old pictures and takes; return one sentence for each change made.

        Raises as `check` does.
        """
        with start_errors(self._settings):
            return await self._calls.run(lambda by: checks.fix(self._bucket, self._settings, by))

    async def save(self, key: str, data: bytes, content_type: str, labels: Mapping[str, str] | None = None) -> None:
        """Store the whole or nothing; a second save of one key replaces the first. Raises Unavailable."""

        def work(blob: storage.Blob, by: Deadline) -> None:
            blob.cache_control, blob.metadata = CACHE_CONTROL, dict(labels or {})
            _save(blob, data, content_type, self._fresh_s, by)

        await self._run("save", key, work, writes=True)

    async def load(self, key: str) -> bytes:
        """Return the bytes. Raises Unavailable, also when the key is not there or too large to be ours."""
        return await self._run("load", key, lambda blob, by: _load(blob, self._max_bytes, by, checksum="crc32c"))

    async def read(self, key: str, start: int, length: int) -> bytes:
        """Return up to `length` bytes from `start` on. Raises Unavailable, also when the key is not there."""
        # A part has no checksum of its own; a part that is cut short is an error of the connection.
        part = {"start": start, "end": start + length - 1, "checksum": None}
        return await self._run("read", key, lambda blob, by: _load(blob, min(length, self._max_bytes), by, **part))

    async def find(self, key: str) -> Stored | None:
        """Return what is known of the key, None when it is not there. Raises Unavailable."""
        return await self._run("find", key, _find)

    async def delete(self, key: str, version: str | None = None) -> None:
        """Delete the key, with a `version` only that one; one that is not there is no error. Raises Unavailable."""
        await self._run("delete", key, lambda blob, by: _delete(blob, version, by), writes=True)

    async def listed(self, shelf: str) -> AsyncGenerator[list[ListedFile], None]:
        """Yield the keys of a shelf, page by page, each in one request. Raises Unavailable."""
        token: str | None = None
        shelf_of(shelf)
        while True:
            with storage_errors("-", f"list {shelf}"):
                page, token = await self._calls.run(lambda by: self._page(shelf, token, by))  # noqa: B023  # awaited
            yield page
            if token is None:
                return

    async def clear(self, before: float) -> None:
        """Delete what checks that were cut off have left: an upload is whole or is not there. Raises Unavailable."""
        async for page in self.listed(CHECKS):
            for filed in page:
                if filed.saved_at < before:
                    await self.delete(filed.key, filed.version)

    async def link(self, key: str, file_name: str) -> Link | None:
        """Return a signed address; None where a person's login is used, which cannot sign. Raises Unavailable."""
        hours = self._settings.link_hours
        return await self._run(
            "link", key, lambda blob, by: links.signed(self._bucket, blob, file_name, hours, self._iam, by)
        )

    async def close(self) -> None:
        """Give the connections back."""
        self._bucket.close()

    async def _run(
        self, what: str, key: str, work: Callable[[storage.Blob, Deadline], Result], *, writes: bool = False
    ) -> Result:
        _, name = split(key)
        # Keys are made of the job's id.
        with storage_errors(name.partition(".")[0], f"{what} {key}"):
            return await self._calls.run(
                lambda by: work(self._bucket.open().blob(self._settings.prefix + key), by), writes=writes
            )

    def _page(self, shelf: str, token: str | None, by: Deadline) -> tuple[list[ListedFile], str | None]:
        bucket, prefix = self._bucket.open(), self._settings.prefix
        found = bucket.client.list_blobs(
            bucket,
            prefix=f"{prefix}{shelf}/",
            page_size=self._page_size,
            page_token=token,
            fields="items(name,updated,generation),nextPageToken",
            **by.once,
        )
        blobs = list(next(found.pages, ()))
        filed = [ListedFile(blob.name.removeprefix(prefix), _saved_at(blob), str(blob.generation)) for blob in blobs]
        return [each for each in filed if KEY.fullmatch(each.key)], found.next_page_token


class _Bounded(io.BytesIO):
    """Takes what is downloaded, as long as it is not too much and not too late."""

    def __init__(self, max_bytes: int, by: Deadline) -> None:
        super().__init__()
        self._max_bytes = max_bytes
        self._by = by

    def write(self, chunk: bytes) -> int:  # type: ignore[override]  # the SDK writes bytes
        if self.tell() + len(chunk) > self._max_bytes:
            raise OSError(f"more than {self._max_bytes} bytes")
        if not self._by.left_s:  # a server that trickles trips no timeout of a socket
            raise TimeoutError
        return super().write(chunk)


def _saved_at(blob: storage.Blob) -> float:
    # An object without a time counts as new.
    return float(blob.updated.timestamp()) if blob.updated is not None else time.time()


def _load(blob: storage.Blob, max_bytes: int, by: Deadline, **options: Any) -> bytes:
    loaded = _Bounded(max_bytes, by)
    with suppress(api.RequestRangeNotSatisfiable):  # there is nothing behind the end
        blob.download_to_file(loaded, **by.once, **options)
    return loaded.getvalue()


def _find(blob: storage.Blob, by: Deadline) -> Stored | None:
    try:
        blob.reload(**by.once)
    except api.NotFound:
        return None
    return Stored(blob.content_type or "application/octet-stream", blob.size)


def _delete(blob: storage.Blob, version: str | None, by: Deadline) -> None:
    generation = None if version is None else int(version)
    with suppress(api.NotFound, api.PreconditionFailed):  # the latter: it was saved again since
        blob.delete(if_generation_match=generation, **by.once)


def _save(blob: storage.Blob, data: bytes, content_type: str, fresh_s: float, by: Deadline) -> None:
    options = {"content_type": content_type, "checksum": "crc32c"}
    try:
        blob.upload_from_string(data, if_generation_match=0, **options, **by.once)
    except api.PreconditionFailed:
        there = blob.bucket.get_blob(blob.name, **by.once)
        if there is None:
            raise  # deleted since: the repeat will write it
        checksum = base64.b64encode(google_crc32c.value(data).to_bytes(4, "big")).decode()
        same = (there.crc32c, there.size, there.content_type) == (checksum, len(data), content_type)
        if same and _saved_at(there) > time.time() - fresh_s:
            return  # written by a try whose answer was lost
        blob.upload_from_string(data, if_generation_match=there.generation, **options, **by.once)
