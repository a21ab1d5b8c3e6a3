"""A free port, a page fetched from it, a metric's value read from it, and what was logged meanwhile."""

import logging
import socket

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


async def fetched(port: int, path: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}{path}") as answer:
        return answer.status, await answer.text()


def value(text: str, name: str, **labels: str) -> float:
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return sum(sample.value for sample in samples if sample.name == name and labels.items() <= sample.labels.items())


def logged(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return the log records, without those of another test's exporter, which retries in its own thread."""
    return [record for record in caplog.records if not record.name.startswith("opentelemetry.")]
