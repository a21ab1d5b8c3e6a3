"""The Discord client: what it receives and keeps in memory, what it registers, in which order it opens and closes.

The cogs of requests, members and admin handle its events.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from functools import partial
from typing import Any, Protocol

import discord
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.admin.cog import Admin
from bot.discord_api.guild_settings import GuildSettingsCache
from bot.i18n.messages import say
from bot.i18n.translator import Translator, language_of
from bot.members.cog import Members
from bot.ops.gateway_metrics import Heartbeats, request_counter, watch_gateway
from bot.posts.cancel_button import CancelButton
from bot.posts.delivery import DiscordDelivery
from bot.posts.instead_button import InsteadButton
from bot.posts.like_count import LikeCounts
from bot.posts.status_messages import StatusBoard
from bot.requests.catch_up import CatchUp
from bot.requests.cog import SongRequests, may_concern_us
from bot.requests.definitions import sync_commands
from bot.requests.edit_form import on_form
from bot.requests.in_flight import RequestsInFlight
from bot.requests.intake import Intake
from bot.requests.retake import Retake, RetakeBot
from bot.requests.song_buttons import ITEMS
from bot.requests.song_menu import MENU_ITEMS
from melodify_core.bootstrap import Services
from melodify_core.config.settings import Settings
from melodify_core.errors import Unavailable
from melodify_core.jobs.maintenance import run_periodic
from melodify_core.observability.health import Health
from melodify_core.ports import Delivery

log = logging.getLogger(__name__)


class OpenServices(Protocol):
    """Opens the services when the client is ready for them: bootstrap.open_services with its other parameters."""

    def __call__(self, delivery: Delivery, *, health: Health) -> AbstractAsyncContextManager[Services]:
        """Return a context manager that is entered at the start and left at the end."""


# Returns a context manager that serves the song pages until it is left.
ServePages = Callable[[Services], AbstractAsyncContextManager[object]]


class MelodifyClient(RetakeBot):
    """Melodify in Discord."""

    def __init__(
        self,
        settings: Settings,
        open_services: OpenServices,
        serve_pages: ServePages | None = None,
        *,
        always_sync: bool = False,
    ) -> None:
        """Connect nothing yet.

        With `always_sync` the commands are registered at every start, else when their definition has changed.
        `serve_pages` is entered when the services are open, and left before they close.
        """
        # discord.py warns at each start that voice is not installed. Melodify does not use it.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        super().__init__(command_prefix=(), help_command=None, **connection_of(settings))  # no prefix commands
        use_proxies(settings)
        self.health = Health()
        self.health.add("gateway", partial(watch_gateway, self))
        self._heartbeats = Heartbeats()
        self._open_services = open_services
        self._serve_pages = serve_pages
        self._public_url = settings.web.public_url
        self._notify_after_s = settings.discord.notify_after_s
        self._always_sync = always_sync
        self.like_counts = LikeCounts()
        self._opened = AsyncExitStack()
        self._closing = asyncio.Lock()
        self._in_flight = RequestsInFlight(settings.discord.patience_s)
        # The longest time that a request takes until it is an order: to download a picture and to check it.
        self._request_deadline_s = settings.discord.download_s + settings.picture.deadline_s
        self.tree.error(self._on_command_error)

    async def setup_hook(self) -> None:
        """Open the services, add the cogs and register the commands. Jobs of an earlier process continue at once."""
        delivery = DiscordDelivery(self, StatusBoard(self), self._public_url, self._notify_after_s)
        services = await self._opened.enter_async_context(self._open_services(delivery, health=self.health))
        self.services = services
        if self._serve_pages is not None:
            await self._opened.enter_async_context(self._serve_pages(services))
        self.health.add("heartbeat", self._check_heartbeat)
        guild_settings = GuildSettingsCache(services.guilds)
        intake = Intake(self, services, delivery, self._in_flight)
        requests = SongRequests(self, services.settings, guild_settings, intake, self._in_flight)
        await self.add_cog(requests)
        catch_up = CatchUp(self, services, self._in_flight, requests.on_message)
        self._opened.push_async_callback(catch_up.close)
        await self.add_cog(catch_up)
        await self.add_cog(Members(self, services))
        await self.add_cog(Admin(self, services))
        self.retake = Retake(guild_settings, intake)
        self.add_dynamic_items(CancelButton, InsteadButton, *ITEMS, *MENU_ITEMS)
        self.add_listener(on_form, "on_interaction")
        await self.tree.set_translator(Translator())
        with suppress(Unavailable):  # the periodic task retries
            await intake.renew_and_resume()
        await self._opened.enter_async_context(run_periodic(intake.periodic_task()))
        notes = None if self._always_sync else services.notes
        self.command_ids = await sync_commands(self.tree, self.application_id or 0, notes)

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        """Call the event's listeners. Drop irrelevant messages here: discord.py would start a task for each."""
        if event_name != "message" or may_concern_us(args[0]):
            super().dispatch(event_name, *args, **kwargs)

    async def on_message(self, message: discord.Message, /) -> None:
        """Do nothing: discord.py's prefix commands are off. bot/requests/cog.py handles messages."""

    async def close(self) -> None:
        """Accept no more orders, let running jobs end, then disconnect. A second call waits for the first."""
        async with self._closing:
            await self.close_services()
            await super().close()

    async def close_services(self) -> None:
        """Accept no more orders, and let running jobs end while they can still post to Discord."""
        await self._in_flight.stop(self._request_deadline_s)
        await self._opened.aclose()

    async def _check_heartbeat(self) -> None:
        self._heartbeats.see({number: shard.latency for number, shard in self.shards.items()})

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """Log the error; if a post caused it, reply with an error message."""
        await super().on_error(event_method, *args, **kwargs)
        requests = self.get_cog(SongRequests.__cog_name__)
        if event_method == "on_message" and isinstance(requests, SongRequests):
            await requests.say_to(args[0], "error.internal")

    async def _on_command_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError
    ) -> None:
        """Log the error, and replace Discord's "thinking..." with an error message."""
        log.error("interaction %s failed", interaction.id, exc_info=error)
        if interaction.response.is_done():
            await interaction.edit_original_response(content=say(language_of(interaction.locale), "error.internal"))


def use_proxies(settings: Settings) -> None:
    """Make discord.py connect to the proxies in the settings, if there are any, instead of Discord.

    discord.py reads the addresses from these two class attributes; its HTTP client and its webhooks, which answer
    interactions, both use the first. So this applies to the whole process, which runs one bot.
    """
    if settings.discord.api_url:
        Route.BASE = settings.discord.api_url.rstrip("/")
    if settings.discord.gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord.gateway_url)


def connection_of(settings: Settings) -> dict[str, Any]:
    """Return how the client connects and what it keeps in memory, as parameters of discord.py's clients."""
    discord_settings = settings.discord
    return {
        "intents": intents_of(settings),
        "allowed_mentions": discord.AllowedMentions.none(),
        "max_ratelimit_timeout": discord_settings.ratelimit_s,
        "max_messages": None,
        "member_cache_flags": discord.MemberCacheFlags.none(),
        "chunk_guilds_at_startup": False,
        "http_trace": request_counter(),
        # None: as many shards as Discord recommends, all of them in this process.
        "shard_ids": sorted(discord_settings.shard_ids) or None,
        # A gateway proxy gets no recommendation from Discord: open one connection, unless the settings say otherwise.
        "shard_count": discord_settings.shard_count or (1 if discord_settings.gateway_url else None),
    }


def intents_of(settings: Settings) -> discord.Intents:
    """Return the gateway intents that the settings need."""
    intents = discord.Intents.none()
    intents.guilds = True
    intents.guild_messages = True
    intents.dm_messages = True
    # Privileged. Without it Discord sends only messages that mention the bot, and direct messages.
    intents.message_content = settings.discord.message_content
    return intents
