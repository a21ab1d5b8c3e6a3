"""The Composer port on ElevenLabs' Music API: what is asked for, what it cost, and what is said without music."""

import asyncio
import logging
from contextlib import AbstractContextManager

from melodify_core.composers.elevenlabs import faults
from melodify_core.composers.elevenlabs.abilities import abilities_of
from melodify_core.composers.http import Fault, HttpApi
from melodify_core.composers.http_status import is_free, job_faults, start_faults
from melodify_core.composers.lyria_3 import with_voice
from melodify_core.composers.single_take import CHECK_S, PAUSE_S, Answer, Blocked, Question, SingleTakeComposer
from melodify_core.config.settings import ElevenLabs
from melodify_core.errors import MelodifyError
from melodify_core.models import Bill, Wish

log = logging.getLogger(__name__)

HOST = "https://api.elevenlabs.io"
MAX_ANSWER_BYTES = 32 * 1024 * 1024  # two minutes of MP3 at 320 kbit/s are 5 MB


class ElevenLabsComposer(SingleTakeComposer[ElevenLabs, Fault]):
    """Asks ElevenLabs' music model."""

    name = "elevenlabs"
    failure = Fault

    def __init__(self, settings: ElevenLabs, pause_s: float = PAUSE_S) -> None:
        super().__init__(settings, pause_s)
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        self._api = HttpApi(settings.endpoint or HOST, {"xi-api-key": key}, MAX_ANSWER_BYTES, proxies=True)

    async def check(self) -> None:
        """See whether key and plan are right, which is free. Raises Misconfigured, Unavailable.

        The model's name and what is left of the credits only show in a call that costs.
        """
        with start_faults("ElevenLabs", Fault, self._explain):
            try:
                async with asyncio.timeout(min(CHECK_S, self._settings.deadline_s)):
                    account = (await self._api.get("/v1/user/subscription")).json()
            except Fault as fault:
                if faults.code_of(fault) != "missing_permissions":
                    raise
                log.info(
                    "check: ElevenLabs: the key may not read the account; whether it may make music shows in a song"
                )
                return
            faults.check_plan(account)

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()

    def _faults(self, job_id: str) -> AbstractContextManager[None]:
        return job_faults(self.name, job_id, Fault, self._explain)

    def _explain(self, fault: Fault) -> tuple[MelodifyError, str]:
        return faults.error_of(fault), faults.sentence_of(fault, self._settings.model)

    def _worded(self, prompt: str, wish: Wish) -> str:
        return with_voice(prompt, wish)

    async def _ask(self, question: Question) -> Answer:
        body = {
            "prompt": question.prompt,
            "music_length_ms": question.wish.seconds * 1000,
            "model_id": self._settings.model,
            "force_instrumental": not question.wish.vocals,
        }
        try:
            reply = await self._api.post("/v1/music", body)
        except Fault as fault:
            if faults.is_blocked(fault):
                raise Blocked(str(fault)) from fault
            raise
        return Answer(reply.body, (reply.headers.get("song-id") or reply.headers.get("request-id") or "")[:128])

    def _repeat_after_s(self, error: Fault) -> float | None:
        return error.wait_s if faults.may_repeat(error) else None

    def _is_free(self, error: BaseException) -> bool:
        return isinstance(error, Blocked) or is_free(error)

    def _bill(self, wish: Wish, request_id: str = "") -> Bill:
        dollars = abilities_of(self._settings).price(wish.seconds)
        return Bill(provider="elevenlabs", model=self._settings.model, dollars=dollars, request_id=request_id)
