"""The Composer port on ElevenLabs' Music API: what is asked for, what it cost, and what is said without music."""

import asyncio
import logging
import random

from melodify_core.brief import music_prompt, short_prompt
from melodify_core.composers.elevenlabs.abilities import abilities_of
from melodify_core.composers.elevenlabs.faults import (
    check_plan,
    is_blocked,
    job_faults,
    may_repeat,
    start_faults,
)
from melodify_core.composers.http import Fault, HttpApi, Reply, is_free, pause
from melodify_core.composers.lyria_3 import LANGUAGES, kind_of
from melodify_core.config.settings import ElevenLabs
from melodify_core.errors import Refused, Unavailable
from melodify_core.models import Bill, Brief, RawTake, Wish
from melodify_core.ports import PaidCall, ProviderContext

log = logging.getLogger(__name__)

HOST = "https://api.elevenlabs.io"
CHECK_S = 30.0
PAUSE_S = 1.0
MAX_ANSWER_BYTES = 32 * 1024 * 1024  # two minutes of MP3 at 320 kbit/s are 5 MB


class ElevenLabsComposer:
    """Asks for one take per job. Needs a running event loop.

    The service keeps nothing that a repeat for one job could find, so a repeat is billed again: the caller records the
    take before anything else.
    """

    name = "elevenlabs"

    def __init__(self, settings: ElevenLabs, pause_s: float = PAUSE_S) -> None:
        self._settings = settings
        self._pause_s = pause_s
        self._places = asyncio.Semaphore(settings.calls)
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        self._api = HttpApi(settings.endpoint or HOST, {"xi-api-key": key}, MAX_ANSWER_BYTES, proxies=True)

    async def check(self) -> None:
        """See whether key and plan are right, which is free. Raises Misconfigured, Unavailable.

        The model's name and what is left of the credits only show in a call that costs.
        """
        with start_faults(self._settings):
            async with asyncio.timeout(min(CHECK_S, self._settings.deadline_s)):
                account = (await self._api.get("/v1/user/subscription")).json()
            check_plan(account)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    async def compose(self, brief: Brief, wish: Wish, context: ProviderContext) -> RawTake:
        """Return a take of the length that was wished. Raises Refused, Unavailable."""
        with job_faults(context.job_id, self._settings.model):
            async with asyncio.timeout(self._settings.deadline_s) as deadline, self._places:
                answer, call = await self._answer(brief, wish, context, deadline.when() or 0.0)
        # Past the deadline's reach: an answer that was paid for is not lost to it.
        request_id = (answer.headers.get("song-id") or answer.headers.get("request-id") or "")[:128]
        await call.billed(self._bill(wish, request_id))
        content_type = kind_of(answer.body)
        if content_type is None:
            log.warning(
                "job %s: elevenlabs: %d bytes that are no audio, request id %s: see elevenlabs.model",
                context.job_id,
                len(answer.body),
                request_id or "unknown",
            )
            raise Unavailable("music.failed")
        return RawTake(audio=answer.body, content_type=content_type, model=self._settings.model)

    async def _answer(self, brief: Brief, wish: Wish, context: ProviderContext, until: float) -> tuple[Reply, PaidCall]:
        try:
            return await self._asked(music_prompt(brief, wish), wish, context, until)
        except Fault as fault:
            if not is_blocked(fault):
                raise
            log.info("job %s: elevenlabs: blocked, asking with a plainer prompt (%s)", context.job_id, fault)
        try:
            return await self._asked(short_prompt(brief, wish), wish, context, until)
        except Fault as fault:
            if not is_blocked(fault):
                raise
            log.warning("job %s: elevenlabs: blocked twice (%s), request id unknown", context.job_id, fault)
            raise Refused("music.blocked") from fault

    async def _asked(self, prompt: str, wish: Wish, context: ProviderContext, until: float) -> tuple[Reply, PaidCall]:
        """Ask until there is an answer, as often as the setting says and only where it cannot be billed twice."""
        for tried in range(1, self._settings.tries):
            try:
                return await self._paid(prompt, wish, context)
            except Fault as fault:
                wait_s = max(fault.wait_s, self._pause_s * 2 ** (tried - 1) * random.uniform(1, 1.5))
                if not may_repeat(fault) or not await pause(wait_s, until):
                    raise
        return await self._paid(prompt, wish, context)

    async def _paid(self, prompt: str, wish: Wish, context: ProviderContext) -> tuple[Reply, PaidCall]:
        """Ask once, with the call in the books from its beginning on."""
        body = {
            "prompt": _with_voice(prompt, wish),
            "music_length_ms": wish.seconds * 1000,
            "model_id": self._settings.model,
            "force_instrumental": not wish.vocals,
        }
        call = await context.begun(self._bill(wish))
        try:
            return await self._api.post("/v1/music", body), call
        except BaseException as error:
            if is_free(error):
                await call.free()
            else:
                call.lost()
            raise

    def _bill(self, wish: Wish, request_id: str = "") -> Bill:
        dollars = abilities_of(self._settings).price(wish.seconds)
        return Bill(provider="elevenlabs", model=self._settings.model, dollars=dollars, request_id=request_id)


def _with_voice(prompt: str, wish: Wish) -> str:
    if not wish.vocals:
        return prompt
    # The prompts of `brief` are for models that cannot sing.
    prompt = prompt.removeprefix("Instrumental ")
    return f"{prompt[:1].upper()}{prompt[1:]} With vocals in {LANGUAGES[wish.language]}."
