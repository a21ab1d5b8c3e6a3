"""What the definitions of the members' commands share."""

from collections.abc import Callable
from typing import Any

from discord import app_commands

from bot.discord_api.ephemeral import Answer, answer_ephemerally
from bot.i18n.translator import localised
from bot.interaction import Interaction


def member_command(key: str) -> Callable[[Any], app_commands.Command[Any, ..., None]]:
    """Return the decorator for a command that is named by the catalogue and usable everywhere."""

    def decorate(callback: Any) -> app_commands.Command[Any, ..., None]:
        command: app_commands.Command[Any, ..., None] = app_commands.command(
            name=localised(f"command.{key}.name"), description=localised(f"command.{key}.description")
        )(callback)
        command = app_commands.allowed_installs(guilds=True, users=True)(command)
        return app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)(command)

    return decorate


def plain_command(key: str, answer: Answer) -> app_commands.Command[Any, ..., None]:
    """Return a command without options, which `answer` answers to its member alone."""

    @member_command(key)
    async def run(interaction: Interaction) -> None:
        await answer_ephemerally(interaction, answer)

    return run
