"""/melodify-me: what a member chooses for themselves, in all servers."""

from typing import Any, Literal, get_args

from discord import app_commands

from bot.discord_api.ephemeral import answer_ephemerally
from bot.i18n.messages import say
from bot.i18n.translator import localised
from bot.interaction import Interaction
from bot.members.definitions import member_command
from melodify_core.errors import Rejected
from melodify_core.models import Language, MemberSettings
from melodify_core.services.members import MemberService

# "server": as the server's moderators have chosen.
Notify = Literal["server", "on", "off"]
OPTIONS = ("named", "notify", "start_page")
NOTIFY: dict[str, bool | None] = {"server": None, "on": True, "off": False}


def me_command(members: MemberService, *, paged: bool) -> app_commands.Command[Any, ..., None]:
    """Return the command. Without an option it shows the member's settings. `paged`: songs have pages on the web."""
    choices = [app_commands.Choice(name=localised(f"me.notify.{name}"), value=name) for name in get_args(Notify)]

    @member_command("me")
    @app_commands.rename(**{name: localised(f"option.{name}.name") for name in OPTIONS})
    @app_commands.describe(**{name: localised(f"option.{name}.description") for name in OPTIONS})
    @app_commands.choices(notify=choices)
    async def me(
        interaction: Interaction, named: bool | None = None, notify: str | None = None, start_page: bool | None = None
    ) -> None:
        changes: dict[str, object] = {} if notify is None else {"notify": NOTIFY[notify]}
        changes |= {} if named is None else {"named": named}
        changes |= {} if start_page is None else {"start_page": start_page}

        async def answer(interaction: Interaction, language: Language) -> None:
            if start_page and not paged:
                raise Rejected("rule.no_pages")
            user_id = interaction.user.id
            settings = await (members.change_settings(user_id, **changes) if changes else members.settings_of(user_id))
            how = "" if changes else "\n" + _how(language, paged=paged)
            await interaction.edit_original_response(content=settings_text(language, settings, paged=paged) + how)

        await answer_ephemerally(interaction, answer)

    return me


def settings_text(language: Language, settings: MemberSettings, *, paged: bool) -> str:
    """Return what the member has chosen, one line each; of the start page only where there is one."""
    notify = next(name for name, value in NOTIFY.items() if value is settings.notify)
    named = "named" if settings.named else "unnamed"
    shown = "hidden" if not settings.start_page else "shown" if settings.named else "unshown"
    keys = (named, f"notified.{notify}", *((shown,) if paged else ()))
    return "\n".join(say(language, f"me.{key}") for key in keys)


def _how(language: Language, *, paged: bool) -> str:
    """Return which options change it."""
    names = (say(language, f"option.{name}.name") for name in OPTIONS if paged or name != "start_page")
    return say(language, "me.how", options=", ".join(f"`{name}`" for name in names))
