"""A little Discord in which members ask in every way: commands, private ones, posts, presses.

Written from discord.com/developers/docs/interactions/receiving-and-responding: what an interaction brings, what may
answer it, and what its token can do.
"""

import itertools
import json
import time
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.discord_server import (
    BOT,
    BOT_ID,
    CHANNEL,
    CHANNEL_ID,
    EVERYTHING,
    GUILD_ID,
    USER,
    Discord,
    _body,
    _json,
    job_of,
)

EPOCH_MS = 1_420_070_400_000  # discord.com/developers/docs/reference#snowflakes
LOADING = 1 << 7
EPHEMERAL = 1 << 6
JOINED = {"roles": [], "joined_at": "2026-01-01T00:00:00+00:00", "flags": 0}


@dataclass
class Asked:
    """One request of one member, who asks for nothing else."""

    way: str
    user_id: str
    songs: int
    acknowledged: bool = False
    # Of the messages that answer it: they must not promise anything at the end.
    answers: list[str] = field(default_factory=list)


@dataclass
class AskingDiscord(Discord):
    """The same world, with interactions, a direct-message channel for each member, and messages that can go."""

    asked: dict[str, Asked] = field(default_factory=dict)  # by user
    _users: Any = field(default_factory=lambda: itertools.count(500_000))
    _by_token: dict[str, tuple[Asked, str | None, bool]] = field(default_factory=dict)
    _posts: dict[str, Asked] = field(default_factory=dict)

    def new_id(self) -> str:
        """Return an id as Discord gives one now."""
        return self._id()

    def upload(self, name: str, data: bytes) -> str:
        """Keep a file; return its address."""
        return str(self._attachment(name, data)["url"])

    def _id(self) -> str:
        self._next_id += 1
        return str((int(time.time() * 1000) - EPOCH_MS << 22) | (self._next_id & 0x3FFFFF))

    # -- what members do --------------------------------------------------------------------------------------------

    async def post(self, *pictures: bytes) -> None:
        """Let a new member post pictures and mention the bot."""
        asked = self._new("post", len(pictures))
        user = USER | {"id": asked.user_id, "username": "member"}
        message = self._message(CHANNEL_ID, user, f"<@{BOT_ID}>")
        message["attachments"] = [self._attachment(f"{n}.png", data) for n, data in enumerate(pictures)]
        message["mentions"] = [BOT | {"member": JOINED}]
        self._posts[message["id"]] = asked
        await self._dispatch("MESSAGE_CREATE", message | {"guild_id": GUILD_ID, "member": JOINED})

    async def command(self, picture: bytes, *, private: bool = False) -> None:
        """Let a new member use /melodify."""
        asked = self._new("private" if private else "command", 1)
        attachment = self._attachment("photo.png", picture)
        options: list[dict[str, Any]] = [{"name": "image", "type": 11, "value": attachment["id"]}]
        if private:
            options.append({"name": "private", "type": 5, "value": True})
        resolved = {"attachments": {attachment["id"]: attachment}}
        data = {"id": "1", "name": "melodify", "type": 1, "options": options, "resolved": resolved}
        await self._interact(asked, 2, data)

    async def press(self, song: dict[str, Any]) -> None:
        """Let a new member press "Another take" under a song."""
        job_id = job_of(song)
        await self._interact(
            self._new("press", 1), 3, {"custom_id": f"song:another:{job_id}", "component_type": 2}, message=song
        )

    def _new(self, way: str, songs: int) -> Asked:
        asked = Asked(way, str(next(self._users)), songs)
        self.asked[asked.user_id] = asked
        return asked

    async def _interact(self, asked: Asked, kind: int, data: dict[str, Any], **more: Any) -> None:
        interaction_id, token = self._id(), f"token-{asked.user_id}"
        self._by_token[token] = (asked, None, False)
        self.tokens.add(token)
        user = USER | {"id": asked.user_id, "username": "member"}
        channel_id = more["message"]["channel_id"] if "message" in more else CHANNEL_ID
        thread = next((thread for thread in self.threads if thread["id"] == channel_id), None)
        payload: dict[str, Any] = {
            "id": interaction_id,
            "application_id": BOT_ID,
            "type": kind,
            "token": token,
            "version": 1,
            "guild_id": GUILD_ID,
            "channel_id": channel_id,
            "channel": (thread or CHANNEL) | {"permissions": EVERYTHING},
            "member": JOINED | {"user": user, "permissions": EVERYTHING},
            "locale": "en-US",
            "guild_locale": "en-US",
            "app_permissions": EVERYTHING,
            "attachment_size_limit": 10 * 1024 * 1024,
            "entitlements": [],
            "authorizing_integration_owners": {"0": GUILD_ID},
            "context": 0,
            "data": data,
        }
        await self._dispatch("INTERACTION_CREATE", payload | more)

    # -- what the bot does ------------------------------------------------------------------------------------------

    def more_routes(self, api: str) -> list[web.RouteDef]:
        """Return the routes of interactions and of what goes."""
        hook = f"{api}/webhooks/{BOT_ID}/{{token}}"
        return [
            web.post(f"{api}/interactions/{{interaction}}/{{token}}/callback", self.callback),
            web.patch(f"{hook}/messages/@original", self.patch_original),
            web.post(hook, self.post_followup),
            web.delete(f"{api}/channels/{{channel}}/messages/{{message}}", self.delete_message),
        ]

    async def callback(self, request: web.Request) -> web.Response:
        """Acknowledge: once only."""
        token, payload = request.match_info["token"], await request.json()
        asked, _, done = self._by_token[token]
        if done:
            return _json({"code": 40060, "message": "Interaction has already been acknowledged."}, 400)
        original = None
        if payload["type"] == 5:
            flags = LOADING | payload.get("data", {}).get("flags", 0)
            message = self._message(f"hidden-{token}" if flags & EPHEMERAL else CHANNEL_ID, BOT, "")
            message["flags"] = flags
            original = message["id"]
            asked.answers.append(original)
        asked.acknowledged = True
        self._by_token[token] = (asked, original, True)
        return _json({"interaction": {"id": request.match_info["interaction"], "type": 2}})

    async def patch_original(self, request: web.Request) -> web.Response:
        """Edit the response."""
        _, original, _ = self._by_token.get(request.match_info["token"], (None, None, False))
        if original is None or original not in self.messages:
            return _json({"code": 10015, "message": "Unknown Webhook"}, 404)
        payload, _ = await _body(request)
        message = self.messages[original]
        message.update({key: value for key, value in payload.items() if key in ("content", "embeds", "components")})
        message["flags"] &= ~LOADING
        return _json(message | {"channel_id": CHANNEL_ID})

    async def post_followup(self, request: web.Request) -> web.Response:
        """Say more, here for the presser alone."""
        asked, _, _ = self._by_token[request.match_info["token"]]
        payload, _ = await _body(request)
        message = self._message(f"hidden-{asked.user_id}", BOT, payload.get("content") or "")
        asked.answers.append(message["id"])
        return _json(message | {"channel_id": CHANNEL_ID})

    async def post_message(self, request: web.Request) -> web.Response:
        """Post a message; a reply to a member's is the first sign to that member."""
        response = await super().post_message(request)
        assert isinstance(response.body, bytes)
        reply = json.loads(response.body).get("message_reference") or {}
        if asked := self._posts.get(reply.get("message_id", "")):
            asked.acknowledged = True
        return response

    async def post_dm(self, request: web.Request) -> web.Response:
        """Open the direct messages of a member: their channel has an id of its own."""
        user_id = (await request.json())["recipient_id"]
        user = USER | {"id": user_id, "username": "member"}
        return _json({"id": f"9{user_id}", "type": 1, "recipients": [user], "last_message_id": None})

    async def delete_message(self, request: web.Request) -> web.Response:
        """Delete it, if it is there."""
        if self.messages.pop(request.match_info["message"], None) is None:
            return _json({"code": 10008, "message": "Unknown Message"}, 404)
        return web.Response(status=204)

    async def patch_message(self, request: web.Request) -> web.Response:
        """Edit a message, if it is there; a response stops loading."""
        if request.match_info["message"] not in self.messages:
            return _json({"code": 10008, "message": "Unknown Message"}, 404)
        self.messages[request.match_info["message"]]["flags"] &= ~LOADING
        return await super().patch_message(request)
