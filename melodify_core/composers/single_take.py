"""What composers share that ask a paid service for one take per job: what is asked, how often, and what is booked.

An adapter says how its service is asked, which of its faults may be repeated, and what a take costs.
"""

import asyncio
import logging
import random
from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from melodify_core.brief import music_prompt, short_prompt
from melodify_core.composers.lyria_3 import kind_of
from melodify_core.config.settings import ElevenLabs, Gemini, Lyria
from melodify_core.errors import Refused, Unavailable
from melodify_core.models import Bill, Brief, RawTake, Wish
from melodify_core.ports import PaidCall, ProviderContext

log = logging.getLogger(__name__)

CHECK_S = 30.0
PAUSE_S = 1.0
WORDS = 300  # characters of a service's own words in the log
Section = TypeVar("Section", ElevenLabs, Gemini, Lyria)
Failure = TypeVar("Failure", bound=Exception)


class Blocked(Exception):
    """The service took offence at the prompt, the picture or its own music. Not billed."""


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt and what goes with it; a service takes of it what it can."""

    prompt: str
    wish: Wish
    seed: int
    picture: bytes = field(default=b"", repr=False)  # JPEG
    job_id: str = "-"  # for the log


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: paid for, though perhaps of no use. Audio that is not Base64 is empty."""

    audio: bytes = field(repr=False)
    request_id: str = ""


class SingleTakeComposer(ABC, Generic[Section, Failure]):
    """Asks for one take per job. Needs a running event loop.

    The service keeps nothing that a repeat for one job could find, so a repeat is billed again: the caller records the
    take before anything else.
    """

    name: str
    failure: type[Failure]  # what the service's calls raise

    def __init__(self, settings: Section, pause_s: float) -> None:
        self._settings: Section = settings
        self._pause_s = pause_s
        self._places = asyncio.Semaphore(settings.calls)

    async def compose(self, brief: Brief, wish: Wish, context: ProviderContext) -> RawTake:
        """Return the service's take, about as long as it makes them. Raises Refused, Unavailable."""
        with self._faults(context.job_id):
            async with asyncio.timeout(self._settings.deadline_s) as deadline, self._places:
                answer, call = await self._answer(brief, wish, context, deadline.when() or 0.0)
        # Past the deadline's reach: an answer that was paid for is not lost to it.
        await call.billed(self._bill(wish, answer.request_id))
        content_type = kind_of(answer.audio)
        if content_type is None:
            size, request_id = len(answer.audio), answer.request_id or "unknown"
            line = "job %s: %s: %d bytes that are no audio, request id %s: see %s.model"
            log.warning(line, context.job_id, self.name, size, request_id, self.name)
            raise Unavailable("music.failed")
        return RawTake(audio=answer.audio, content_type=content_type, model=self._settings.model)

    async def _answer(
        self, brief: Brief, wish: Wish, context: ProviderContext, until: float
    ) -> tuple[Answer, PaidCall]:
        job_id, seed, picture = context.job_id, context.seed, await self._picture(context)
        question = Question(self._worded(music_prompt(brief, wish), wish), wish, seed, picture, job_id)
        try:
            return await self._asked(question, context, until)
        except Blocked as error:
            log.info("job %s: %s: blocked, asking with a plainer prompt (%s)", job_id, self.name, _reason(error))
        # Without the picture: it may be what gave offence.
        question = Question(self._worded(short_prompt(brief, wish), wish), wish, seed, job_id=job_id)
        try:
            return await self._asked(question, context, until)
        except Blocked as error:
            log.warning("job %s: %s: blocked twice (%s), request id unknown", job_id, self.name, _reason(error))
            raise Refused("music.blocked") from error

    async def _asked(self, question: Question, context: ProviderContext, until: float) -> tuple[Answer, PaidCall]:
        """Ask until there is an answer, as often as the setting says and only where it cannot be billed twice."""
        for tried in range(1, self._settings.tries):
            try:
                return await self._paid(question, context)
            except self.failure as error:
                asked_s = self._repeat_after_s(error)
                if asked_s is None:
                    raise
                wait_s = max(asked_s, self._pause_s * 2 ** (tried - 1) * random.uniform(1, 1.5))
                if asyncio.get_running_loop().time() + wait_s >= until:
                    raise
            await asyncio.sleep(wait_s)
        return await self._paid(question, context)

    async def _paid(self, question: Question, context: ProviderContext) -> tuple[Answer, PaidCall]:
        """Ask once, with the call in the books from its beginning on."""
        call = await context.begun(self._bill(question.wish))
        try:
            return await self._ask(question), call
        except BaseException as error:
            if self._is_free(error):
                await call.free()
            else:
                call.lost()
            raise

    async def _picture(self, context: ProviderContext) -> bytes:
        """Return the picture that goes with the prompt; nothing where none does."""
        del context
        return b""

    @abstractmethod
    def _faults(self, job_id: str) -> AbstractContextManager[None]:
        """Turn what goes wrong inside, and a deadline, into our errors, and log it."""

    @abstractmethod
    def _worded(self, prompt: str, wish: Wish) -> str:
        """Return the prompt with what the service takes in words only."""

    @abstractmethod
    async def _ask(self, question: Question) -> Answer:
        """Ask once. Raises Blocked and the service's failures."""

    @abstractmethod
    def _repeat_after_s(self, error: Failure) -> float | None:
        """Return for how long the service wants to be left alone, None where it may not be asked again."""

    @abstractmethod
    def _is_free(self, error: BaseException) -> bool:
        """Return whether a call that ended like this is known not to be billed."""

    @abstractmethod
    def _bill(self, wish: Wish, request_id: str = "") -> Bill:
        """Return what a call costs."""


def _reason(error: Blocked) -> str:
    return " ".join(str(error).split())[:WORDS] or "no reason given"
