"""The Composer port on the Gemini API: what is asked for, what it cost, and what is said when there is no music."""

import asyncio
import logging
import random

from pydantic import SecretStr

from melodify_core.brief import music_prompt, short_prompt
from melodify_core.composers.gemini.faults import WORDS, Blocked, Fault, is_free, job_faults, may_repeat, start_faults
from melodify_core.composers.gemini.models import longest_s, price_of_take
from melodify_core.composers.gemini.wire import Answer, GeminiModel
from melodify_core.composers.lyria_3 import kind_of, spoken
from melodify_core.config.settings import Gemini
from melodify_core.errors import Refused, Unavailable
from melodify_core.models import Bill, Brief, RawTake, Wish
from melodify_core.ports import PaidCall, ProviderContext

log = logging.getLogger(__name__)

CHECK_S = 30.0
PAUSE_S = 1.0


class GeminiComposer:
    """Asks Lyria 3 or 3.5 for one take per job. Needs a running event loop.

    The service keeps nothing that a repeat for one job could find, so a repeat is billed again: the caller records the
    take before anything else.
    """

    name = "gemini"

    def __init__(self, settings: Gemini, pause_s: float = PAUSE_S) -> None:
        self._settings = settings
        self._pause_s = pause_s
        self._places = asyncio.Semaphore(settings.calls)
        self._model = GeminiModel(settings.model, settings.api_key or SecretStr(""), settings.endpoint)

    async def check(self) -> None:
        """See whether key, region and model are right. Raises Misconfigured, Unavailable.

        Whether the key's project pays is only seen in a call that costs.
        """
        with start_faults(self._settings):
            async with asyncio.timeout(min(CHECK_S, self._settings.deadline_s)):
                await self._model.look()

    async def close(self) -> None:
        """Close the connections."""
        await self._model.close()

    async def compose(self, brief: Brief, wish: Wish, context: ProviderContext) -> RawTake:
        """Return the model's take, about as long as it makes them. Raises Refused, Unavailable."""
        with job_faults(context.job_id, self._settings.model):
            async with asyncio.timeout(self._settings.deadline_s) as deadline, self._places:
                answer, call = await self._answer(brief, wish, context, deadline.when() or 0.0)
        # Past the deadline's reach: an answer that was paid for is not lost to it.
        await call.billed(self._bill(answer.request_id))
        content_type = kind_of(answer.audio)
        if content_type is None:
            size, request_id = len(answer.audio), answer.request_id or "unknown"
            log.warning(
                "job %s: gemini: %d bytes that are no audio, request id %s: see gemini.model",
                context.job_id,
                size,
                request_id,
            )
            raise Unavailable("music.failed")
        return RawTake(audio=answer.audio, content_type=content_type, model=self._settings.model)

    async def _answer(
        self, brief: Brief, wish: Wish, context: ProviderContext, until: float
    ) -> tuple[Answer, PaidCall]:
        await self._model.prepare()
        picture = (await context.picture()).jpeg if self._settings.send_picture else b""
        try:
            return await self._asked(music_prompt(brief, wish), wish, context, picture, until)
        except Blocked as error:
            log.info("job %s: gemini: blocked, asking with a plainer prompt (%s)", context.job_id, _reason(error))
        try:
            # Without the picture: it may be what gave offence.
            return await self._asked(short_prompt(brief, wish), wish, context, b"", until)
        except Blocked as error:
            log.warning("job %s: gemini: blocked twice (%s), request id unknown", context.job_id, _reason(error))
            raise Refused("music.blocked") from error

    async def _asked(
        self, prompt: str, wish: Wish, context: ProviderContext, picture: bytes, until: float
    ) -> tuple[Answer, PaidCall]:
        """Ask until there is an answer, as often as the setting says and only where it cannot be billed twice."""
        prompt = spoken(prompt, wish, longest_s(self._settings))
        for tried in range(1, self._settings.tries):
            try:
                return await self._paid(prompt, picture, context)
            except Fault as fault:
                wait_s = max(fault.wait_s, self._pause_s * 2 ** (tried - 1) * random.uniform(1, 1.5))
                if not may_repeat(fault) or asyncio.get_running_loop().time() + wait_s >= until:
                    raise
            await asyncio.sleep(wait_s)
        return await self._paid(prompt, picture, context)

    async def _paid(self, prompt: str, picture: bytes, context: ProviderContext) -> tuple[Answer, PaidCall]:
        """Ask once, with the call in the books from its beginning on."""
        call = await context.begun(self._bill())
        try:
            return await self._model.ask(prompt, picture, context.job_id), call
        except BaseException as error:
            if is_free(error):
                await call.free()
            else:
                call.lost()
            raise

    def _bill(self, request_id: str = "") -> Bill:
        dollars = price_of_take(self._settings)
        return Bill(provider="gemini", model=self._settings.model, dollars=dollars, request_id=request_id)


def _reason(error: Blocked) -> str:
    return " ".join(str(error).split())[:WORDS] or "no reason given"
