"""A small Discord on loopback, REST and gateway, for tests that must stop and kill a real `melodify run`.

It knows one guild with one text channel, checks nothing but the token, and keeps what the bot sent. The simulator
(simcord) is the judge of Discord's rules; this server is only there because that one lives inside the bot's process.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from aiohttp import BodyPartReader, WSMsgType, web
from discord.utils import time_snowflake

TOKEN = "MTAwMA.test.token"
BOT_ID, GUILD_ID, CHANNEL_ID, MEMBER_ID, DM_ID = "1000", "2000", "3000", "4000", "5000"
EVERYTHING = str((1 << 50) - 1)
USER: dict[str, Any] = {"discriminator": "0000", "avatar": None, "global_name": None, "public_flags": 0}
BOT = USER | {"id": BOT_ID, "username": "Melodify", "bot": True}
MEMBER = USER | {"id": MEMBER_ID, "username": "ann"}
CHANNEL = {
    "id": CHANNEL_ID,
    "type": 0,
    "name": "songs",
    "guild_id": GUILD_ID,
    "position": 0,
    "permission_overwrites": [],
}
GENEROUS = {"X-RateLimit-Limit": "1000", "X-RateLimit-Remaining": "999", "X-RateLimit-Reset-After": "1"}
GUILD: dict[str, Any] = {
    "id": GUILD_ID,
    "name": "Studio",
    "owner_id": MEMBER_ID,
    "roles": [{"id": GUILD_ID, "name": "@everyone", "permissions": EVERYTHING, "position": 0, "color": 0}],
    "channels": [CHANNEL],
    "members": [{"user": BOT, "roles": [], "joined_at": "2026-01-01T00:00:00+00:00", "flags": 0}],
    "threads": [],
    "preferred_locale": "en-US",
    "member_count": 2,
    "premium_tier": 0,
    "features": [],
}


@dataclass
class Fault:
    """What happens to a call instead of its answer: a status, or a cut connection, before or after the effect."""

    method: str
    path: str  # its end
    kind: int | Literal["cut before", "cut after"]
    times: int = 1

    def meets(self, request: web.Request) -> bool:
        """Return whether this call is meant; each is counted off."""
        if self.times <= 0 or request.method != self.method or not request.path.endswith(self.path):
            return False
        self.times -= 1
        return True


@dataclass
class Discord:
    """The state of the small Discord, and what the bot did in it."""

    port: int = 0
    messages: dict[str, dict[str, Any]] = field(default_factory=dict)
    threads: list[dict[str, Any]] = field(default_factory=list)
    files: dict[str, bytes] = field(default_factory=dict)
    edits: list[str] = field(default_factory=list)
    sockets: list[web.WebSocketResponse] = field(default_factory=list)
    remembers_nonces: bool = True
    reads_messages: bool = True  # the Message Content intent is on
    generous: bool = False  # says that many calls may be made at once; discord.py makes one after the other else
    faults: list[Fault] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)  # of interactions that live
    first_status: dict[str, str] = field(default_factory=dict)  # status message id -> the job that it is for
    _next_id: int = 10_000
    _sequence: int = 0

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/v10"

    @property
    def gateway_url(self) -> str:
        return f"ws://127.0.0.1:{self.port}/gateway"

    def more_routes(self, api: str) -> list[web.RouteDef]:
        """Return what a larger world serves besides."""
        del api
        return []

    def songs(self) -> list[dict[str, Any]]:
        """Return the bot's messages that carry an MP3."""
        return [m for m in self.messages.values() if any(a["filename"].endswith(".mp3") for a in m["attachments"])]

    async def connected(self, timeout_s: float = 30) -> None:
        """Wait for a gateway session."""
        async with asyncio.timeout(timeout_s):
            while not self.sockets:
                await asyncio.sleep(0.02)

    def post_now(self) -> None:
        """Number what comes from here on as Discord does, by its time."""
        self._next_id = time_snowflake(datetime.now(UTC))

    def drop_sessions(self) -> list[web.WebSocketResponse]:
        """Send no more events, until `invalidate` is called with what this returns."""
        dropped, self.sockets = self.sockets, []
        return dropped

    async def invalidate(self, sessions: list[web.WebSocketResponse]) -> None:
        """Reject the sessions as not resumable."""
        for socket in sessions:
            await socket.send_str(json.dumps({"op": 9, "d": False}))

    async def post_picture(self, picture: bytes, content: str = f"<@{BOT_ID}>") -> str:
        """Let the member post a picture that mentions the bot; return the message's id."""
        message = self._message(CHANNEL_ID, MEMBER, content)
        message["attachments"] = [self._attachment("photo.jpg", picture)]
        message["mentions"] = [BOT | {"member": {"roles": [], "joined_at": "2026-01-01T00:00:00+00:00", "flags": 0}}]
        member = {"roles": [], "joined_at": "2026-01-01T00:00:00+00:00", "flags": 0}
        await self._dispatch("MESSAGE_CREATE", message | {"guild_id": GUILD_ID, "member": member})
        return str(message["id"])

    def status_message(self, channel_id: str, job_id: str) -> dict[str, Any]:
        """Return a new status message of the bot's, as if it had been posted for the job."""
        message = self._message(channel_id, BOT, "…")
        self.first_status[message["id"]] = job_id
        return message

    async def _dispatch(self, name: str, data: dict[str, Any]) -> None:
        self._sequence += 1
        for socket in self.sockets:
            await socket.send_str(json.dumps({"op": 0, "t": name, "s": self._sequence, "d": data}))

    def _id(self) -> str:
        self._next_id += 1
        return str(self._next_id)

    def _attachment(self, name: str, data: bytes) -> dict[str, Any]:
        file_id = self._id()
        self.files[file_id] = data
        url = f"http://127.0.0.1:{self.port}/files/{file_id}/{name}"
        return {"id": file_id, "filename": name, "size": len(data), "url": url, "proxy_url": url}

    def _message(self, channel_id: str, author: dict[str, Any], content: str) -> dict[str, Any]:
        message: dict[str, Any] = {
            "id": self._id(),
            "channel_id": channel_id,
            "author": author,
            "content": content,
            "timestamp": "2026-01-01T00:00:00+00:00",
            "edited_timestamp": None,
            "tts": False,
            "mention_everyone": False,
            "mentions": [],
            "mention_roles": [],
            "attachments": [],
            "embeds": [],
            "pinned": False,
            "type": 0,
            "flags": 0,
            "components": [],
        }
        self.messages[message["id"]] = message
        return message

    # -- REST ---------------------------------------------------------------------------------------------------

    @web.middleware
    async def break_calls(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Apply the faults."""
        fault = next((fault for fault in self.faults if fault.meets(request)), None)
        if fault is None:
            answer: web.StreamResponse = await handler(request)
            if self.generous:
                answer.headers.update(GENEROUS)
            return answer
        if fault.kind == "cut after":
            await handler(request)
        if isinstance(fault.kind, str):
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        # A real 429 says how long, and comes through Discord's proxy.
        limited = {"Retry-After": "0.2", "X-RateLimit-Scope": "user", "Via": "1.1"} if fault.kind == 429 else {}
        body = {"code": 0, "message": "injected", "retry_after": 0.2, "global": False}
        return _json(body, fault.kind, limited)

    async def get_channel(self, request: web.Request) -> web.Response:
        """Answer with the one channel, or with a thread."""
        known = {channel["id"]: channel for channel in (CHANNEL, *self.threads)}
        channel = known.get(request.match_info["channel"])
        return _json(channel) if channel else _json({"code": 10003, "message": "Unknown Channel"}, 404)

    async def post_dm(self, _request: web.Request) -> web.Response:
        """Open the direct messages."""
        return _json({"id": DM_ID, "type": 1, "recipients": [MEMBER], "last_message_id": None})

    async def get_me(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != f"Bot {TOKEN}":
            return _json({"message": "401: Unauthorized", "code": 0}, status=401)
        return _json(BOT)

    async def get_application(self, _request: web.Request) -> web.Response:
        owner = MEMBER | {"flags": 0}
        application = {"id": BOT_ID, "name": "Melodify", "icon": None, "description": "", "bot_public": True}
        return _json(
            application
            | {"bot_require_code_grant": False, "verify_key": "", "owner": owner}
            | {"flags": (1 << 19) * self.reads_messages}
        )

    async def get_gateway(self, _request: web.Request) -> web.Response:
        limit = {"total": 1000, "remaining": 999, "reset_after": 0, "max_concurrency": 1}
        return _json({"url": self.gateway_url, "shards": 1, "session_start_limit": limit})

    async def put_commands(self, request: web.Request) -> web.Response:
        commands = await request.json()
        extra = {"application_id": BOT_ID, "version": "1"}
        return _json([{"description": ""} | command | extra | {"id": self._id()} for command in commands])

    async def post_message(self, request: web.Request) -> web.Response:
        payload, uploads = await _body(request)
        nonce = payload.get("nonce")
        known = [m for m in self.messages.values() if nonce and m.get("nonce") == nonce and self.remembers_nonces]
        if known:
            return _json(known[0])
        message = self._message(request.match_info["channel"], BOT, payload.get("content") or "")
        message["embeds"] = payload.get("embeds", [])
        message["components"] = payload.get("components", [])
        message["nonce"] = nonce
        if "message_reference" in payload:
            message_id = str(payload["message_reference"]["message_id"])
            message["message_reference"] = {"message_id": message_id, "channel_id": message["channel_id"]}
        message["attachments"] = [self._attachment(name, data) for name, data in uploads]
        return _json(message)

    async def patch_message(self, request: web.Request) -> web.Response:
        payload, _ = await _body(request)
        message = self.messages[request.match_info["message"]]
        message.update({key: value for key, value in payload.items() if key in ("content", "embeds", "components")})
        self.edits.append(message["content"])
        return _json(message)

    async def delete_message(self, request: web.Request) -> web.Response:
        del self.messages[request.match_info["message"]]
        return web.Response(status=204)

    async def patch_by_token(self, request: web.Request) -> web.Response:
        """Edit an answer to an interaction, with no other right than its token."""
        if "Authorization" in request.headers or request.match_info["token"] not in self.tokens:
            return _json({"code": 50027, "message": "Invalid Webhook Token"}, status=401)
        payload, uploads = await _body(request)
        message = self.messages[request.match_info["message"]]
        message.update({key: payload[key] or "" for key in ("content", "embeds") if key in payload})
        message["attachments"] = [self._attachment(name, data) for name, data in uploads]
        return _json(message | {"channel_id": CHANNEL_ID})  # also of one that no channel shows

    async def get_messages(self, request: web.Request) -> web.Response:
        channel = request.match_info["channel"]
        return _json([m for m in reversed(self.messages.values()) if m["channel_id"] == channel])

    async def post_thread(self, request: web.Request) -> web.Response:
        message_id = request.match_info["message"]
        if any(thread["id"] == message_id for thread in self.threads):
            return _json({"code": 160004, "message": "A thread has already been created for this message"}, status=400)
        thread = {
            "id": message_id,
            "type": 11,
            "guild_id": GUILD_ID,
            "parent_id": CHANNEL_ID,
            "owner_id": BOT_ID,
            "name": (await request.json())["name"],
            "message_count": 0,
            "member_count": 1,
            "thread_metadata": {
                "archived": False,
                "auto_archive_duration": 1440,
                "archive_timestamp": "2026-01-01T00:00:00+00:00",
                "locked": False,
            },
        }
        self.threads.append(thread)
        return _json(thread, status=201)

    async def get_file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["file"]])

    # -- gateway ------------------------------------------------------------------------------------------------

    async def gateway(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_str(json.dumps({"op": 10, "d": {"heartbeat_interval": 41_250}}))
        try:
            async for frame in socket:
                if frame.type is WSMsgType.TEXT:
                    await self._receive(socket, json.loads(frame.data))
        finally:
            if socket in self.sockets:
                self.sockets.remove(socket)
        return socket

    async def _receive(self, socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        if frame["op"] == 1:
            await socket.send_str(json.dumps({"op": 11}))
        if frame["op"] != 2:
            return
        ready = {
            "v": 10,
            "user": BOT,
            "guilds": [{"id": GUILD_ID, "unavailable": True}],
            "session_id": "s",
            "shard": [0, 1],
            "resume_gateway_url": self.gateway_url,
            "application": {"id": BOT_ID, "flags": 1 << 19},
        }
        for name, data in (("READY", ready), ("GUILD_CREATE", GUILD)):
            await socket.send_str(json.dumps({"op": 0, "t": name, "s": 1, "d": data}))
        self.sockets.append(socket)


def _json(data: object, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    # Exactly this content type: discord.py parses nothing else.
    headers = {"Content-Type": "application/json"} | (headers or {})
    return web.Response(body=json.dumps(data).encode(), status=status, headers=headers)


async def _body(request: web.Request) -> tuple[dict[str, Any], list[tuple[str, bytes]]]:
    if request.content_type == "application/json":
        return await request.json(), []
    payload: dict[str, Any] = {}
    uploads = []
    async for part in await request.multipart():
        assert isinstance(part, BodyPartReader)
        data = bytes(await part.read())
        if part.name == "payload_json":
            payload = json.loads(data)
        else:
            uploads.append((part.filename or "file", data))
    return payload, uploads


@asynccontextmanager
async def little_discord(world: Discord | None = None) -> AsyncIterator[Discord]:
    """Serve a world, else a fresh one, on a free port of 127.0.0.1."""
    world = world or Discord()
    app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[world.break_calls])
    api = "/api/v10"
    app.add_routes(world.more_routes(api))  # before the wider patterns
    app.add_routes(
        [
            web.get(f"{api}/users/@me", world.get_me),
            web.get(f"{api}/oauth2/applications/@me", world.get_application),
            web.get(f"{api}/applications/@me", world.get_application),
            web.get(f"{api}/gateway/bot", world.get_gateway),
            web.get(f"{api}/gateway", world.get_gateway),
            web.put(f"{api}/applications/{{application}}/commands", world.put_commands),
            web.get(f"{api}/channels/{{channel}}", world.get_channel),
            web.post(f"{api}/users/@me/channels", world.post_dm),
            web.post(f"{api}/channels/{{channel}}/messages", world.post_message),
            web.get(f"{api}/channels/{{channel}}/messages", world.get_messages),
            web.patch(f"{api}/channels/{{channel}}/messages/{{message}}", world.patch_message),
            web.delete(f"{api}/channels/{{channel}}/messages/{{message}}", world.delete_message),
            web.patch(f"{api}/webhooks/{BOT_ID}/{{token}}/messages/{{message}}", world.patch_by_token),
            web.post(f"{api}/channels/{{channel}}/messages/{{message}}/threads", world.post_thread),
            web.get("/files/{file}/{name}", world.get_file),
            web.get("/gateway", world.gateway),
            web.get("/gateway/", world.gateway),
        ]
    )
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    world.port = runner.addresses[0][1]
    try:
        yield world
    finally:
        await runner.cleanup()


def job_of(song: dict[str, Any]) -> str:
    """Return the job whose song the message is: the ids of its buttons contain it."""
    return str(song["components"][0]["components"][0]["custom_id"].rpartition(":")[2])
