"""The headers that stand on every answer. There is no inline script and no inline style, and nobody may frame us."""

from collections.abc import Awaitable, Callable

from aiohttp import web

POLICY = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self'; "
    "media-src 'self'; "
    "connect-src 'self'; "
    "base-uri 'none'; "
    "form-action 'none'; "
    "frame-ancestors 'none'"
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
_YEAR_S = 365 * 24 * 3600


def adder(public_url: str) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    """Return what adds them, before an answer is sent; what a handler has set itself stays."""
    always = dict(ALWAYS)
    if public_url.startswith("https:"):
        always["Strict-Transport-Security"] = f"max-age={_YEAR_S}"

    async def add(_request: web.Request, response: web.StreamResponse) -> None:
        response.headers.popall("Server", None)  # versions are nobody's business
        for name, value in always.items():
            response.headers.setdefault(name, value)

    return add
