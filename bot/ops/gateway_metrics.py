"""Measures Discord and the event loop, for melodify_core.observability.metrics."""

import asyncio
import math
import time
from collections.abc import Callable, Mapping
from types import SimpleNamespace

import aiohttp
import discord

from melodify_core.errors import Unavailable
from melodify_core.observability import metrics

LAG_EVERY_S = 0.5
# Discord asks for a heartbeat each 41.25 s; discord.py hangs up on a silent gateway after 60 to 100 s.
HEARTBEAT_S = 60.0
# discord.com/developers/docs/topics/rate-limits: what a 429 was about.
SCOPE = "X-RateLimit-Scope"
SCOPES = {"user", "global", "shared"}


def request_counter() -> aiohttp.TraceConfig:
    """Return a trace that counts the answers of Discord's REST API, for the client's `http_trace`."""
    trace = aiohttp.TraceConfig()
    trace.on_request_end.append(_count)
    trace.on_request_exception.append(_count_failure)
    return trace


async def _count(_session: object, _context: SimpleNamespace, answer: aiohttp.TraceRequestEndParams) -> None:
    status = answer.response.status
    metrics.discord_requests.labels(str(status)).inc()
    if status == 429:
        scope = answer.response.headers.get(SCOPE, "")
        metrics.discord_ratelimits.labels(scope if scope in SCOPES else "other").inc()


async def _count_failure(_session: object, _context: SimpleNamespace, _failure: object) -> None:
    metrics.discord_requests.labels("failed").inc()


async def watch_loop() -> None:
    """Measure how late the loop wakes us, until cancelled."""
    while True:
        began = time.monotonic()
        await asyncio.sleep(LAG_EVERY_S)
        metrics.loop_lag_seconds.observe(max(time.monotonic() - began - LAG_EVERY_S, 0.0))


async def watch_gateway(client: discord.AutoShardedClient) -> None:
    """Show each shard's heartbeat. Raises Unavailable when one is not connected."""
    for number, shard in client.shards.items():
        metrics.gateway_latency_seconds.labels(str(number)).set(shard.latency)
    if not client.is_ready() or any(shard.is_closed() for shard in client.shards.values()):
        raise Unavailable("discord.unavailable")


class Heartbeats:
    """Watches the age of each shard's last acknowledged heartbeat.

    discord.py reports only how long it took. The number changes with each heartbeat: one that stays is old.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[int, tuple[float, float]] = {}

    def see(self, latencies: Mapping[int, float]) -> None:
        """Take the latencies of the shards. Raises Unavailable when one has had no answer for too long."""
        now = self._clock()
        for shard, latency in latencies.items():
            if shard not in self._seen or self._seen[shard][0] != latency:
                self._seen[shard] = latency, now
            if latency == math.inf or now - self._seen[shard][1] > HEARTBEAT_S:
                raise Unavailable("discord.unavailable")
