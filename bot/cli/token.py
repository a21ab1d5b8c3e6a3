"""The bot's token: reads it, and names what was pasted in its place."""

import base64
import re

import discord

from bot.discord_api.permissions import PERMISSIONS
from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured

_WHERE = "You find the token in Discord's developer portal under Bot > Reset Token."
NO_LOGIN = f"discord.token is missing: set MELODIFY_DISCORD__TOKEN or discord.token_file. {_WHERE}"
FORMLESS = "discord.token does not have the form of a bot token."
# What the developer portal shows beside the token.
_MISTAKEN = (
    (r"[\"'“”‘’].*|.*[\"'“”‘’]", "has quotation marks in it: set the token without them"),
    (r"(?i)bot\s.*", 'begins with "Bot": set the token alone'),
    (r".*\s.*", "has a space or a line break in it: set the token alone"),
    (r"\d{15,21}", f"is the application's id, not the token. {_WHERE}"),
    (r"[0-9a-f]{64}", f"is the application's public key, not the token. {_WHERE}"),
    (r"[A-Za-z0-9_-]{32}", f"is the application's client secret, not the token. {_WHERE}"),
)


def token_of(settings: Settings) -> str:
    """Return the bot's token. Raises Misconfigured where it is missing, or certainly something else."""
    if settings.discord.token is None:
        raise Misconfigured(NO_LOGIN)
    token = settings.discord.token.get_secret_value()
    if mistake := token_mistake(token):
        raise Misconfigured(mistake)
    return token


def token_mistake(token: str) -> str:
    """Return a sentence on what was pasted in place of the token; "" for what may be one."""
    for pattern, mistake in _MISTAKEN:
        if re.fullmatch(pattern, token, re.DOTALL):
            return f"discord.token {mistake.rstrip('.')}."
    return ""


def application_id_of(token: str) -> int | None:
    """Return the application's id: it is the first part of every bot token, in Base64."""
    head = token.partition(".")[0]
    try:
        text = base64.b64decode(head + "=" * (-len(head) % 4), validate=True).decode("ascii")
    except ValueError:  # binascii.Error and UnicodeError are ValueErrors
        return None
    return int(text) if text.isdigit() else None


def invite_link(token: str) -> str:
    """Return the link that adds the token's bot to a server; "" where the token has not the form of one."""
    application_id = application_id_of(token)
    if application_id is None:
        return ""
    return discord.utils.oauth_url(application_id, permissions=PERMISSIONS, scopes=("bot", "applications.commands"))
