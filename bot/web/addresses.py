"""Who a visitor is, by address, and how much one address may ask for."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttp import web

from bot.web.notices import Notice
from bot.web.recent import Recent
from melodify_core.config.settings import Web

_NETWORK_BITS = 64  # of an IPv6 address: the rest is one household's to choose
_MOST_PROXIES = 10
_MOST_ADDRESSES = 20_000
_LONGEST_ADDRESS = 64  # what is longer is none, and is not remembered

Address = IPv4Address | IPv6Address


def visitor(request: web.BaseRequest, settings: Web) -> str:
    """Return the visitor's address, an IPv6 one without its host part.

    What the proxy header says is believed from the right, as far as those who said it are our proxies.
    """
    address = _parsed(request.remote or "")
    if address is None:
        return ""
    if settings.proxies:
        named = ",".join(request.headers.getall(settings.proxy_header, [])).split(",")
        for word in named[: -_MOST_PROXIES - 1 : -1]:
            before = _parsed(word.strip())
            if before is None or not any(address in network for network in settings.proxies):
                break
            address = before
    return _named(address)


def neighbour(remote: str, settings: Web) -> str:
    """Return at whose address a connection ends, as for a visitor; nothing for a proxy of ours, who brings many."""
    address = _parsed(remote)
    if address is None or any(address in network for network in settings.proxies):
        return ""
    return _named(address)


@lru_cache(4096)
def _named(address: Address) -> str:
    if isinstance(address, IPv6Address):
        return f"{int(address) >> (128 - _NETWORK_BITS):x}::"
    return str(address)


def _parsed(text: str) -> Address | None:
    return _read(text) if len(text) <= _LONGEST_ADDRESS else None


@lru_cache(4096)
def _read(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class Allowance:
    """Lets each address make `per_minute` requests, all at once or spread; 0 is no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._buckets: Recent[str, _Bucket] = Recent(_MOST_ADDRESSES)

    def take(self, address: str) -> None:
        """Count a request. Raises Notice when it is one too many."""
        if not self._per_minute:
            return
        now, rate = self._clock(), self._per_minute / 60
        bucket = self._buckets.get(address) or _Bucket(self._per_minute, now)
        self._buckets.put(address, bucket)
        bucket.tokens = min(self._per_minute, bucket.tokens + (now - bucket.filled_at) * rate)
        bucket.filled_at = now
        if bucket.tokens < 1:
            raise Notice(429, "busy", Retry_After=str(max(1, round((1 - bucket.tokens) / rate))))
        bucket.tokens -= 1


class Places:
    """Lets so many streams run at once, in all and for each address."""

    def __init__(self, in_all: int, per_address: int) -> None:
        self._in_all = in_all
        self._per_address = per_address
        self._taken: Counter[str] = Counter()

    @contextmanager
    def taken(self, address: str) -> Iterator[None]:
        """Hold a place. Raises Notice when there is none."""
        if self._taken[address] >= self._per_address:
            raise Notice(429, "busy", Retry_After="5")
        if self._taken.total() >= self._in_all:
            raise Notice(503, "unavailable", Retry_After="5")
        self._taken[address] += 1
        try:
            yield
        finally:
            self._taken[address] -= 1
            if not self._taken[address]:
                del self._taken[address]
