"""A captioner that does not pay twice for the same question: it stores answers, and asks once for all who wait."""

import asyncio
import hashlib
import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from melodify_core.errors import MelodifyError, Refused, Unavailable
from melodify_core.models import Brief, Picture, Wish
from melodify_core.ports import Captioner, Memory, ProviderContext

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _PendingQuestion:
    """A question that is being asked right now, and how many callers wait for its answer."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    callers: int = 0
    answer: Brief | MelodifyError | None = None


class RememberingCaptioner:
    """Wraps a captioner with a memory. An error is raised to all callers that wait, and is not stored."""

    def __init__(self, captioner: Captioner, memory: Memory, model_label: str) -> None:
        self.name = captioner.name
        self._captioner = captioner
        self._memory = memory
        self._model_label = model_label
        self._pending: dict[str, _PendingQuestion] = {}

    async def check(self) -> None:
        """Check the captioner. Raises Misconfigured and Unavailable."""
        await self._captioner.check()

    async def close(self) -> None:
        """Close the captioner; the memory belongs to the caller."""
        await self._captioner.close()

    async def caption(self, picture: Picture, wish: Wish, context: ProviderContext) -> Brief:
        """Return the stored reading, else the captioner's. Raises what the captioner raises."""
        key = key_of(picture, wish, self._model_label, adult=context.adult)
        async with self._turn(key) as pending:
            if isinstance(pending.answer, MelodifyError):
                raise pending.answer
            if pending.answer is None:
                try:
                    pending.answer = await self._answer(key, picture, wish, context)
                except (Refused, Unavailable) as error:
                    # Other errors, such as a used-up budget, concern only this caller.
                    pending.answer = error
                    raise
            return pending.answer

    async def _answer(self, key: str, picture: Picture, wish: Wish, context: ProviderContext) -> Brief:
        remembered = await self._recall(key, context.job_id)
        if remembered is not None:
            return remembered
        brief = await self._captioner.caption(picture, wish, context)
        await self._remember(key, brief, context.job_id)
        return brief

    @asynccontextmanager
    async def _turn(self, key: str) -> AsyncIterator[_PendingQuestion]:
        """Let one caller at a time through per key. A cancelled caller leaves no answer: the next one asks again."""
        pending = self._pending.setdefault(key, _PendingQuestion())
        pending.callers += 1
        try:
            async with pending.turn:
                yield pending
        finally:
            pending.callers -= 1
            if not pending.callers:
                del self._pending[key]

    # The memory only saves money: the song goes on whatever happens to it.

    async def _recall(self, key: str, job_id: str) -> Brief | None:
        try:
            return await self._memory.recall(key)
        except Exception as error:  # noqa: BLE001  # see above
            log.warning("job %s: stored readings are not available, asking anew: %s", job_id, type(error).__name__)
            return None

    async def _remember(self, key: str, brief: Brief, job_id: str) -> None:
        try:
            await self._memory.remember(key, brief)
        except Exception as error:  # noqa: BLE001  # see above
            log.warning("job %s: the reading could not be stored, going on without: %s", job_id, type(error).__name__)


def key_of(picture: Picture, wish: Wish, model_label: str, *, adult: bool = False) -> str:
    """Return 64 hex digits for all that an answer depends on; the wish's seed concerns only the composer."""
    parts: tuple[object, ...] = (
        picture.sha256,
        wish.hint,
        wish.style,
        wish.seconds,
        wish.language,
        wish.locale,
        wish.vocals,
        model_label,
    )
    if adult:
        # A reading that only one kind of place may have must not be stored for all.
        parts = (*parts, "adult")
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
