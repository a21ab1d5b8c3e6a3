"""The Composer port on the Gemini API: what is asked for, what it cost, and what is said when there is no music."""

import asyncio
from contextlib import AbstractContextManager

from pydantic import SecretStr

from melodify_core.composers.gemini.faults import Fault, error_of, is_free, may_repeat, sentence_of
from melodify_core.composers.gemini.models import longest_s, price_of_take
from melodify_core.composers.gemini.wire import GeminiModel
from melodify_core.composers.http_status import job_faults, start_faults
from melodify_core.composers.lyria_3 import spoken
from melodify_core.composers.single_take import CHECK_S, PAUSE_S, Answer, Question, SingleTakeComposer
from melodify_core.config.settings import Gemini
from melodify_core.errors import MelodifyError
from melodify_core.models import Bill, Wish
from melodify_core.ports import ProviderContext


class GeminiComposer(SingleTakeComposer[Gemini, Fault]):
    """Asks Lyria 3 or 3.5."""

    name = "gemini"
    failure = Fault

    def __init__(self, settings: Gemini, pause_s: float = PAUSE_S) -> None:
        super().__init__(settings, pause_s)
        self._model = GeminiModel(settings.model, settings.api_key or SecretStr(""), settings.endpoint)

    async def check(self) -> None:
        """See whether key, region and model are right. Raises Misconfigured, Unavailable.

        Whether the key's project pays is only seen in a call that costs.
        """
        with start_faults("Gemini API", Fault, self._explain):
            async with asyncio.timeout(min(CHECK_S, self._settings.deadline_s)):
                await self._model.look()

    async def close(self) -> None:
        """Close the connections."""
        await self._model.close()

    async def _picture(self, context: ProviderContext) -> bytes:
        await self._model.prepare()
        return (await context.picture()).jpeg if self._settings.send_picture else b""

    def _faults(self, job_id: str) -> AbstractContextManager[None]:
        return job_faults(self.name, job_id, Fault, self._explain)

    def _explain(self, fault: Fault) -> tuple[MelodifyError, str]:
        return error_of(fault), sentence_of(fault, self._settings.model)

    def _worded(self, prompt: str, wish: Wish) -> str:
        return spoken(prompt, wish, longest_s(self._settings))

    async def _ask(self, question: Question) -> Answer:
        return await self._model.ask(question.prompt, question.picture, question.job_id)

    def _repeat_after_s(self, error: Fault) -> float | None:
        return error.wait_s if may_repeat(error) else None

    def _is_free(self, error: BaseException) -> bool:
        return is_free(error)

    def _bill(self, wish: Wish, request_id: str = "") -> Bill:
        del wish
        dollars = price_of_take(self._settings)
        return Bill(provider="gemini", model=self._settings.model, dollars=dollars, request_id=request_id)
