"""Entity tags: how a browser asks whether what it has is still what we have (RFC 9110, sections 8.8 and 13.1)."""

from hashlib import blake2b

from aiohttp import web


def etag_of(*parts: str | bytes) -> str:
    """Return the strong tag of what the parts say together."""
    digest = blake2b(digest_size=12)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return f'"{digest.hexdigest()}"'


def is_known(request: web.BaseRequest, etag: str) -> bool:
    """Return whether the browser has it already."""
    header = request.headers.get("If-None-Match")
    if header is None:
        return False
    return header.strip() == "*" or etag in [tag.strip().removeprefix("W/") for tag in header.split(",")]


def may_continue(request: web.BaseRequest, etag: str) -> bool:
    """Return whether a part may be sent: the browser's other parts are of the same whole. We give no dates."""
    header = request.headers.get("If-Range")
    return header is None or header.strip() == etag
