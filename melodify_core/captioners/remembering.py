"""A captioner that does not pay twice for the same question: remembered answers, and one asker for many at a time."""

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
class _Asking:
    """A question that is being asked right now, and those who wait for its answer."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    askers: int = 0
    answer: Brief | MelodifyError | None = None


class RememberingCaptioner:
    """Wraps a captioner with a memory. What fails is told to those who wait for it, and not remembered."""

    def __init__(self, captioner: Captioner, memory: Memory, model_label: str) -> None:
        self.name = captioner.name
        self._captioner = captioner
        self._memory = memory
        self._model_label = model_label
        self._asked: dict[str, _Asking] = {}

    async def check(self) -> None:
        """Check the captioner. Raises Misconfigured and Unavailable."""
        await self._captioner.check()

    async def close(self) -> None:
        """Close the captioner; the memory is not ours."""
        await self._captioner.close()

    async def caption(self, picture: Picture, wish: Wish, context: ProviderContext) -> Brief:
        """Return the remembered reading, else the captioner's. Raises what the captioner raises."""
        key = key_of(picture, wish, self._model_label, adult=context.adult)
        async with self._turn(key) as asking:
            if isinstance(asking.answer, MelodifyError):
                raise asking.answer
            if asking.answer is None:
                try:
                    asking.answer = await self._answer(key, picture, wish, context)
                except (Refused, Unavailable) as error:
                    # A budget that is used up is this asker's alone.
                    asking.answer = error
                    raise
            return asking.answer

    async def _answer(self, key: str, picture: Picture, wish: Wish, context: ProviderContext) -> Brief:
        remembered = await self._recall(key, context.job_id)
        if remembered is not None:
            return remembered
        brief = await self._captioner.caption(picture, wish, context)
        await self._remember(key, brief, context.job_id)
        return brief

    @asynccontextmanager
    async def _turn(self, key: str) -> AsyncIterator[_Asking]:
        """Let one at a time through for a key. One that is cancelled leaves no answer: the next asks again."""
        asking = self._asked.setdefault(key, _Asking())
        asking.askers += 1
        try:
            async with asking.turn:
                yield asking
        finally:
            asking.askers -= 1
            if not asking.askers:
                del self._asked[key]

    # The memory saves money and nothing else: whatever happens to it, the song goes on.

    async def _recall(self, key: str, job_id: str) -> Brief | None:
        try:
            return await self._memory.recall(key)
        except Exception as error:  # noqa: BLE001  # see above
            log.warning("job %s: nothing could be recalled: %s", job_id, type(error).__name__)
            return None

    async def _remember(self, key: str, brief: Brief, job_id: str) -> None:
        try:
            await self._memory.remember(key, brief)
        except Exception as error:  # noqa: BLE001  # see above
            log.warning("job %s: nothing could be remembered: %s", job_id, type(error).__name__)


def key_of(picture: Picture, wish: Wish, model_label: str, *, adult: bool = False) -> str:
    """Return 64 hex digits for all that an answer follows from; the wish's seed is the composer's alone."""
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
        # A picture that may be read in one place only must not be remembered for all.
        parts = (*parts, "adult")
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
