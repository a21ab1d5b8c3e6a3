"""What all answers share: their headers, their entity tags, and the static files."""

from functools import partial
from hashlib import blake2b
from importlib.resources import files
from pathlib import PurePath

from aiohttp import web

# There is no inline script and no inline style, and nobody may frame a page: FRAMED is the exception.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    # The address of a page is all that protects it.
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# Of the player that other sites may show, and of what stands in its place.
FRAMED = {
    "Content-Security-Policy": POLICY.replace("frame-ancestors 'none'", "frame-ancestors *"),
    "Cross-Origin-Resource-Policy": "cross-origin",
}
_YEAR_S = 365 * 24 * 3600
_STATIC_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def headers_for(public_url: str) -> dict[str, str]:
    """Return the headers that each answer has unless it brings its own."""
    https = {"Strict-Transport-Security": f"max-age={_YEAR_S}"} if public_url.startswith("https:") else {}
    return ALWAYS | https


def set_tag(request: web.Request, response: web.StreamResponse, *parts: str) -> bool:
    """Tag the response with a hash of the parts; make it 304, and return True, when the browser has this version."""
    tag = blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()
    response.etag = tag
    known = any(etag.value in (tag, "*") for etag in request.if_none_match or ())
    if known:
        response.set_status(304)
    return known


def add_static_files(app: web.Application, prefix: str) -> dict[str, str]:
    """Serve bot/web/static from memory; return the path of each file, which changes with its content.

    aiohttp's own static files are sent by the kernel, where no bound on a stalled visitor holds.
    """
    paths = {}
    for file in (files("bot.web") / "static").iterdir():
        if content_type := _STATIC_TYPES.get(PurePath(file.name).suffix):
            body = file.read_bytes()
            version = blake2b(body, digest_size=6).hexdigest()
            paths[file.name] = f"{prefix}/static/{version}/{file.name}"
            app.router.add_get(paths[file.name], partial(_static, body=body, content_type=content_type))
    return paths


async def _static(_request: web.Request, body: bytes, content_type: str) -> web.Response:
    headers = {"Cache-Control": "public, max-age=31536000, immutable"}
    return web.Response(body=body, content_type=content_type, charset="utf-8", headers=headers)
