"""The form behind "Change it": another hint, style or length for a song's picture. It orders through retake.py.

Like the buttons it works after a restart: its id contains the song's, and a submission contains the values.
"""

import re
from typing import Any

import discord

from bot.discord_api.ephemeral import errors_reported
from bot.i18n.messages import say
from bot.i18n.style_names import offered_styles
from bot.posts.cancel_button import JOB
from bot.requests.retake import Interaction, RetakeOrder, wish_of
from melodify_core.brief import HINT_CHARACTERS, LEAST_SECONDS, MOST_SECONDS, clean
from melodify_core.errors import Rejected
from melodify_core.hints import length_of
from melodify_core.models import Entry, Language, Wish
from melodify_core.providers import lengths_of
from melodify_core.styles import style_choices

LABEL = 45  # discord.com/developers/docs/components/reference#label
FORM = re.compile(rf"song:changed:{JOB}")


class ChangeModal(discord.ui.Modal):
    """The form, filled in with the song's wish."""

    def __init__(self, entry: Entry, language: Language, longest_s: int = MOST_SECONDS) -> None:
        super().__init__(title=say(language, "change.title"), custom_id=f"song:changed:{entry.song.job_id}")
        wish = wish_of(entry)
        hint: discord.ui.TextInput[ChangeModal] = discord.ui.TextInput(
            custom_id="hint", default=wish.hint or None, required=False, max_length=HINT_CHARACTERS
        )
        style: discord.ui.Select[ChangeModal] = discord.ui.Select(
            custom_id="style",
            options=[
                discord.SelectOption(label=say(language, f"style.{name}"), value=name, default=name == wish.style)
                for name in offered_styles()
            ],
        )
        seconds: discord.ui.TextInput[ChangeModal] = discord.ui.TextInput(
            custom_id="seconds", default=str(wish.seconds), max_length=3
        )
        for name, component in (("hint", hint), ("style", style), ("length", seconds)):
            text = say(language, f"change.{name}", least=LEAST_SECONDS, most=longest_s)
            self.add_item(discord.ui.Label(text=text[:LABEL], component=component))
        # `on_form` matches the id: discord.py must not keep the form, which may never be submitted.
        self.stop()


async def on_form(interaction: Interaction) -> None:
    """Order the changed song if this is such a form. If only the length changes, the picture is not read again."""
    data: Any = interaction.data
    if interaction.type is not discord.InteractionType.modal_submit or not (match := FORM.fullmatch(data["custom_id"])):
        return
    job_id = match["job_id"]

    async def look_up() -> RetakeOrder:
        entry = await interaction.client.services.songs.entry(job_id, interaction.user.id)
        before = wish_of(entry)
        longest_s = lengths_of(interaction.client.services.settings)[1]
        wish = changed(before, _filled_in(data["components"]), longest_s)
        return RetakeOrder(entry, wish, same_reading=(wish.hint, wish.style) == (before.hint, before.style))

    async with errors_reported(interaction, f"song {job_id}: change"):
        await interaction.client.retake.order(interaction, look_up)


def _filled_in(labels: list[dict[str, Any]]) -> dict[str, str]:
    """Return the values of the form's fields by their ids."""
    # discord.com/developers/docs/interactions/receiving-and-responding: a text has a value, a menu has values.
    fields = [label["component"] for label in labels if "component" in label]
    return {field["custom_id"]: field.get("value") or next(iter(field.get("values") or ()), "") for field in fields}


def _length(seconds: str, longest_s: int) -> int:
    if seconds.isascii() and seconds.isdigit() and LEAST_SECONDS <= int(seconds) <= longest_s:
        return int(seconds)
    raise Rejected("song.length", least=LEAST_SECONDS, most=longest_s)


def changed(wish: Wish, fields: dict[str, str], longest_s: int = MOST_SECONDS) -> Wish:
    """Return the wish with the values that a member filled in; ignore an invalid style.

    Raises Rejected for a length that no song can have. The length that the form came with is fitted.
    """
    style, seconds = fields.get("style"), fields.get("seconds", "").strip()
    number = _length(seconds, longest_s) if seconds not in ("", str(wish.seconds)) else wish.seconds
    hint = clean(fields.get("hint", ""), HINT_CHARACTERS)
    if hint != wish.hint and number == wish.seconds:
        number = length_of(hint) or number
    return wish.model_copy(
        update={
            "hint": hint,
            "style": style if style in style_choices() else wish.style,
            "seconds": min(max(number, LEAST_SECONDS), longest_s),
        }
    )
