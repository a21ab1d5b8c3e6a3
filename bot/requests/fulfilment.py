"""Turns a request into orders, picture by picture: checks the limits, downloads, submits, and answers the asker.

An error with one picture does not affect the others. responders.py decides where the answers are posted.
"""

import asyncio
import logging
from dataclasses import replace

import discord

from bot.discord_api.errors import map_all_errors, map_discord_errors
from bot.i18n.messages import say, sentence
from bot.posts.delivery import DiscordDelivery
from bot.posts.destinations import link_to
from bot.requests import attachments
from bot.requests.in_flight import RequestsInFlight
from bot.requests.request import Request
from bot.requests.responder import Responder
from melodify_core.bootstrap import Services
from melodify_core.errors import MelodifyError, Rejected, Unavailable, from_record
from melodify_core.models import Entry, GuildSettings, Order

log = logging.getLogger(__name__)
# The prefix of the codes after which every further picture of the same message would be refused too.
LIMIT_CODES = "limit."
MAX_DOWNLOADS = 8
# The pauses between tries to answer while Discord is unavailable: as long in all as an interaction's token is valid.
ANSWER_PAUSES_S = (2.0, 4.0, 8.0, *(15.0,) * 58)


class Fulfilment:
    """Fulfils requests. The intake records them."""

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
        self._delivery = delivery
        self._in_flight = in_flight
        # Limits how many pictures are in memory at once.
        self._downloads = asyncio.Semaphore(MAX_DOWNLOADS)

    async def fulfil(self, responder: Responder, *, resumed: bool) -> None:
        """Order a song for each picture, and answer the asker. `resumed` means that an earlier process has begun."""
        try:
            with map_all_errors():
                await self._fulfil(responder, resumed=resumed)
        except MelodifyError as error:
            number, request = responder.progress.next, responder.request
            log.info("request %s: refused: %s", request.first_id, error, exc_info=error.__cause__)
            text = sentence(request.answer_language, error)
            # The error refuses only the remaining pictures: those before have songs or answers of their own.
            await self.answer(responder, number, text if number == 1 else _refusal(responder, number, error))

    async def _fulfil(self, responder: Responder, *, resumed: bool) -> None:
        request = responder.request
        if request.songs and responder.progress.next > request.songs:
            return  # the earlier process had finished
        if request.refused is not None:
            raise from_record(request.refused)
        with map_discord_errors():
            await responder.acknowledge()
        if not request.songs:
            raise Rejected("picture.none")
        if not resumed:
            await self._admit(request)
        elif not await self._is_submitted(responder, responder.progress.next):
            await self._check_not_blocked(request)
            await self._admit(request)
        if request.several:
            with map_discord_errors():
                await responder.start_thread()
        for number in range(responder.progress.next, request.songs + 1):
            if not await self._order_one(responder, number, resumed=resumed):
                break
            if request.several:
                await responder.save(next=number + 1)

    async def _admit(self, request: Request) -> None:
        guild_id, roles = request.place.guild_id, request.role_ids
        await self._in_flight.with_retry(lambda: self._services.studio.admit(request.user_id, guild_id, roles))

    async def _check_not_blocked(self, request: Request) -> None:
        """Raise Rejected if moderators have blocked the asker in the meantime."""
        guild_id = request.place.guild_id
        if guild_id is not None and request.user_id in (await self._settings_of(guild_id)).blocked_users:
            raise Rejected("limit.blocked")

    async def _is_submitted(self, responder: Responder, number: int) -> bool:
        """Return whether an earlier process has submitted the order of this picture."""
        if number == 1:
            job_id = responder.request.first_id
        elif line := responder.progress.lines.get(number):
            job_id = str(line.message_id)
        else:
            return False
        return await self._in_flight.with_retry(lambda: self._services.studio.is_known(job_id))

    async def _order_one(self, responder: Responder, number: int, *, resumed: bool) -> bool:
        """Order the song of one picture, or answer why not; return False when the others must not be ordered."""
        request = responder.request
        try:
            if resumed and await self._is_submitted(responder, number):
                return True
            if request.parent_id is not None:
                return await self._order_retake(responder, request.parent_id)
            return await self._order_picture(responder, number)
        except MelodifyError as error:
            log.info("request %s: picture %d: refused: %s", request.first_id, number, error, exc_info=error.__cause__)
            final = error.code.startswith(LIMIT_CODES)
            await self.answer(responder, number, _refusal(responder, number, error, for_rest=final))
            return not final

    async def _order_picture(self, responder: Responder, number: int) -> bool:
        """Download the picture and submit the order; return False for a repeated request. Raises MelodifyError."""
        request = responder.request
        picture = request.pictures[number - 1]
        attachments.check(picture, self._settings)
        if number > 1:
            await self._admit(request)
        # Post it before the wait for a download: under load, every asker sees at once that the picture has arrived.
        with map_discord_errors():
            place = await responder.open_status(number)
        # A member's own pictures wait for each other, and hold nobody else's place.
        async with self._services.studio.picture_turn(request.user_id), self._downloads:
            self._check_not_stopping()
            data = await attachments.download(self._client, picture, self._settings)
            # The job's id must be unique, and the same if the request is repeated: the first job has the request's id,
            # each further one that of its status message.
            job_id = request.first_id if number == 1 else str(place.status_id)
            order = Order(
                job_id,
                request.user_id,
                place,
                data,
                request.wish,
                request.private,
                request.role_ids,
                spoiler=picture.spoiler,
            )
            return await self._submit(await self._with_choices(order))

    async def _order_retake(self, responder: Responder, parent_id: str) -> bool:
        """Submit the order of another song of an earlier song's picture. Raises MelodifyError."""
        request, songs = responder.request, self._services.songs
        entry = await self._in_flight.with_retry(lambda: songs.entry(parent_id, request.user_id))
        self._check_not_stopping()
        picture = await self._in_flight.with_retry(lambda: songs.picture(entry))
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
            entry.song.brief if request.same_reading else None,
            entry.song.job_id,
            _link_to_song(entry),
            entry.song.spoiler,
            entry.song.wish,
        )
        await self._submit(await self._with_choices(order))
        return True

    async def _with_choices(self, order: Order) -> Order:
        """Return the order with what its member and the server's moderators have chosen."""
        member = await self._in_flight.with_retry(lambda: self._services.members.settings_of(order.user_id))
        notifies = bool(member.notify)
        if member.notify is None and (guild_id := order.place.guild_id) is not None:
            notifies = (await self._settings_of(guild_id)).notify
        return replace(order, named=member.named, notifies=notifies)

    async def _settings_of(self, guild_id: int) -> GuildSettings:
        settings_of = self._services.guilds.settings_of
        return await self._in_flight.with_retry(lambda: asyncio.to_thread(settings_of, guild_id))

    def _check_not_stopping(self) -> None:
        if self._in_flight.stopping:
            raise Unavailable("discord.restarting")

    async def _submit(self, order: Order) -> bool:
        """Submit the order and show its position in the queue; return False for a repeat."""
        receipt = await self._in_flight.with_retry(lambda: self._services.studio.submit(order))
        if receipt.repeated:
            return False
        language = order.wish.language
        await self._delivery.show_position(order.job_id, order.place, language, receipt.forecast, receipt.page_id)
        return True

    async def answer(self, responder: Responder, number: int, text: str) -> None:
        """Answer the asker; while Discord is unavailable, retry. If the process stops, the next one continues."""
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
                    return None  # the answer can no longer arrive; the log has it
            await asyncio.sleep(pause_s)
        return None


def _refusal(responder: Responder, number: int, error: MelodifyError, *, for_rest: bool = True) -> str:
    """Return the error's sentence. Of several pictures, it names the one or the range that it is about."""
    request = responder.request
    language, count = request.answer_language, request.songs
    text = sentence(language, error)
    if not request.several:
        return text
    if for_rest and number < count:
        return say(language, "answer.pictures", first=number, last=count, text=text)
    return say(language, "answer.picture", number=number, text=text)


def _link_to_song(entry: Entry) -> str:
    """Return the link to the song's message, "" where it was not posted."""
    if not entry.message_id:
        return ""
    return link_to(entry.guild_id if not entry.private else None, entry.channel_id, entry.message_id)
