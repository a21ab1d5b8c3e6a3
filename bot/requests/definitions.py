"""The definitions of /melodify and of its menu entry in all languages, and the registration of all commands.

What they do is in cog.py.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol

import discord
from discord import app_commands

from bot.i18n.style_names import offered_styles
from bot.i18n.translator import Translator, localised
from bot.interaction import Interaction
from melodify_core.brief import HINT_CHARACTERS, LEAST_SECONDS, MOST_SECONDS

if TYPE_CHECKING:
    from melodify_core.library import Notes

log = logging.getLogger(__name__)

REGISTERED = "commands"
IDS = "command ids"
OPTIONS = ("image", "hint", "style", "length", "private")


class RunMelodify(Protocol):
    """What the command calls, with the member's options; None for one that was left out."""

    async def __call__(
        self,
        interaction: Interaction,
        image: discord.Attachment,
        *,
        hint: str | None,
        style: str | None,
        seconds: int | None,
        private: bool,
    ) -> None:
        """Answer the interaction."""


def melodify_command(run: RunMelodify, longest_s: int = MOST_SECONDS) -> app_commands.Command[Any, ..., None]:
    """Return the command for songs of up to `longest_s`. Not built at import: its texts are read from files."""
    described = {option: localised(f"option.{option}.description") for option in OPTIONS if option != "length"}
    described["length"] = localised("option.length.description", least=LEAST_SECONDS, most=longest_s)
    seconds = app_commands.Range[int, LEAST_SECONDS, longest_s]
    styles = [app_commands.Choice(name=localised(f"style.{style}"), value=style) for style in offered_styles()]

    @app_commands.command(
        name=localised("command.melodify.name"), description=localised("command.melodify.description")
    )
    @app_commands.rename(**{option: localised(f"option.{option}.name") for option in OPTIONS})
    @app_commands.describe(**described)
    @app_commands.choices(style=styles)
    @app_commands.allowed_installs(guilds=True, users=True)
    @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
    async def melodify(
        interaction: Interaction,
        image: discord.Attachment,
        hint: app_commands.Range[str, 1, HINT_CHARACTERS] | None = None,
        style: str | None = None,
        length: seconds | None = None,
        private: bool = False,
    ) -> None:
        await run(interaction, image, hint=hint, style=style, seconds=length, private=private)

    return melodify


def melodify_menu(run: Callable[[Interaction, discord.Message], Awaitable[None]]) -> app_commands.ContextMenu:
    """Return the entry in the "Apps" menu of messages."""

    async def melodify(interaction: Interaction, message: discord.Message) -> None:
        await run(interaction, message)

    return app_commands.ContextMenu(
        name=localised("menu.melodify.name"),
        callback=melodify,
        allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        allowed_contexts=app_commands.AppCommandContext(guild=True, dm_channel=True, private_channel=True),
    )


async def sync_commands(
    tree: app_commands.CommandTree[Any], application_id: int, notes: "Notes | None"
) -> dict[str, int]:
    """Register the commands with Discord, unless `notes` says that exactly these are registered already.

    Return their ids by their names.

    Discord allows 200 command creations a day: a bot that restarts often must not register each time.
    """
    translator = tree.translator or Translator()
    payload = [await command.get_translated_payload(tree, translator) for command in tree.get_commands()]
    digest = hashlib.sha256(json.dumps([application_id, payload], sort_keys=True).encode()).hexdigest()
    if notes is not None and await asyncio.to_thread(notes.text, REGISTERED) == digest:
        known = await asyncio.to_thread(notes.text, IDS)
        return {name: int(number) for name, number in json.loads(known or "{}").items()}
    ids = {command.name: command.id for command in await tree.sync()}
    log.info("registered %d commands with Discord", len(payload))
    if notes is not None:
        await asyncio.to_thread(notes.write, IDS, json.dumps(ids))
        await asyncio.to_thread(notes.write, REGISTERED, digest)
    return ids
