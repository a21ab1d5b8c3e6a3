"""Stories of the client itself: where it connects, when it registers its commands."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import discord
import pytest
import simcord
from aiohttp import web
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bot.client import MelodifyClient, intents_of
from melodify_core.bootstrap import open_services
from melodify_core.config.settings import Settings
from melodify_core.media.worker_pool import WorkerPool
from tests.stories import answer_of, story_settings, world


class DiscordOnLoopback:
    """Takes a login and writes down who calls."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        self.calls.append(f"{request.method} {request.path}")
        return web.json_response({"code": 0, "message": "401: Unauthorized"}, status=401)


@pytest.fixture
async def server() -> AsyncIterator[DiscordOnLoopback]:
    discord_server, app = DiscordOnLoopback(), web.Application()
    app.router.add_route("*", "/{path:.*}", discord_server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    discord_server.url = f"http://{host}:{port}"
    yield discord_server
    await runner.cleanup()


@pytest.fixture
def addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give discord.py its addresses back afterwards: they hold for the whole process."""
    monkeypatch.setattr(Route, "BASE", Route.BASE)
    monkeypatch.setattr(DiscordWebSocket, "DEFAULT_GATEWAY", DiscordWebSocket.DEFAULT_GATEWAY)


def a_client(settings: Settings, pool: WorkerPool) -> MelodifyClient:
    return MelodifyClient(settings, partial(open_services, settings, pool=pool))


@pytest.mark.usefixtures("addresses")
async def test_the_settings_say_where_discord_is(server: DiscordOnLoopback, tmp_path: Path, pool: WorkerPool) -> None:
    addresses = {"api_url": f"{server.url}/api/v10", "gateway_url": "ws://127.0.0.1:1/gateway"}
    client = a_client(story_settings(tmp_path, discord=addresses), pool)
    assert str(DiscordWebSocket.DEFAULT_GATEWAY) == "ws://127.0.0.1:1/gateway"
    with pytest.raises(discord.LoginFailure):
        await client.login("token")
    await client.close()
    assert server.calls == ["GET /api/v10/users/@me"]


async def test_the_commands_are_registered_only_when_they_have_changed(tmp_path: Path, pool: WorkerPool) -> None:
    settings = story_settings(tmp_path)
    for expected in (1, 0):
        client = a_client(settings, pool)
        async with simcord.run(client) as env:
            registrations = [entry for entry in env.http_requests if entry.path.endswith("/commands")]
            assert len(registrations) == expected
            await client.close()


def test_the_privileged_intent_is_asked_for_only_when_the_settings_want_it(tmp_path: Path) -> None:
    assert not intents_of(story_settings(tmp_path)).message_content
    assert intents_of(story_settings(tmp_path, discord={"message_content": True})).message_content


async def test_a_private_song_counts_for_the_server_where_it_was_asked_for(pool: WorkerPool, tmp_path: Path) -> None:
    limits = {"songs_per_guild_day": 1, "songs_per_minute": 0}
    async with world(story_settings(tmp_path, limits=limits), pool) as here:
        await here.command(private=True)
        await here.songs_done()
        assert len(here.songs(here.dms)) == 1
        other = here.corner()
        refused = await other.command()
        assert "server" in answer_of(refused)
        elsewhere = here.corner(locale="en-US")
        await elsewhere.command()
        await elsewhere.songs_done()
        assert len(elsewhere.songs()) == 1
