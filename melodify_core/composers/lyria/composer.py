"""The Composer port on Lyria: what is asked for, what it cost, and what is said when there is no music."""

import asyncio
import logging

from melodify_core.brief import MOST_SECONDS, NEGATIVE_PROMPT, music_prompt, short_prompt
from melodify_core.composers.lyria.answer import Answer, Blocked, LyriaModel, Question, is_free
from melodify_core.composers.lyria.tries import asked
from melodify_core.composers.lyria_3 import kind_of, spoken
from melodify_core.config.settings import Lyria, Vertex
from melodify_core.errors import Refused, Unavailable
from melodify_core.google import WORDS, google_errors, start_errors, vertex_service
from melodify_core.models import Bill, Brief, RawTake, Wish
from melodify_core.ports import PaidCall, ProviderContext

log = logging.getLogger(__name__)

LYRIA_2 = "lyria-002"
# cloud.google.com/vertex-ai/generative-ai/pricing
# An unknown model is asked like those of Lyria 3.
LIST_DOLLARS = {LYRIA_2: 0.06, "lyria-3-clip-preview": 0.04, "lyria-3-pro-preview": 0.08}
LONGEST_S = {"lyria-3-clip-preview": 30, "lyria-3-pro-preview": 184}
CHECK_S = 30.0
PAUSE_S = 1.0


class LyriaComposer:
    """Asks Lyria for one take per job. Needs a running event loop.

    The model keeps nothing that a repeat for one job could find, so a repeat is billed again: the caller records
    the take before anything else.
    """

    name = "lyria"

    def __init__(self, settings: Lyria, vertex: Vertex, pause_s: float = PAUSE_S) -> None:
        self._settings = settings
        self._pause_s = pause_s
        self._places = asyncio.Semaphore(settings.calls)
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

    async def compose(self, brief: Brief, wish: Wish, context: ProviderContext) -> RawTake:
        """Return the model's take, about as long as it makes them. Raises Refused, Unavailable."""
        with google_errors("lyria", context.job_id):
            async with asyncio.timeout(self._settings.deadline_s) as deadline, self._places:
                answer, call = await self._answer(brief, wish, context, deadline.when() or 0.0)
        # Past the deadline's reach: an answer that was paid for is not lost to it.
        await call.billed(self._bill(answer.request_id))
        content_type = kind_of(answer.audio)
        if content_type is None:
            log.warning(
                "job %s: lyria: %d bytes that are no audio, request id %s",
                context.job_id,
                len(answer.audio),
                answer.request_id or "unknown",
            )
            raise Unavailable("music.failed")
        return RawTake(audio=answer.audio, content_type=content_type, model=self._settings.model)

    async def _answer(
        self, brief: Brief, wish: Wish, context: ProviderContext, until: float
    ) -> tuple[Answer, PaidCall]:
        picture = (await context.picture()).jpeg if self._shows_picture else b""
        try:
            return await self._asked(music_prompt(brief, wish), wish, context, picture, until)
        except Blocked as error:
            log.info("job %s: lyria: blocked, asking with a plainer prompt (%s)", context.job_id, _reason(error))
        try:
            # Without the picture: it may be what gave offence.
            return await self._asked(short_prompt(brief, wish), wish, context, b"", until)
        except Blocked as error:
            log.warning("job %s: lyria: blocked twice (%s), request id unknown", context.job_id, _reason(error))
            raise Refused("music.blocked") from error

    async def _asked(
        self, prompt: str, wish: Wish, context: ProviderContext, picture: bytes, until: float
    ) -> tuple[Answer, PaidCall]:
        if self._settings.model != LYRIA_2:
            prompt = spoken(prompt, wish, longest_s(self._settings))
        question = Question(prompt, NEGATIVE_PROMPT, context.seed, picture, context.job_id)
        return await asked(lambda: self._paid(question, context), self._settings.tries, self._pause_s, until)

    async def _paid(self, question: Question, context: ProviderContext) -> tuple[Answer, PaidCall]:
        """Ask once, with the call in the books from its beginning on."""
        call = await context.begun(self._bill())
        try:
            return await self._model.ask(question), call
        except BaseException as error:
            if is_free(error):
                await call.free()
            else:
                call.lost()
            raise

    @property
    def _shows_picture(self) -> bool:
        return self._settings.send_picture and self._settings.model != LYRIA_2

    def _bill(self, request_id: str = "") -> Bill:
        return Bill(
            provider="vertex",
            model=self._settings.model,
            dollars=price_of_take(self._settings),
            request_id=request_id,
        )


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


def _reason(error: Blocked) -> str:
    return " ".join(str(error).split())[:WORDS] or "no reason given"
