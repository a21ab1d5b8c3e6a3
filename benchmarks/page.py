"""Measures how fast the bot serves a song's page: a real song of real services, and visitors in a process each.

Visitors send requests at fixed times, whether the previous answer has arrived or not. A time counts from the moment at
which the request was due, so that a late answer makes the next ones late too, as for people.
"""

import asyncio
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import sqlalchemy as sa

from benchmarks.loop import Lag, Receiver
from benchmarks.render import photo
from bot.web.serving import listening
from melodify_core.bootstrap import open_services
from melodify_core.config.settings import Settings
from melodify_core.library import connect
from melodify_core.library.schema import usage
from melodify_core.models import Order, Place, Wish

CONNECTIONS = 200
PER_S = 300
SECONDS = 20.0
WARM_S = 2.0


async def _visit(url: str, number: int, began: float, until: float, late: list[float]) -> None:
    """Send requests over one connection, every CONNECTIONS / PER_S seconds."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    request = f"GET {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept-Language: en\r\n\r\n".encode()
    due = began + number / PER_S
    while due < until:
        await asyncio.sleep(max(due - time.perf_counter(), 0))
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise AssertionError(head)
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r")[0]
        await reader.readexactly(int(length))
        if due >= began + WARM_S:
            late.append(time.perf_counter() - due)
        due += CONNECTIONS / PER_S
    writer.close()


async def visit(url: str) -> list[float]:
    """Return the seconds that each answer took, sorted."""
    late: list[float] = []
    began = time.perf_counter() + 0.5
    until = began + WARM_S + SECONDS
    await asyncio.gather(*(_visit(url, number, began, until, late) for number in range(CONNECTIONS)))
    return sorted(late)


async def _visited(url: str) -> tuple[list[float], float]:
    """Visit the page from another process; return its times, and how long this process's loop was blocked meanwhile."""
    visitor = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.page", url), stdout=asyncio.subprocess.PIPE
    )
    await asyncio.sleep(1.0)  # the process has begun
    lag = Lag()
    watching = asyncio.create_task(lag.watch())
    output, _ = await visitor.communicate()
    watching.cancel()
    return json.loads(output), lag.worst_s


async def _alone() -> float:
    """Return how long the loop is blocked by the machine's other work, without visitors."""
    lag = Lag()
    watching = asyncio.create_task(lag.watch())
    await asyncio.sleep(SECONDS)
    watching.cancel()
    return lag.worst_s


@dataclass(frozen=True, slots=True)
class Measured:
    """Times in seconds."""

    times: list[float]
    worst_s: float
    worst_alone_s: float
    worked_s: float  # CPU time of this process: the most reliable figure on a machine that others use too
    page_bytes: int


async def measure(folder: Path) -> Measured:
    """Serve the page of a real song and have it visited."""
    photo(folder / "photo.jpg")
    tables = {
        "database": {"url": f"sqlite:///{folder}/melodify.db"},
        "folder": {"path": folder / "files"},
        # The rate limit is on, but is not reached.
        "web": {"public_url": "http://127.0.0.1", "port": 0, "requests_per_minute": 10_000_000},
    }
    settings = Settings.model_validate(tables)
    async with open_services(settings, Receiver()) as services:
        await services.studio.submit(
            Order("1", 1, Place(channel_id=1), (folder / "photo.jpg").read_bytes(), Wish(seconds=30))
        )
        await services.studio.idle(300)
        engine = connect(settings.database.url)
        with engine.connect() as connection:
            page_id = connection.scalar(sa.select(usage.c.page_id))
        engine.dispose()
        async with listening(settings.web) as port, port.serving(services.pages, services.storage) as address:
            url = f"{address}/s/{page_id}"
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
            writer.write(f"GET {urlsplit(url).path} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
            size = len((await reader.read()).partition(b"\r\n\r\n")[2])
            writer.close()
            before = time.process_time()
            times, worst_s = await _visited(url)
            worked_s = time.process_time() - before
            alone_s = await _alone()
    return Measured(times, worst_s, alone_s, worked_s, size)


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(measure(Path(folder)))
    times = found.times
    p50, p99 = (1000 * times[int(len(times) * part)] for part in (0.5, 0.99))
    print(
        f"song page of {found.page_bytes / 1000:.0f} kB at {PER_S} requests/s over {CONNECTIONS} connections: "
        f"{len(times) / SECONDS:.0f}/s answered, p50 {p50:.1f} ms, p99 {p99:.1f} ms (target: < 100 ms), "
        f"at most {1000 * times[-1]:.0f} ms"
    )
    each_us = 1e6 * found.worked_s / (PER_S * (WARM_S + SECONDS))
    print(
        f"the bot's event loop meanwhile: blocked {found.worst_s * 1000:.0f} ms at the most (target: < 50 ms; "
        f"{found.worst_alone_s * 1000:.0f} ms without visitors), {each_us:.0f} us of CPU for a request"
    )


if __name__ == "__main__":
    print(json.dumps(asyncio.run(visit(sys.argv[1]))))
