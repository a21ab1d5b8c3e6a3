"""Fetches music that an answer of Lyria 3 only points to: from Google's hosts, up to a bound, and from nowhere else."""

import asyncio
import logging
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

import httpx

log = logging.getLogger(__name__)

FETCH_S = 30.0
TRIES = 2
HOPS = 3  # a file's address may lead to where it is kept
MAX_BYTES = 64 * 1024 * 1024
_HOSTS = (".googleapis.com", ".googleusercontent.com")


async def fetched(uri: str, job_id: str, endpoint: str | None, headers: Mapping[str, str]) -> bytes:
    """Return the bytes at the address, none where they cannot be had; the music is paid already.

    `headers` hold the key, and go to the API's own hosts only. Never raises but for cancellation.
    """
    try:
        async with asyncio.timeout(FETCH_S), httpx.AsyncClient(timeout=FETCH_S) as client:
            for left in reversed(range(TRIES)):
                try:
                    return await _load(client, _address(uri), endpoint, headers)
                except httpx.TransportError:
                    if not left:
                        raise
    except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError) as error:
        log.warning("job %s: the music's address cannot be read: %s", job_id, _plain(error))
    return b""


async def _load(client: httpx.AsyncClient, url: str, endpoint: str | None, headers: Mapping[str, str]) -> bytes:
    for _ in range(HOPS):
        if not _is_allowed(url, endpoint):
            raise ValueError(f"{urlsplit(url).hostname} is none of Google's hosts")
        sent = headers if _is_own(url, endpoint) else {}
        async with client.stream("GET", url, headers=dict(sent)) as response:
            if response.has_redirect_location:
                url = str(httpx.URL(url).join(response.headers["location"]))
                continue
            response.raise_for_status()
            return await _bounded(response)
    raise ValueError("it leads on and on")


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for part in response.aiter_bytes():
        body += part
        if len(body) > MAX_BYTES:
            raise ValueError("it is too large")
    return bytes(body)


def _address(uri: str) -> str:
    """Return the https address of an object in Cloud Storage or of a file of the Gemini API; others as they are."""
    if uri.startswith("gs://"):
        bucket, _, name = uri.removeprefix("gs://").partition("/")
        return f"https://storage.googleapis.com/{quote(bucket, safe='')}/{quote(name)}"
    parts = urlsplit(uri)
    # ai.google.dev/api/files: the file's own address answers with what is known of it.
    if "/files/" in parts.path and ":" not in parts.path and not parts.query:
        return f"{uri}:download?alt=media"
    return uri


def _is_allowed(url: str, endpoint: str | None) -> bool:
    parts = urlsplit(url)
    google = parts.scheme == "https" and (parts.hostname or "").endswith(_HOSTS) and parts.port in (None, 443)
    return google or _is_endpoint(url, endpoint)


def _is_own(url: str, endpoint: str | None) -> bool:
    """Return whether the address may see the key."""
    return (urlsplit(url).hostname or "").endswith(".googleapis.com") or _is_endpoint(url, endpoint)


def _is_endpoint(url: str, endpoint: str | None) -> bool:
    return endpoint is not None and urlsplit(url)[:2] == urlsplit(endpoint)[:2]


def _plain(error: Exception) -> str:
    # httpx names the whole address, which may carry a signature.
    if isinstance(error, httpx.HTTPStatusError):
        return str(error.response.status_code)
    return type(error).__name__ if isinstance(error, (httpx.HTTPError, httpx.InvalidURL)) else str(error)[:200]
