"""Who a visitor is, by address; how much one address may ask for; which of our languages a visitor reads."""

import re
import time
from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttp import web

from bot.i18n.messages import LANGUAGES
from melodify_core.config.settings import Web
from melodify_core.models import Language

_NETWORK_BITS = 64  # of an IPv6 address: a household chooses the rest
_MOST_PROXIES = 10
_MOST_ADDRESSES = 20_000
# A browser sends a handful of languages; the rest of a longer list is not read.
_MOST_LANGUAGES = 20
_LONGEST_LANGUAGES = 400
_TAG = re.compile(
    r"([a-z0-9-]+)(?:\s*;\s*q\s*=\s*(0(?:\.\d*)?|1(?:\.0*)?))?", re.ASCII | re.IGNORECASE
)  # RFC 9110, 12.4.2

Address = IPv4Address | IPv6Address


def visitor_address(request: web.BaseRequest, settings: Web) -> str:
    """Return the visitor's address, an IPv6 one without its host part.

    The proxy header is believed from the right, as far as our own proxies wrote it.
    """
    address = _parse(request.remote or "")
    if settings.proxies and request.headers:  # a malformed request has none
        named = ",".join(request.headers.getall(settings.proxy_header, [])).split(",")
        for word in named[: -_MOST_PROXIES - 1 : -1]:
            before = _parse(word.strip())
            if before is None or not _is_proxy(address, settings):
                break
            address = before
    return _network(address)


def peer_address(remote: str, settings: Web) -> str:
    """Return the address of a connection's other end as for a visitor; nothing for our proxy, which brings many."""
    address = _parse(remote)
    return "" if _is_proxy(address, settings) else _network(address)


def _is_proxy(address: Address | None, settings: Web) -> bool:
    return address is not None and any(address in network for network in settings.proxies)


def _network(address: Address | None) -> str:
    if isinstance(address, IPv6Address):
        return f"{int(address) >> (128 - _NETWORK_BITS):x}::"
    return str(address or "")


def _parse(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


class RateLimit:
    """Lets each address make `per_minute` requests, all at once or spread; 0 is no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._every_s = 60 / per_minute if per_minute else 0.0
        self._clock = clock
        # For each address when its minute is full again, in a list of one; strangers cannot fill the memory.
        self._full_at = lru_cache(_MOST_ADDRESSES)(lambda _address: [0.0])

    def take(self, address: str) -> None:
        """Count a request. Raises HTTPTooManyRequests when it is one too many."""
        if not self._every_s:
            return
        now, full_at = self._clock(), self._full_at(address)
        after = max(full_at[0], now) + self._every_s
        wait_s = after - now - 60
        if wait_s > 1e-6:
            raise web.HTTPTooManyRequests(headers={"Retry-After": str(max(1, round(wait_s)))})
        full_at[0] = after


def language_of(request: web.BaseRequest, own: str = "en") -> Language:
    """Return the visitor's language: ?lang= wins, then Accept-Language, then `own`, the song's."""
    asked = request.query.get("lang", "") if request.query_string else ""
    return _choose(asked[:_LONGEST_LANGUAGES], request.headers.get("Accept-Language", "")[:_LONGEST_LANGUAGES], own)


@lru_cache(1024)
def _choose(asked: str, accepted: str, own: str) -> Language:
    tags = [found for part in accepted.split(",")[:_MOST_LANGUAGES] if (found := _TAG.fullmatch(part.strip()))]
    weighed = sorted(((float(found[2] or 1), found[1]) for found in tags), key=lambda pair: -pair[0])
    for tag in (asked, *(tag for weight, tag in weighed if weight), own):
        spoken = tag.partition("-")[0].lower()
        if spoken in LANGUAGES:
            return spoken
    return "en"
