"""The headers that stand on every answer. There is no inline script and no inline style, and nobody may frame us."""

from collections.abc import Mapping

from multidict import CIMultiDict

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
    "Server": "Melodify",  # aiohttp would name itself; versions are nobody's business
}
_YEAR_S = 365 * 24 * 3600


class Headers:
    """Makes the headers of an answer."""

    def __init__(self, public_url: str) -> None:
        self._always = CIMultiDict(ALWAYS)
        if public_url.startswith("https:"):
            self._always["Strict-Transport-Security"] = f"max-age={_YEAR_S}"

    def adding(self, own: Mapping[str, str]) -> CIMultiDict[str]:
        """Return those that stand on every answer, and its own, which win."""
        headers = self._always.copy()
        headers.update(own)
        return headers
