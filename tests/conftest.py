"""What every kind of test shares: one pool for the whole run, and settings that stay in a temporary folder."""

import gc
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from melodify_core.config.settings import Settings
from melodify_core.media.worker_pool import WorkerPool
from tests.postgres import fresh_database, postgres_server
from tests.process.prepared import MEASURES

# A shell lets its background jobs ignore Ctrl-C, and the processes that tests start would go on doing so.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN and threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def pool() -> Iterator[WorkerPool]:
    """Worker processes are slow to start: all tests use the same."""
    pool = WorkerPool(2)
    yield pool
    pool.close()


@pytest.fixture
def settings_for(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Settings]:
    """Return a function that makes settings whose database and files lie under the given folder."""
    for name in ("MELODIFY_CONFIG", "MELODIFY_DISCORD__TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def make(folder: Path, **tables: object) -> Settings:
        places = {"database": {"url": f"sqlite:///{folder}/melodify.db"}, "folder": {"path": folder / "files"}}
        return Settings.model_validate(places | {"work": {"drain_s": 10}} | tables)

    return make


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """One PostgreSQL for the whole run, started by the first test that wants it."""
    with postgres_server() as server:
        yield server


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup() -> None:
    """Keep coverage out of the processes that tests start, above all out of the pool's; prepared.py asks for it.

    What they do is measured where a test does it in this process. After a test with `no_cover` it is there again.
    """
    measures = os.environ.pop("COVERAGE_PROCESS_CONFIG", None)
    if measures is not None:
        os.environ[MEASURES] = measures


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Trace nothing in a test with `no_cover`: in pytest-xdist's workers pytest-cov pauses only the upper of two."""
    if item.get_closest_marker("no_cover") is None:
        return (yield)
    traces = sys.gettrace()
    sys.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(traces)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Spare the garbage collector what is imported and collected: it stays until the end.

    Later it looks more rarely than usual: each time it would walk through whole simulated worlds.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(20_000, 50, 100)
        gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """Return how many workers are as many as are good: a part of most tests' time is waiting."""
    wanted = os.environ.get("PYTEST_XDIST_AUTO_NUM_WORKERS")
    return int(wanted) if wanted else (os.cpu_count() or 1) + 2


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark every test that needs PostgreSQL as slow."""
    for item in items:
        if "postgres" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def postgres_url(postgres: Any) -> Iterator[str]:
    """A database of the test's own."""
    with fresh_database(postgres) as url:
        yield url


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Both kinds of database, one after the other."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/sub/melodify.db"
    return str(request.getfixturevalue("postgres_url"))
