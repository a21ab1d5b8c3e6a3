"""The Captioner port on OpenAI: one question, its bill, and the Brief of the answer.

An answer with status 200 counts as charged, and nothing is retried after one, whatever it contains.
"""

import asyncio
import logging
from functools import partial
from typing import Any

import httpx2
import openai

from melodify_core.captioners.openai.answer import Reply, reading_of, reply_of
from melodify_core.captioners.openai.checking import check_settings
from melodify_core.captioners.openai.faults import (
    Part,
    is_free,
    translated,
    unknown_part,
    wants_another_model,
    with_retries,
)
from melodify_core.captioners.openai.meanings import replaced, to_be_understood, understood
from melodify_core.captioners.openai.normalising import normalised
from melodify_core.captioners.openai.question import Question, for_chat, for_responses, question_of
from melodify_core.captioners.openai.wire import AnswerLost, client_of
from melodify_core.config.settings import OpenAI
from melodify_core.errors import MelodifyError, Misconfigured
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Bill, Brief, Picture, Wish
from melodify_core.ports import PaidCall, ProviderContext

log = logging.getLogger(__name__)
MILLION = 1_000_000
UNDERSTAND_S = 15.0  # with a worker's start
READING_TOKENS = 2000  # instructions and a small picture
# Dollars per million tokens, in and out (developers.openai.com/api/docs/models, November 2026).
FALLBACK_PRICES = {"gpt-5.6-luna": (0.20, 1.20)}


class OpenAICaptioner:
    """Reads pictures by OpenAI's Responses API, or by the chat completions of a compatible server."""

    name = "openai"

    def __init__(self, settings: OpenAI, pool: WorkerPool | None = None) -> None:
        """Open a client. Raises Misconfigured without a key, unless another server is named.

        The pool's workers compare words of other languages by their meaning; without it only the known ones count.
        """
        if settings.api_key is None and settings.base_url is None:
            raise Misconfigured(
                "openai.api_key is missing: make a key at https://platform.openai.com/api-keys and set "
                "MELODIFY_OPENAI__API_KEY or openai.api_key_file."
            )
        self._settings = settings
        self._pool = pool
        self._client = client_of(settings)
        self._calls = asyncio.Semaphore(settings.calls)
        # What a model's server did not accept is left out from then on.
        self._unknown: dict[str, frozenset[Part]] = {}
        self._last_answer = ""

    async def check(self) -> None:
        """Check key and models. Spends nothing. Raises Misconfigured and Unavailable."""
        async with translated("check", asyncio.get_running_loop().time() + self._settings.deadline_s):
            await check_settings(self._client, self._settings)

    def describe(self) -> str:
        """Return model and server, and how the last answer ended."""
        server = f" at {self._settings.base_url}" if self._settings.base_url else ""
        last = f", last answer: {self._last_answer}" if self._last_answer else ""
        return f"{self._settings.model}{server}{last}"

    async def close(self) -> None:
        """Close the client's connections."""
        await self._client.close()

    async def caption(self, picture: Picture, wish: Wish, context: ProviderContext) -> Brief:
        """Return the reading. Raises Refused and Unavailable, the latter also past the deadline in all."""
        when = asyncio.get_running_loop().time() + self._settings.deadline_s
        async with translated(context.job_id, when):
            await self._calls.acquire()
        try:
            question = await asyncio.to_thread(question_of, picture, wish, self._settings)
            async with translated(context.job_id, when):
                reply, call = await self._reply(question, context, when)
        finally:
            self._calls.release()
        # Outside the deadline, so that an answer that was paid for is not lost to it.
        await call.billed(self._bill(reply))
        self._last_answer = reply.described()
        fields, brief = await asyncio.to_thread(_read, reply, context.job_id)
        return await self._understood(fields, context.job_id) or brief

    async def _understood(self, fields: dict[str, Any], job_id: str) -> Brief | None:
        """Return the Brief with what the model's own words mean; None where they mean nothing.

        The answer is paid for: it is not lost to what happens here.
        """
        phrases = to_be_understood(fields)
        if self._pool is None or not phrases:
            return None
        try:
            meant = await self._pool.run(UNDERSTAND_S, understood, phrases)
        except MelodifyError as error:
            log.warning("job %s: openai: the words of the answer could not be compared: %s", job_id, error)
            return None
        return normalised(replaced(fields, meant)) if meant else None

    async def _reply(self, question: Question, context: ProviderContext, when: float) -> tuple[Reply, PaidCall]:
        """Ask the model, then once the fallback model where that may help."""
        model, fallback = self._settings.model, self._settings.fallback_model
        try:
            return await with_retries(partial(self._paid, question, model, context), self._settings.tries, when)
        except openai.APIError as error:
            if not fallback or fallback == model or not wants_another_model(error):
                raise
            log.warning("job %s: openai: %s did not answer, asking %s instead", context.job_id, model, fallback)
            first = error
        try:
            return await self._paid(question, fallback, context)
        except openai.NotFoundError as error:
            # A missing fallback model says less than the first error.
            raise first from error

    async def _paid(self, question: Question, model: str, context: ProviderContext) -> tuple[Reply, PaidCall]:
        """Ask once, with the call booked before it begins."""
        price = price_of_reading(self._settings, model)
        call = await context.begun(Bill(provider=self.name, model=model, dollars=price))
        try:
            return await self._ask(question, model, context), call
        except BaseException as error:
            if is_free(error):
                await call.free()
            else:
                call.lost()
            raise

    async def _ask(self, question: Question, model: str, context: ProviderContext) -> Reply:
        """Ask once. An answer that broke off is a reply without a body: it was charged."""
        try:
            return await self._ask_known(question, model, context)
        except AnswerLost:
            return Reply(model, None, "")
        except openai.APIConnectionError as error:
            if isinstance(error.__cause__, httpx2.DecodingError):
                return Reply(model, None, "")
            raise

    async def _ask_known(self, question: Question, model: str, context: ProviderContext) -> Reply:
        """Ask, and again without what the server turns out not to know."""
        left_out = self._unknown.get(model, frozenset())
        while True:
            try:
                reply = await self._ask_without(left_out, question, model, context.asker)
            except openai.APIStatusError as error:
                part = unknown_part(error, self._parts() - left_out)
                if part is None:
                    raise
                log.warning("job %s: openai: %s refused, asking without %s", context.job_id, model, part)
                left_out |= {part}
            else:
                # Only now: a request may have been refused for another reason.
                self._unknown[model] = left_out
                return reply

    def _parts(self) -> frozenset[Part]:
        """Return what a request has that a server may not know."""
        parts: tuple[tuple[Part, bool], ...] = (
            ("effort", bool(self._settings.effort)),
            ("response_format", self._settings.api == "chat"),
        )
        return frozenset(part for part, sent in parts if sent)

    async def _ask_without(self, left_out: frozenset[Part], question: Question, model: str, asker: str) -> Reply:
        chats = self._settings.api == "chat"
        api = self._client.chat.completions if chats else self._client.responses
        arguments = (for_chat if chats else for_responses)(question, model, self._settings, asker, left_out)
        answer = await api.with_raw_response.create(**arguments)
        return reply_of(model, answer.content, answer.headers.get("x-request-id"))

    def _bill(self, reply: Reply) -> Bill:
        input_tokens, output_tokens = reply.tokens()
        # An answer without usage, because it was cut off for example, may have cost all that was expected.
        dollars = price_of_reading(self._settings, reply.model)
        if input_tokens or output_tokens:
            dollars = _price(self._settings, reply.model, input_tokens, output_tokens)
        return Bill(
            provider=self.name,
            model=reply.model,
            dollars=dollars,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            request_id=reply.request_id,
        )


def price_of_reading(settings: OpenAI, model: str | None = None) -> float:
    """Return the most dollars that a reading by the model costs, except for a very large picture."""
    return _price(settings, model or settings.model, READING_TOKENS, settings.max_output_tokens)


def _price(settings: OpenAI, model: str, input_tokens: int, output_tokens: int) -> float:
    per_input, per_output = _prices(settings, model)
    return (input_tokens * per_input + output_tokens * per_output) / MILLION


def _prices(settings: OpenAI, model: str) -> tuple[float, float]:
    """Return the dollars per million tokens, in and out."""
    own = settings.dollars_per_million_input, settings.dollars_per_million_output
    if model == settings.model:
        return own
    listed = FALLBACK_PRICES.get(model, own)
    set_here = settings.fallback_dollars_per_million_input, settings.fallback_dollars_per_million_output
    return listed[0] if set_here[0] is None else set_here[0], listed[1] if set_here[1] is None else set_here[1]


def _read(reply: Reply, job_id: str) -> tuple[dict[str, Any], Brief]:
    described = reply.described()
    try:
        fields = reading_of(reply)
        brief = normalised(fields)
    except MelodifyError as error:
        details = error, described, reply.request_id
        log.warning("job %s: openai: unusable answer, giving up: %s (%s), request id %s", job_id, *details)
        raise
    log.info("job %s: openai: %s answered with %s", job_id, reply.model, described)
    return fields, brief
