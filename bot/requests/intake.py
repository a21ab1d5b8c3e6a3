"""Takes requests: records each one, acknowledges it, and has it fulfilled. After a crash, the next process continues.

All ways of asking lead here. How a request becomes orders is in fulfilment.py.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import discord
from pydantic import ValidationError

from bot.discord_api.ephemeral import report_error
from bot.discord_api.errors import map_all_errors
from bot.i18n.messages import sentence
from bot.posts.delivery import DiscordDelivery
from bot.requests.fulfilment import Fulfilment
from bot.requests.in_flight import RequestsInFlight
from bot.requests.request import AnswerableRequest, Request, RequestProgress
from bot.requests.responder import Responder
from bot.requests.responders import RESPONDERS
from melodify_core.bootstrap import Services
from melodify_core.errors import MelodifyError, Unavailable, to_record
from melodify_core.jobs.maintenance import PeriodicTask
from melodify_core.library import ClaimedRequest
from melodify_core.services.request_journal import RENEW_S

log = logging.getLogger(__name__)
# Discord waits three seconds for the acknowledgement: if recording takes longer than this, acknowledge first.
RECORD_WITHIN_S = 1.0
# A request that was interrupted this often may itself crash the process.
MAX_TRIES = 3


class Intake:
    """Takes requests until the bot stops."""

    def __init__(
        self,
        client: discord.Client,
        services: Services,
        delivery: DiscordDelivery,
        in_flight: RequestsInFlight,
    ) -> None:
        self._client = client
        self._journal = services.journal
        self._in_flight = in_flight
        self._fulfilment = Fulfilment(client, services, delivery, in_flight)
        self._resumed: set[asyncio.Task[None]] = set()
        self._active_ids: set[str] = set()

    async def take(
        self,
        interaction: discord.Interaction[Any],
        prepare: Callable[[], Awaitable[Request]],
        acknowledge: Callable[[Request | None], Awaitable[bool]],
    ) -> None:
        """Serve an interaction: record it, acknowledge it, fulfil it.

        `acknowledge` gets None when the database has not answered in time, and returns whether the interaction can
        still be answered. An error of `prepare` other than Unavailable is raised before the acknowledgement, and
        reported to the asker after it.
        """
        request_id = str(interaction.id)
        with self._in_flight.counted(), self._once(request_id) as first:
            if not first:
                return
            request: Request | None = None
            try:
                async with asyncio.timeout(RECORD_WITHIN_S):
                    request = await prepare()
                    if not await self._begin(request):
                        return
            except (TimeoutError, Unavailable) as error:
                log.warning("interaction %s: not recorded yet, acknowledging it first: %s", interaction.id, error)
                request = None
            if not await self._acknowledge(request_id, acknowledge(request)):
                return
            try:
                if request is None:
                    request = await self._in_flight.with_retry(prepare)
                    if not await self._in_flight.with_retry(lambda: self._begin(request)):
                        return
            except MelodifyError as error:
                log.warning("interaction %s: refused: %s", interaction.id, error, exc_info=error.__cause__)
                await self._journal.end(request_id)
                await report_error(interaction, error)
                return
            await self._serve(RequestProgress(request=request))

    async def _acknowledge(self, request_id: str, acknowledgement: Awaitable[bool]) -> bool:
        """Acknowledge the interaction; if that fails, delete its record, because it cannot be answered."""
        try:
            answerable = await acknowledgement
        except Exception:  # after a cancellation, keep the record: the next process continues
            await self._journal.end(request_id)
            raise
        if not answerable:
            await self._journal.end(request_id)
        return answerable

    async def take_post(self, request: Request) -> None:
        """Serve a post. Raises Unavailable, before anything is answered, when it cannot be recorded."""
        with self._in_flight.counted(), self._once(request.first_id) as first:
            if first and await self._in_flight.with_retry(lambda: self._begin(request)):
                await self._serve(RequestProgress(request=request))

    @contextmanager
    def _once(self, request_id: str) -> Iterator[bool]:
        """Yield whether the request is not being served yet: Discord may send one twice."""
        first = request_id not in self._active_ids
        self._active_ids.add(request_id)
        try:
            yield first
        finally:
            if first:
                self._active_ids.discard(request_id)

    async def _begin(self, request: Request) -> bool:
        """Record the request; return False when another process serves it."""
        record = RequestProgress(request=request).model_dump_json()
        return await self._journal.begin(request.first_id, request.user_id, record)

    async def _serve(self, progress: RequestProgress, *, resumed: bool = False) -> None:
        await self._fulfilment.fulfil(self._responder(progress), resumed=resumed)
        # A cancellation skips this: the process ends, and the next one continues.
        await self._journal.end(progress.request.first_id)

    def _responder(self, progress: RequestProgress) -> Responder:
        return RESPONDERS[progress.request.way](self._client, progress, self._save)

    async def _save(self, progress: RequestProgress) -> None:
        request_id, record = progress.request.first_id, progress.model_dump_json()
        try:
            # The order of a further picture has the id of its status message: without the record, the next process
            # would post another message and order a second song.
            await self._in_flight.with_retry(lambda: self._journal.note(request_id, record))
        except Unavailable as error:
            # After a restart, the message is found by its nonce.
            log.warning("request %s: its progress is not recorded, it is served all the same: %s", request_id, error)

    def periodic_task(self) -> PeriodicTask:
        """Return the task that runs `renew_and_resume`."""
        return PeriodicTask("requests", RENEW_S, self.renew_and_resume)

    async def renew_and_resume(self) -> None:
        """Renew the lease on the requests of this process, and continue those of dead processes. Raises Unavailable."""
        await self._journal.renew()
        for claimed in () if self._in_flight.stopping else await self._journal.claim():
            task = asyncio.create_task(self._resume(claimed))
            self._resumed.add(task)
            task.add_done_callback(self._resumed.discard)

    async def _resume(self, claimed: ClaimedRequest) -> None:
        with self._in_flight.counted(), self._once(claimed.request_id):
            progress = read_record(claimed)
            if progress is None:
                log.error("request %s cannot be read, and nobody can be told: it is deleted", claimed.request_id)
                await self._journal.end(claimed.request_id)
                return
            log.info("request %s: continuing it (try %d)", claimed.request_id, claimed.tries)
            try:
                with map_all_errors():
                    await self._serve(progress, resumed=True)
            except MelodifyError as error:  # for example one of another version, which has no sentence here
                text = sentence(progress.request.answer_language, error)
                await self._fulfilment.answer(self._responder(progress), progress.next, text)
            # Use the row's id: the record may contain another one.
            await self._journal.end(claimed.request_id)


def read_record(claimed: ClaimedRequest) -> RequestProgress | None:
    """Return the request, refused if it cannot be read or was tried too often; None if its asker is unknown."""
    internal = to_record(Unavailable("internal"))
    try:
        progress = RequestProgress.model_validate_json(claimed.record)
    except ValidationError as error:
        log.warning("request %s cannot be read, its asker gets an apology: %s", claimed.request_id, error)
    else:
        if claimed.tries <= MAX_TRIES:
            return progress
        return progress.model_copy(update={"request": progress.request.model_copy(update={"refused": internal})})
    try:
        return AnswerableRequest.model_validate_json(claimed.record).refused(internal)
    except ValidationError:
        return None
