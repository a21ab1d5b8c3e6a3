"""The bot's token: reads it, and names what was pasted in its place."""

import base64
import re

import discord

from bot.cli.output import program
from bot.discord_api.permissions import PERMISSIONS
from bot.i18n.messages import say
from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured
from melodify_core.models import Language

NO_LOGIN = "discord.token is missing: set MELODIFY_DISCORD__TOKEN or discord.token_file."
# What the developer portal shows beside the token, by the word for it in the catalogue.
_MISTAKEN = (
    (r"[\"'“”‘’].*|.*[\"'“”‘’]", "quotes"),
    (r"(?i)bot\s.*", "prefix"),
    (r".*\s.*", "space"),
    (r"\d{15,21}", "id"),
    (r"[0-9a-f]{64}", "public_key"),
    (r"[A-Za-z0-9_-]{32}", "oauth2"),
)
_ELSEWHERE = ("id", "public_key", "oauth2")


def token_of(settings: Settings) -> str:
    """Return the bot's token. Raises Misconfigured where it is missing, or certainly something else."""
    if settings.discord.token is None:
        raise Misconfigured(f"{NO_LOGIN} {say('en', 'setup.mistaken.where')} `{program()} setup` asks for it.")
    token = settings.discord.token.get_secret_value()
    if mistake := token_mistake(token):
        raise Misconfigured(mistake)
    return token


def token_mistake(token: str, language: Language = "en") -> str:
    """Return a sentence on what was pasted in place of the token; "" for what may be one."""
    for pattern, kind in _MISTAKEN:
        if re.fullmatch(pattern, token, re.DOTALL):
            where = [say(language, "setup.mistaken.where")] if kind in _ELSEWHERE else []
            return " ".join([say(language, f"setup.mistaken.{kind}"), *where])
    return ""


def formless(language: Language = "en") -> str:
    """Return the sentence on what has not the form of a token."""
    return say(language, "setup.mistaken.form")


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
