"""What becomes of an ask: checks that cost nothing, the download, the order, the first line of the queue.

Every way of asking comes through here, picture by picture; what fails with one does not touch the others.
"""

import asyncio
import logging
from collections.abc import Callable

from bot import pictures
from bot.asks import Ask
from bot.delivery import DiscordDelivery
from bot.faults import discord_errors
from bot.messages import say, sentence
from bot.serving import Serving
from melodify_core.errors import MelodifyError, Rejected, Unavailable
from melodify_core.models import Order
from melodify_core.studio import Studio

log = logging.getLogger(__name__)
# Past these, every further picture of the same message would get the same refusal.
FINAL = "limit."
HANDS = 8


class Intake:
    """Takes asks until it is told to stop."""

    def __init__(self, studio: Studio, delivery: DiscordDelivery, serving: Serving) -> None:
        self._studio = studio
        self._settings = studio.settings
        self._delivery = delivery
        self._serving = serving
        # So many pictures are in memory at once, whatever number was posted.
        self._hands = asyncio.Semaphore(HANDS)

    async def serve(self, ask: Ask, check: Callable[[], None]) -> None:
        """Order a song of each picture, and tell the asker what came of it. `check` raises what speaks against all."""
        try:
            check()
            with discord_errors():
                await ask.acknowledge()
            await self._prepare(ask)
            for number in range(1, len(ask.request.pictures) + 1):
                if not await self._serve_one(ask, number):
                    break
        except MelodifyError as error:
            log.info("request %s: not taken: %s", ask.request.first_id, error, exc_info=error.__cause__)
            await _answer(ask, 1, sentence(ask.request.wish.language, error))

    async def _prepare(self, ask: Ask) -> None:
        """See that there is a song to be had at all before anything is said or fetched."""
        request = ask.request
        if not request.pictures:
            raise Rejected("picture.none")
        await self._studio.admit(request.user_id, request.place.guild_id, request.role_ids)
        if request.several:
            with discord_errors():
                await ask.begin()

    async def _serve_one(self, ask: Ask, number: int) -> bool:
        """Order the song of one picture; False when nothing more is to be done for the others."""
        request = ask.request
        try:
            return await self._order(ask, number)
        except MelodifyError as error:
            log.info("request %s: picture %d: %s", request.first_id, number, error, exc_info=error.__cause__)
            final = error.code.startswith(FINAL)
            await _answer(ask, number, _refusal(ask, number, error, to_the_last=final))
            return not final

    async def _order(self, ask: Ask, number: int) -> bool:
        """Fetch the picture and hand the order in; False when the whole ask is a repeat. Raises MelodifyError."""
        request = ask.request
        attachment = request.pictures[number - 1]
        pictures.check(attachment, self._settings)
        if number > 1:
            await self._studio.admit(request.user_id, request.place.guild_id, request.role_ids)
        # Before the wait for a free hand: in a rush everybody sees at once that the picture has arrived.
        with discord_errors():
            place = await ask.open_status(number)
        async with self._hands:
            if self._serving.stopping:
                raise Unavailable("discord.restarting")
            picture = await pictures.download(attachment, self._settings)
            # A status message stands for one song: its id is the further songs' own, and the same for a repeat.
            job_id = request.first_id if number == 1 else str(place.status_id)
            order = Order(job_id, request.user_id, place, picture, request.wish, request.private, request.role_ids)
            receipt = await self._studio.submit(order)
        if receipt.repeated:
            return False
        await self._delivery.show_position(job_id, place, request.wish.language, receipt.forecast, receipt.page_id)
        return True


def _refusal(ask: Ask, number: int, error: MelodifyError, *, to_the_last: bool) -> str:
    """Return the error's sentence; of several pictures it says which are meant."""
    request = ask.request
    language, count = request.wish.language, len(request.pictures)
    text = sentence(language, error)
    if not request.several:
        return text
    if to_the_last and number < count:
        return say(language, "answer.pictures", first=number, last=count, text=text)
    return say(language, "answer.picture", number=number, text=text)


async def _answer(ask: Ask, number: int, text: str) -> None:
    try:
        with discord_errors():
            await ask.answer(text, number)
    except MelodifyError as error:
        log.warning("request %s: the asker was not answered: %s", ask.request.first_id, error, exc_info=error.__cause__)
