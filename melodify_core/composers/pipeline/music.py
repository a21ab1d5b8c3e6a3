"""Fetches what a run wrote to Cloud Storage. The SDK's client blocks, so it works in threads."""

import asyncio
import logging
import threading
from pathlib import Path

from google.api_core import exceptions
from google.cloud.storage import Client
from google.cloud.storage.retry import DEFAULT_RETRY

from melodify_core.config.settings import Gcs
from melodify_core.google import credentials

log = logging.getLogger(__name__)

MAX_BYTES = 64 * 1024 * 1024  # 120 s of 48 kHz stereo in 32 bits have 46 MB


class Music:
    """Reads objects by their gs:// address."""

    def __init__(self, gcs: Gcs, project: str, key_file: Path | None) -> None:
        self._gcs = gcs
        self._project = project
        self._key_file = key_file or gcs.key_file
        self._places = asyncio.Semaphore(gcs.calls)
        self._opening = threading.Lock()
        self._client: Client | None = None

    async def load(self, uri: str) -> bytes:
        """Return the object; nothing when it is not there or too large. Raises TimeoutError and the SDK's errors."""
        async with asyncio.timeout(self._gcs.deadline_s), self._places:
            return await asyncio.to_thread(self._load, *split(uri))

    async def look(self, uri: str) -> None:
        """See whether the bucket and its folder can be read."""
        async with asyncio.timeout(self._gcs.deadline_s):
            await asyncio.to_thread(self._look, *split(uri))

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await asyncio.to_thread(self._client.close)

    def _load(self, bucket: str, name: str) -> bytes:
        # The SDK repeats by itself, here and nowhere else; a try may take half of the time in all.
        patience = {
            "retry": DEFAULT_RETRY.with_timeout(self._gcs.deadline_s),
            "timeout": self._gcs.deadline_s / 2,
        }
        try:
            blob = self._opened().bucket(bucket).get_blob(name, **patience)
            if blob is None:
                return b""
            if blob.size > MAX_BYTES:
                log.warning("pipeline: %s has %d bytes, more than the %d that are taken", name, blob.size, MAX_BYTES)
                return b""
            return bytes(blob.download_as_bytes(if_generation_match=blob.generation, **patience))
        except exceptions.NotFound:
            return b""

    def _look(self, bucket: str, name: str) -> None:
        found = self._opened().list_blobs(bucket, prefix=name, max_results=1, retry=None, timeout=self._gcs.deadline_s)
        next(iter(found), None)

    def _opened(self) -> Client:
        with self._opening:
            if self._client is None:
                self._client = self._open()
        return self._client

    def _open(self) -> Client:
        endpoint = self._gcs.endpoint
        options = {"api_endpoint": endpoint} if endpoint else None
        found = credentials(self._key_file, endpoint)
        return Client(project=self._project, credentials=found, client_options=options)


def split(uri: str) -> tuple[str, str]:
    """Return bucket and name of a gs:// address. Raises ValueError."""
    bucket, _, name = uri.removeprefix("gs://").partition("/")
    if not uri.startswith("gs://") or not bucket or not name:
        raise ValueError("no address in Cloud Storage")
    return bucket, name
