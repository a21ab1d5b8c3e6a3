"""What becomes of a request: written down, acknowledged, checked, fetched, ordered, with the first line of the queue.

Every way of asking comes through here, picture by picture; what fails with one does not touch the others. What a
process leaves undone when it dies, the next one goes on with.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import discord
from pydantic import ValidationError

from bot.discord_api.ephemeral import report_error
from bot.discord_api.errors import map_all_errors, map_discord_errors
from bot.i18n.messages import say, sentence
from bot.i18n.translator import language_of
from bot.posts.delivery import DiscordDelivery
from bot.posts.destinations import link_to
from bot.requests import attachments as pictures
from bot.requests.in_flight import RequestsInFlight
from bot.requests.request import AnswerableRequest, Request, RequestProgress
from bot.requests.responders import RESPONDERS, Responder
from melodify_core.bootstrap import Services
from melodify_core.errors import MelodifyError, Rejected, Unavailable, from_record, to_record
from melodify_core.jobs.maintenance import PeriodicTask
from melodify_core.library import ClaimedRequest
from melodify_core.models import Entry, Order
from melodify_core.services.request_journal import RENEW_S
from melodify_core.studio import Receipt

log = logging.getLogger(__name__)
# Past these, every further picture of the same message would get the same refusal.
FINAL = "limit."
MAX_DOWNLOADS = 8
# Discord waits three seconds for a sign: a database that takes longer than this is asked afterwards.
PROMPT_S = 1.0
PATIENT_WITH = {"database.unavailable", "storage.unavailable"}
# A request that has outlived so many processes may be what kills them.
MOST_TRIES = 3
# Where Discord takes no answer: for as long as an interaction's token lives.
ANSWER_PAUSES_S = (2.0, 4.0, 8.0, *(15.0,) * 58)
Result = TypeVar("Result")


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
        self._services = services
        self._settings = services.settings
        self._journal = services.journal
        self._delivery = delivery
        self._in_flight = in_flight
        # So many pictures are in memory at once, whatever number was posted.
        self._downloads = asyncio.Semaphore(MAX_DOWNLOADS)
        self._resumed: set[asyncio.Task[None]] = set()
        self._in_work: set[str] = set()

    async def take(
        self,
        interaction: discord.Interaction[Any],
        prepare: Callable[[], Awaitable[Request]],
        acknowledge: Callable[[Request | None], Awaitable[bool]],
    ) -> None:
        """Serve an interaction: written down, then acknowledged, then progress.

        `acknowledge` gets None where the database has not answered in time, and says whether there is still somebody
        to serve. What `prepare` raises but Unavailable comes through.
        """
        request_id = str(interaction.id)
        with self._in_flight.one(), self._once(request_id) as first:
            if not first:
                return
            request: Request | None = None
            try:
                async with asyncio.timeout(PROMPT_S):
                    request = await prepare()
                    if not await self._begin(request):
                        return
            except (TimeoutError, Unavailable) as error:
                log.warning("interaction %s: not written down yet: %s", interaction.id, error)
                request = None
            if not await self._acknowledged(request_id, acknowledge(request)):
                return
            try:
                if request is None:
                    request = await self.patiently(prepare)
                    await self.patiently(lambda: self._begin(request))
            except MelodifyError as error:
                log.warning("interaction %s: not taken: %s", interaction.id, error, exc_info=error.__cause__)
                await self._journal.end(request_id)
                await report_error(interaction, language_of(interaction.locale), error)
                return
            await self._serve(RequestProgress(request=request))

    async def _acknowledged(self, request_id: str, acknowledge: Awaitable[bool]) -> bool:
        """Acknowledge; where that fails there is nobody to go on for."""
        try:
            there = await acknowledge
        except Exception:  # not a cancellation: then the next process goes on, in case it came through
            await self._journal.end(request_id)
            raise
        if not there:
            await self._journal.end(request_id)
        return there

    async def take_post(self, request: Request) -> None:
        """Serve a post. Raises Unavailable where it cannot be written down, and then nothing was said."""
        with self._in_flight.one(), self._once(request.first_id) as first:
            if first and await self.patiently(lambda: self._begin(request)):
                await self._serve(RequestProgress(request=request))

    @contextmanager
    def _once(self, request_id: str) -> Iterator[bool]:
        """Say whether it is the first of this id in work: Discord may send one again."""
        first = request_id not in self._in_work
        self._in_work.add(request_id)
        try:
            yield first
        finally:
            if first:
                self._in_work.discard(request_id)

    async def patiently(self, call: Callable[[], Awaitable[Result]]) -> Result:
        """Return what the call returns; while our own parts are away, make it again for a while."""
        loop = asyncio.get_running_loop()
        end, pause_s = loop.time() + self._settings.discord.patience_s, 0.1
        while True:
            try:
                return await call()
            except Unavailable as error:
                if error.code not in PATIENT_WITH or self._in_flight.stopping or loop.time() + pause_s > end:
                    raise
                log.info("trying again in %g s: %s", pause_s, error)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, 2.0)

    def periodic_task(self) -> PeriodicTask:
        """Return what shows that this process lives, and goes on for those that do not."""
        return PeriodicTask("requests", RENEW_S, self.look_after)

    async def look_after(self) -> None:
        """Renew what is ours, and go on with what dead processes have left. Raises Unavailable."""
        await self._journal.renew()
        for claimed in () if self._in_flight.stopping else await self._journal.claim():
            task = asyncio.create_task(self._resume(claimed))
            self._resumed.add(task)
            task.add_done_callback(self._resumed.discard)

    async def _resume(self, claimed: ClaimedRequest) -> None:
        with self._in_flight.one(), self._once(claimed.request_id):
            progress = read_record(claimed)
            if progress is None:
                log.error("request %s cannot be read, and nobody can be told", claimed.request_id)
                await self._journal.end(claimed.request_id)
                return
            log.info("request %s: going on with it (try %d)", claimed.request_id, claimed.tries)
            try:
                with map_all_errors():
                    await self._serve(progress, resumed=True)
            except MelodifyError as error:  # an error of another version, say, that has no sentence here
                await self._answer(
                    self._responder(progress), progress.next, sentence(progress.request.wish.language, error)
                )
            # By the row's own name, whatever its record says.
            await self._journal.end(claimed.request_id)

    async def _begin(self, request: Request) -> bool:
        record = RequestProgress(request=request).model_dump_json()
        return await self._journal.begin(request.first_id, request.user_id, record)

    async def _noted(self, progress: RequestProgress) -> None:
        try:
            # A further picture's order has its line's id: not known to the next process, it would be a second song.
            await self.patiently(lambda: self._journal.note(progress.request.first_id, progress.model_dump_json()))
        except Unavailable as error:
            # A restart finds it by its nonce.
            log.warning("request %s: not noted how far it is: %s", progress.request.first_id, error)

    def _responder(self, progress: RequestProgress) -> Responder:
        return RESPONDERS[progress.request.way](self._client, progress, self._noted)

    async def _serve(self, progress: RequestProgress, *, resumed: bool = False) -> None:
        """Order a song of each picture, and tell the asker what came of it."""
        responder, request = self._responder(progress), progress.request
        try:
            with map_all_errors():
                await self._serve_all(responder, resumed=resumed)
        except MelodifyError as error:
            log.info("request %s: not taken: %s", request.first_id, error, exc_info=error.__cause__)
            await self._answer(responder, responder.progress.next, _last_word(responder, error))
        # A cancellation comes through: the process ends, and the next one goes on.
        await self._journal.end(request.first_id)

    async def _serve_all(self, responder: Responder, *, resumed: bool) -> None:
        request = responder.request
        if request.songs and responder.progress.next > request.songs:
            return  # the earlier process had come to the end
        if request.refused is not None:
            raise from_record(request.refused)
        with map_discord_errors():
            await responder.acknowledge()
        if not request.songs:
            raise Rejected("picture.none")
        if not resumed:
            await self._admit(request)
        elif not await self._taken(responder, responder.progress.next):
            await self._see_not_blocked(request)
            await self._admit(request)
        if request.several:
            with map_discord_errors():
                await responder.begin()
        for number in range(responder.progress.next, request.songs + 1):
            if not await self._serve_one(responder, number, resumed=resumed):
                break
            if request.several:
                await responder.written(next=number + 1)

    async def _admit(self, request: Request) -> None:
        place, roles = request.place, request.role_ids
        await self.patiently(lambda: self._services.studio.admit(request.user_id, place.guild_id, roles))

    async def _see_not_blocked(self, request: Request) -> None:
        """Raise Rejected where moderators have blocked the asker since."""
        if (guild_id := request.place.guild_id) is not None:
            settings_of = self._services.guilds.settings_of
            server = await self.patiently(lambda: asyncio.to_thread(settings_of, guild_id))
            if request.user_id in server.blocked_users:
                raise Rejected("limit.blocked")

    async def _taken(self, responder: Responder, number: int) -> bool:
        """Return whether an earlier process had handed in this very order."""
        job_id = _job_id(responder, number)
        return job_id is not None and await self.patiently(lambda: self._services.studio.is_known(job_id))

    async def _serve_one(self, responder: Responder, number: int, *, resumed: bool) -> bool:
        """Order the song of one picture; False when nothing more is to be done for the others."""
        request = responder.request
        try:
            if resumed and await self._taken(responder, number):
                return True
            return await self._order(responder, number)
        except MelodifyError as error:
            log.info("request %s: picture %d: %s", request.first_id, number, error, exc_info=error.__cause__)
            final = error.code.startswith(FINAL)
            await self._answer(responder, number, _refusal(responder, number, error, to_the_last=final))
            return not final

    async def _order(self, responder: Responder, number: int) -> bool:
        """Fetch the picture and hand the order in; False when the whole request is a repeat. Raises MelodifyError."""
        request = responder.request
        if request.parent_id is not None:
            return await self._order_again(responder, await self._entry(request.parent_id, request.user_id))
        attachment = request.pictures[number - 1]
        pictures.check(attachment, self._settings)
        if number > 1:
            await self._admit(request)
        # Before the wait for a free hand: in a rush everybody sees at once that the picture has arrived.
        with map_discord_errors():
            place = await responder.open_status(number)
        # A member's own pictures wait for each other, and hold nobody else's place.
        async with self._services.studio.picture_turn(request.user_id), self._downloads:
            self._see_open()
            picture = await pictures.download(self._client, attachment, self._settings)
            # A status message stands for one song: its id is the further songs' own, and the same for a repeat.
            job_id = request.first_id if number == 1 else str(place.status_id)
            order = Order(job_id, request.user_id, place, picture, request.wish, request.private, request.role_ids)
            receipt = await self._submit(order)
        await self._show_position(order, receipt)
        return not receipt.repeated

    async def _order_again(self, responder: Responder, entry: Entry) -> bool:
        """Hand in the order of another song of the entry's picture."""
        request, song = responder.request, entry.song
        self._see_open()
        picture = await self.patiently(lambda: self._services.songs.picture(entry))
        with map_discord_errors():
            place = await responder.open_status(1)
        order = Order(
            request.first_id,
            request.user_id,
            place,
            picture,
            request.wish,
            request.private,
            request.role_ids,
            song.brief if request.same_reading else None,
            song.job_id,
            _link_to_song(entry),
        )
        await self._show_position(order, await self._submit(order))
        return True

    async def _entry(self, job_id: str, user_id: int) -> Entry:
        return await self.patiently(lambda: self._services.songs.entry(job_id, user_id))

    async def _submit(self, order: Order) -> Receipt:
        return await self.patiently(lambda: self._services.studio.submit(order))

    async def _show_position(self, order: Order, receipt: Receipt) -> None:
        if not receipt.repeated:
            language = order.wish.language
            await self._delivery.show_position(order.job_id, order.place, language, receipt.forecast, receipt.page_id)

    def _see_open(self) -> None:
        if self._in_flight.stopping:
            raise Unavailable("discord.restarting")

    async def _answer(self, responder: Responder, number: int, text: str) -> None:
        """Answer; while Discord is away, wait for it. Where the process stops, the next one goes on."""
        for pause_s in (*ANSWER_PAUSES_S, None):
            try:
                with map_all_errors():
                    return await responder.answer(text, number)
            except MelodifyError as error:
                first_id = responder.request.first_id
                log.warning("request %s: the asker was not answered: %s", first_id, error, exc_info=error.__cause__)
                if self._in_flight.stopping and isinstance(error, Unavailable):
                    raise asyncio.CancelledError from error
                if pause_s is None or error.code != "discord.unavailable":
                    return None  # there is nobody to say it to: the log has it
            await asyncio.sleep(pause_s)
        return None


def read_record(claimed: ClaimedRequest) -> RequestProgress | None:
    """Return the request; one that cannot be read, or has been tried too often, is one to apologise for."""
    internal = to_record(Unavailable("internal"))
    try:
        progress = RequestProgress.model_validate_json(claimed.record)
    except ValidationError as error:
        log.warning("request %s cannot be read: %s", claimed.request_id, error)
    else:
        if claimed.tries <= MOST_TRIES:
            return progress
        return progress.model_copy(update={"request": progress.request.model_copy(update={"refused": internal})})
    try:
        return AnswerableRequest.model_validate_json(claimed.record).refused(internal)
    except ValidationError:
        return None


def _job_id(responder: Responder, number: int) -> str | None:
    """Return the id of the picture's job, None where it has none yet."""
    if number == 1:
        return responder.request.first_id
    line = responder.progress.lines.get(number)
    return str(line.message_id) if line else None


def _refusal(responder: Responder, number: int, error: MelodifyError, *, to_the_last: bool) -> str:
    """Return the error's sentence; of several pictures it says which are meant."""
    request = responder.request
    language, count = request.wish.language, request.songs
    text = sentence(language, error)
    if not request.several:
        return text
    if to_the_last and number < count:
        return say(language, "answer.pictures", first=number, last=count, text=text)
    return say(language, "answer.picture", number=number, text=text)


def _last_word(responder: Responder, error: MelodifyError) -> str:
    """Return why nothing more is done; of several pictures, those before have songs or answers of their own."""
    if responder.progress.next == 1:
        return sentence(responder.request.wish.language, error)
    return _refusal(responder, responder.progress.next, error, to_the_last=True)


def _link_to_song(entry: Entry) -> str:
    """Return where the song was posted, "" where it was not."""
    if not entry.message_id:
        return ""
    return link_to(entry.guild_id if not entry.private else None, entry.channel_id, entry.message_id)
