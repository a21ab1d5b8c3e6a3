"""Health checks of a process: named checks, whose results are cached for some seconds."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from melodify_core.errors import MelodifyError, Misconfigured

log = logging.getLogger(__name__)
TIMEOUT_S = 5.0
Check = Callable[[], Awaitable[object]]


@dataclass(slots=True)
class _Probe:
    check: Check
    every_s: float
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    checked_at: float = float("-inf")
    healthy: bool = False
    defect_logged: bool = False


class Health:
    """Runs the checks of a process. A check that takes longer than TIMEOUT_S seconds has failed."""

    def __init__(self) -> None:
        self._probes: dict[str, _Probe] = {}

    def add(self, name: str, check: Check, every_s: float = 5.0) -> None:
        """Add a check, which raises when something is wrong. It runs every `every_s` seconds at most."""
        self._probes[name] = _Probe(check, every_s)

    async def state(self) -> dict[str, bool]:
        """Return for each check whether it passes."""
        results = await asyncio.gather(*(self._run(name, probe) for name, probe in self._probes.items()))
        return dict(zip(self._probes, results, strict=True))

    async def _run(self, name: str, probe: _Probe) -> bool:
        # One run at a time, however many callers ask: a database that hangs is not queried a hundred times.
        async with probe.lock:
            if time.monotonic() - probe.checked_at < probe.every_s:
                return probe.healthy
            was_healthy, probe.healthy = probe.healthy, False
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    await probe.check()
                probe.healthy = True
            except (MelodifyError, Misconfigured, TimeoutError, OSError) as error:
                if was_healthy:
                    log.warning("%s is not healthy: %s", name, error or type(error).__name__)
            except Exception:  # a check that breaks has failed: to report that is its purpose
                if was_healthy or not probe.defect_logged:
                    log.exception("%s is not healthy", name)
                probe.defect_logged = True
            probe.checked_at = time.monotonic()
            return probe.healthy
