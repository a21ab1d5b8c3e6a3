"""The Discord client: intents, what it keeps in memory, command registration, the order of opening and closing."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from typing import Any

import discord
import yarl
from discord import app_commands
from discord.ext import commands
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
from bot.posts.like_count import LikeCounts
from bot.posts.status_messages import StatusBoard
from bot.requests.catch_up import CatchUp
from bot.requests.cog import Generate, may_concern_us
from bot.requests.definitions import sync_commands
from bot.requests.edit_form import on_form
from bot.requests.in_flight import RequestsInFlight
from bot.requests.intake import Intake
from bot.requests.retake import Retake
from bot.requests.song_buttons import ITEMS
from melodify_core.config.settings import Settings
from melodify_core.errors import Unavailable
from melodify_core.jobs.maintenance import run_periodic
from melodify_core.observability.health import Health
from melodify_core.ports import Delivery
from melodify_core.studio import Studio

log = logging.getLogger(__name__)

OpenStudio = Callable[[Delivery], AbstractAsyncContextManager[Studio]]
# Shows the studio's songs to visitors of the web.
Show = Callable[[Studio], AbstractAsyncContextManager[object]]


class MelodifyClient(commands.AutoShardedBot):
    """Melodify in Discord. `studio` and `again` are there after `setup_hook`, that is, before the first event."""

    studio: Studio
    retake: Retake

    def __init__(
        self, settings: Settings, open_studio: OpenStudio, show: Show | None = None, *, always_sync: bool = False
    ) -> None:
        """With `always_sync` the commands are registered at every start, else when their definition has changed.

        `show` is entered when the studio is open, and left before it closes.
        """
        # Melodify does not speak: no warning at each start that it could not.
        discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False
        super().__init__(
            command_prefix=(),  # there are no prefix commands
            help_command=None,
            intents=intents_of(settings),
            allowed_mentions=discord.AllowedMentions.none(),
            max_ratelimit_timeout=settings.discord.ratelimit_s,
            max_messages=None,
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            http_trace=request_counter(),
            # None: as many shards as Discord recommends, all of them here.
            shard_ids=sorted(settings.discord.shard_ids) or None,  # type: ignore[arg-type]  # None is its default
            # A gateway proxy is asked, and not Discord: it takes one connection unless the settings say otherwise.
            shard_count=settings.discord.shard_count or (1 if settings.discord.gateway_url else None),
        )
        use_proxies(settings)
        self.health = Health()
        self.health.add("gateway", self._see_gateway)
        self._heartbeats = Heartbeats()
        self._open_studio = open_studio
        self._show = show
        self._public_url = settings.web.public_url
        self._always_sync = always_sync
        self.like_counts = LikeCounts()
        self._opened = AsyncExitStack()
        self._closing = asyncio.Lock()
        self._in_flight = RequestsInFlight()
        # A picture is fetched and looked at.
        self._serving_s = settings.discord.download_s + settings.picture.deadline_s
        self.tree.error(self._on_command_error)

    async def setup_hook(self) -> None:
        """Open the studio - jobs of an earlier process go on at once, through REST - and register the commands."""
        delivery = DiscordDelivery(self, StatusBoard(self), self._public_url)
        self.studio = await self._opened.enter_async_context(self._open_studio(delivery))
        if self._show is not None:
            await self._opened.enter_async_context(self._show(self.studio))
        watch_studio(self.health, self.studio)
        self.health.add("heartbeat", self._see_heartbeat)
        known = GuildSettingsCache(self.studio.guilds)
        intake = Intake(self, self.studio, self.studio.journal, delivery, self._in_flight)
        generate = Generate(self, self.studio, known, intake, self._in_flight)
        await self.add_cog(generate)
        catch_up = CatchUp(self, self.studio, self._in_flight, generate.on_message)
        self._opened.push_async_callback(catch_up.close)
        await self.add_cog(catch_up)
        await self.add_cog(Members(self, self.studio))
        await self.add_cog(Admin(self, self.studio))
        self.retake = Retake(known, intake)
        self.add_dynamic_items(CancelButton, *ITEMS)
        self.add_listener(on_form, "on_interaction")
        await self.tree.set_translator(Translator())
        with suppress(Unavailable):  # then at the next turn
            await intake.look_after()
        await self._opened.enter_async_context(run_periodic(intake.duty()))
        await sync_commands(self.tree, self.application_id or 0, None if self._always_sync else self.studio.notes)

    def dispatch(self, event_name: str, /, *args: Any, **kwargs: Any) -> None:
        """Call the event's listeners. Those of messages that cannot concern us are not: each would be a task."""
        if event_name != "message" or may_concern_us(args[0]):
            super().dispatch(event_name, *args, **kwargs)

    async def on_message(self, message: discord.Message, /) -> None:
        """Look for no prefix commands; posts are the business of generate.py."""

    async def close(self) -> None:
        """Take no more orders, let running jobs end, then leave Discord. A second call waits for the first."""
        async with self._closing:
            await self.leave_studio()
            await super().close()

    async def leave_studio(self) -> None:
        """Take no more orders and let running jobs end; Discord is still there for them to post to."""
        await self._in_flight.stop(self._serving_s)
        await self._opened.aclose()

    async def _see_gateway(self) -> None:
        watch_gateway(self)

    async def _see_heartbeat(self) -> None:
        self._heartbeats.see({number: shard.latency for number, shard in self.shards.items()})
        await self.studio.check_maintenance()

    async def on_error(self, event_method: str, /, *args: Any, **kwargs: Any) -> None:
        """Log what broke, and tell the asker so if it was a post."""
        await super().on_error(event_method, *args, **kwargs)
        generate = self.get_cog(Generate.__cog_name__)
        if event_method == "on_message" and isinstance(generate, Generate):
            await generate.say_to(args[0], "error.internal")

    async def _on_command_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError
    ) -> None:
        """Whatever broke, the asker does not look at "thinking" for ever."""
        log.error("interaction %s failed", interaction.id, exc_info=error)
        if interaction.response.is_done():
            await interaction.edit_original_response(content=say(language_of(interaction.locale), "error.internal"))


def watch_studio(health: Health, studio: Studio) -> None:
    """Have the studio's parts asked after."""
    health.add("database", studio.answers)
    # A question to Cloud Storage is a call that is paid for: once a minute will do.
    health.add("storage", studio.stores, every_s=60.0)


def use_proxies(settings: Settings) -> None:
    """Send discord.py to another server than Discord's where the settings name one.

    These two class attributes are where discord.py itself keeps the addresses; both its HTTP client and its webhooks,
    which answer interactions, read the first. So this holds for the whole process, which runs one bot.
    """
    if settings.discord.api_url:
        Route.BASE = settings.discord.api_url.rstrip("/")
    if settings.discord.gateway_url:
        DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(settings.discord.gateway_url)


def intents_of(settings: Settings) -> discord.Intents:
    """Return the gateway intents that the settings need."""
    intents = discord.Intents.none()
    intents.guilds = True
    intents.guild_messages = True
    intents.dm_messages = True
    # Privileged. Without it Discord shows us messages that mention us, and direct messages.
    intents.message_content = settings.discord.message_content
    return intents
