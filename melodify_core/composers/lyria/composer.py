"""The Composer port on Lyria: what is asked for, what it cost, and what is said when there is no music."""

import asyncio
from contextlib import AbstractContextManager

from google.api_core import exceptions as api

from melodify_core.brief import MOST_SECONDS
from melodify_core.composers.lyria.answer import LyriaModel, NotBilled, is_free
from melodify_core.composers.lyria_3 import spoken
from melodify_core.composers.single_take import CHECK_S, PAUSE_S, Answer, Question, SingleTakeComposer
from melodify_core.config.settings import Lyria, Vertex
from melodify_core.google import error_of, google_errors, start_errors, vertex_service, wait_asked_s
from melodify_core.models import Bill, Wish
from melodify_core.ports import ProviderContext

LYRIA_2 = "lyria-002"
# cloud.google.com/vertex-ai/generative-ai/pricing
# An unknown model is asked like those of Lyria 3.
LIST_DOLLARS = {LYRIA_2: 0.06, "lyria-3-clip-preview": 0.04, "lyria-3-pro-preview": 0.08}
LONGEST_S = {"lyria-3-clip-preview": 30, "lyria-3-pro-preview": 184}


class LyriaComposer(SingleTakeComposer[Lyria, api.GoogleAPICallError]):
    """Asks Lyria 2 or 3."""

    name = "lyria"
    failure = api.GoogleAPICallError

    def __init__(self, settings: Lyria, vertex: Vertex, pause_s: float = PAUSE_S) -> None:
        super().__init__(settings, pause_s)
        self._model = _model(settings.model, vertex)
        location = "" if settings.model == LYRIA_2 else "global"
        self._service = vertex_service(vertex, location, settings.model, "lyria.model")

    async def check(self) -> None:
        """See whether key, permission, API, project, region and model are right. Raises Misconfigured, Unavailable."""
        with start_errors(self._service):
            async with asyncio.timeout(min(CHECK_S, self._settings.deadline_s)):
                await self._model.look()

    async def close(self) -> None:
        """Close the connections."""
        await self._model.close()

    async def _picture(self, context: ProviderContext) -> bytes:
        shows_picture = self._settings.send_picture and self._settings.model != LYRIA_2
        return (await context.picture()).jpeg if shows_picture else b""

    def _faults(self, job_id: str) -> AbstractContextManager[None]:
        return google_errors(self.name, job_id)

    def _worded(self, prompt: str, wish: Wish) -> str:
        return prompt if self._settings.model == LYRIA_2 else spoken(prompt, wish, longest_s(self._settings))

    async def _ask(self, question: Question) -> Answer:
        return await self._model.ask(question)

    def _repeat_after_s(self, error: api.GoogleAPICallError) -> float | None:
        """Return the wait after a full house (429, unless the day's quota is gone) and a service that is away (503).

        Not repeated are a deadline, a connection lost during the call and a fault inside the service (500): there may
        be music by then, and a bill.
        """
        repeated = "provider.unavailable" if isinstance(error, NotBilled) else "provider.busy"
        return wait_asked_s(error) if error_of(error).code == repeated else None

    def _is_free(self, error: BaseException) -> bool:
        return is_free(error)

    def _bill(self, wish: Wish, request_id: str = "") -> Bill:
        del wish
        dollars = price_of_take(self._settings)
        return Bill(provider="vertex", model=self._settings.model, dollars=dollars, request_id=request_id)


def price_of_take(settings: Lyria) -> float:
    """Return what a take costs, in dollars: what is set, else the list price; 0 where neither is known."""
    return LIST_DOLLARS.get(settings.model, 0.0) if settings.dollars_per_take is None else settings.dollars_per_take


def longest_s(settings: Lyria) -> int:
    """Return how many seconds a prompt may ask for."""
    return LONGEST_S.get(settings.model, MOST_SECONDS)


def missing_price(settings: Lyria) -> str:
    """Return the sentence for a model whose price nobody has told; empty where it is known."""
    if settings.dollars_per_take is not None or settings.model in LIST_DOLLARS:
        return ""
    return (
        f'lyria.dollars_per_take is missing: what a song of "{settings.model}" costs is not known here. Set it, from '
        f"https://cloud.google.com/vertex-ai/generative-ai/pricing, or set lyria.model to {' or '.join(LIST_DOLLARS)}."
    )


def _model(model: str, vertex: Vertex) -> LyriaModel:
    # Each brings an SDK of its own, of more than a second and 50 MB: only the chosen one is imported.
    if model == LYRIA_2:
        from melodify_core.composers.lyria.predict import PredictModel

        return PredictModel(model, vertex)
    from melodify_core.composers.lyria.interactions import InteractionsModel

    return InteractionsModel(model, vertex)
