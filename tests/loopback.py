"""A free port, a page fetched from it, a metric's value read from it, and what was logged meanwhile."""

import logging
import random
import socket
from contextlib import suppress

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

# Below those that Linux gives by itself, which another test or a connection might get before the port is used.
OWN_PORTS = range(12_000, 32_000)
_chance = random.SystemRandom()  # pytest-randomly seeds the other one alike in all workers


def free_port() -> int:
    while True:
        with socket.socket() as listener, suppress(OSError):
            listener.bind(("127.0.0.1", port := _chance.choice(OWN_PORTS)))
            return port


async def fetched(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


def value(text: str, name: str, **labels: str) -> float:
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items())


def logged(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return the log records, without those of another test's exporter, which retries in its own thread."""
    return [record for record in caplog.records if not record.name.startswith("opentelemetry.")]
