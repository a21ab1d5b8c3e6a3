"""/melodify-me: what a member chooses for themselves, in all servers."""

from typing import Any, Literal, get_args

from discord import app_commands

from bot.discord_api.ephemeral import answer_ephemerally
from bot.i18n.messages import say
from bot.i18n.translator import localised
from bot.interaction import Interaction
from bot.members.definitions import member_command
from melodify_core.models import Language, MemberSettings
from melodify_core.services.members import MemberService

# "server": as the server's moderators have chosen.
Notify = Literal["server", "on", "off"]
NOTIFY: dict[str, bool | None] = {"server": None, "on": True, "off": False}


def me_command(members: MemberService) -> app_commands.Command[Any, ..., None]:
    """Return the command. Without an option it shows the member's settings."""
    choices = [app_commands.Choice(name=localised(f"me.notify.{name}"), value=name) for name in get_args(Notify)]

    @member_command("me")
    @app_commands.rename(named=localised("option.named.name"), notify=localised("option.notify.name"))
    @app_commands.describe(named=localised("option.named.description"), notify=localised("option.notify.description"))
    @app_commands.choices(notify=choices)
    async def me(interaction: Interaction, named: bool | None = None, notify: str | None = None) -> None:
        changes: dict[str, object] = {} if named is None else {"named": named}
        if notify is not None:
            changes["notify"] = NOTIFY[notify]

        async def answer(interaction: Interaction, language: Language) -> None:
            user_id = interaction.user.id
            settings = await (members.change_settings(user_id, **changes) if changes else members.settings_of(user_id))
            await interaction.edit_original_response(content=settings_text(language, settings))

        await answer_ephemerally(interaction, answer)

    return me


def settings_text(language: Language, settings: MemberSettings) -> str:
    """Return what the member has chosen, one line each."""
    notify = next(name for name, value in NOTIFY.items() if value is settings.notify)
    named = "named" if settings.named else "unnamed"
    return f"{say(language, f'me.{named}')}\n{say(language, f'me.notified.{notify}')}"
