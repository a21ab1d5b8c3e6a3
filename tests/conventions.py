"""The conventions for every message of the bot: Discord's limits, no ping, alt text on pictures."""

from typing import Any

import discord
from simcord.backend import serializers
from simcord.env import Env

from bot.i18n.messages import LANGUAGES, say

# discord.com/developers/docs/resources/message
CONTENT, TITLE, DESCRIPTION, FIELDS, NAME, VALUE, FOOTER, EMBED = 2000, 256, 4096, 25, 256, 1024, 2048, 6000
ALT_TEXT, THREAD_NAME, LABEL, CUSTOM_ID, FILE_NAME = 1024, 100, 80, 100, 255
EPHEMERAL = 64
PICTURES = (".jpg", ".png", ".webp", ".gif")


def messages_of_bot(env: Env) -> list[dict[str, Any]]:
    """Return all messages of the bot that are not deleted, as Discord shows them, with "pings": who is notified."""
    backend = env.backend
    everything = [message for channel in backend.messages.values() for message in channel.values()]
    return [
        {**serializers.message_payload(backend, message), "pings": message.ping_user_ids}
        for message in everything
        if message.author_id == backend.bot_user.id and message.type in (0, 19, 20, 23)
    ]


def faults_of(message: dict[str, Any]) -> list[str]:
    """Return what is wrong with the message, an empty list as a rule."""
    replied_to = int((message.get("referenced_message") or {}).get("author", {}).get("id", 0))
    pinged = [user for user in message["pings"] if user != replied_to]
    # The one exception: the member whose song took long, in the sentence that says so.
    pinged = [user for user in pinged if message["content"].split("\n")[0] not in _notices(user)]
    if message.get("flags", 0) & EPHEMERAL:
        # Ephemeral: Discord notifies nobody who is named in it.
        return _faults_of_form(message)
    faults = ["pings everyone"] * bool(message["mention_everyone"]) + ["pings a role"] * bool(message["mention_roles"])
    faults += [f"pings {user}" for user in pinged]
    return faults + _faults_of_form(message)


def _notices(user_id: int) -> list[str]:
    return [say(language, "song.ready", user=user_id) for language in LANGUAGES]


def _faults_of_form(message: dict[str, Any]) -> list[str]:
    faults = _too_long(("content", message["content"], CONTENT))
    for embed in message["embeds"]:
        faults += _faults_of_embed(embed)
    for file in message["attachments"]:
        alt_text = file.get("description") or ""
        faults += _too_long(("alt text", alt_text, ALT_TEXT), ("file name", file["filename"], FILE_NAME))
        if file["filename"].lower().endswith(PICTURES) and not alt_text:
            faults.append(f"no alt text on {file['filename']}")
    for row in message["components"]:
        faults += _faults_of_row(row)
    return faults


def _faults_of_embed(embed: dict[str, Any]) -> list[str]:
    texts = [
        ("embed title", embed.get("title") or "", TITLE),
        ("embed description", embed.get("description") or "", DESCRIPTION),
        ("embed footer", (embed.get("footer") or {}).get("text") or "", FOOTER),
    ]
    for field in embed.get("fields", []):
        texts += [("field name", field["name"], NAME), ("field value", field["value"], VALUE)]
    faults = _too_long(*texts, ("embed", "".join(text for _, text, _ in texts), EMBED))
    faults += [f"an empty {name}" for name, text, _ in texts if name.startswith("field") and not text.strip()]
    return faults + ["too many fields"] * (len(embed.get("fields", [])) > FIELDS)


def _faults_of_row(row: dict[str, Any]) -> list[str]:
    parts = row.get("components", [])
    faults = _too_long(*(("custom id", part.get("custom_id") or "", CUSTOM_ID) for part in parts))
    faults += _too_long(*(("label", part.get("label") or "", LABEL) for part in parts))
    # No information by an emoji alone.
    return faults + [f"{part['custom_id']} has no words" for part in parts if part["type"] == 2 and not part["label"]]


def _too_long(*texts: tuple[str, str, int]) -> list[str]:
    return [f"{name} has {len(text)} characters" for name, text, most in texts if len(text) > most]


def assert_follows_conventions(env: Env) -> None:
    """Fail when a message or a thread's name of the bot breaks a convention."""
    for message in messages_of_bot(env):
        assert faults_of(message) == [], message
    threads = (discord.ChannelType.public_thread.value, discord.ChannelType.private_thread.value)
    for channel in env.backend.channels.values():
        if int(channel.type) in threads:
            assert 1 <= len((channel.name or "").strip()) <= THREAD_NAME
