"""Whether a process can do its work: named questions, each asked not more often than its answer is worth."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from melodify_core.errors import MelodifyError, Misconfigured

log = logging.getLogger(__name__)
ANSWER_S = 5.0
Question = Callable[[], Awaitable[object]]


@dataclass(slots=True)
class _Probe:
    question: Question
    every_s: float
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked_at: float = float("-inf")
    well: bool = False
    broke: bool = False  # a defect was logged; also where it was never well


class Health:
    """Asks the parts of a process. An answer that takes longer than ANSWER_S seconds is a bad one."""

    def __init__(self) -> None:
        self._probes: dict[str, _Probe] = {}

    def add(self, name: str, question: Question, every_s: float = 5.0) -> None:
        """Ask this, too. The question raises when something is wrong; it is asked every `every_s` seconds at most."""
        self._probes[name] = _Probe(question, every_s)

    async def state(self) -> dict[str, bool]:
        """Return which parts are well."""
        answers = await asyncio.gather(*(self._ask(name, probe) for name, probe in self._probes.items()))
        return dict(zip(self._probes, answers, strict=True))

    async def _ask(self, name: str, probe: _Probe) -> bool:
        # One question at a time, however many ask: a database that hangs is not asked a hundred times.
        async with probe.lock:
            if time.monotonic() - probe.asked_at < probe.every_s:
                return probe.well
            was_well, probe.well = probe.well, False
            try:
                async with asyncio.timeout(ANSWER_S):
                    await probe.question()
                probe.well = True
            except (MelodifyError, Misconfigured, TimeoutError, OSError) as error:
                if was_well:
                    log.warning("%s is not well: %s", name, error or type(error).__name__)
            except Exception:  # whatever breaks while it is asked is not well: to say so is what the question is for
                if was_well or not probe.broke:
                    log.exception("%s is not well", name)
                probe.broke = True
            probe.asked_at = time.monotonic()
            return probe.well
