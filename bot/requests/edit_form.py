"""The form behind "Change it": another hint, style or length for a song's picture. It orders through retake.py.

Like the buttons it works after a restart: its id contains the song's, and a submission contains the values.
"""

import re
from collections.abc import Mapping
from typing import Any

import discord

from bot.discord_api.components import view_of
from bot.discord_api.ephemeral import errors_reported
from bot.i18n.messages import say, sentence
from bot.i18n.style_names import offered_styles
from bot.i18n.translator import language_of
from bot.posts.cancel_button import JOB
from bot.posts.song_view import song_button
from bot.requests.retake import Interaction, RetakeOrder, wish_of
from melodify_core.brief import HINT_CHARACTERS, LEAST_SECONDS, MOST_SECONDS, clean
from melodify_core.errors import Rejected
from melodify_core.hints import length_of
from melodify_core.models import Entry, Language, Wish
from melodify_core.providers import lengths_of
from melodify_core.styles import style_choices

LABEL = 45  # discord.com/developers/docs/components/reference#label
FORM = re.compile(rf"song:changed:{JOB}")
LENGTH_CHARACTERS = 20
_LENGTH = re.compile(
    r"(?:([0-9]{1,2}) ?(?::|m|min|mins|minutes?|분) ?)?(?:([0-9]{1,4}) ?(?:s|sec|secs|seconds?|초)?)?", re.IGNORECASE
)
BARS = "||"  # Discord hides what is between two of them
_COVERED = re.compile(r"\|\|.+\|\|", re.DOTALL)


class ChangeModal(discord.ui.Modal):
    """The form, filled in with the song's wish, or with what was `typed` before."""

    def __init__(
        self, entry: Entry, language: Language, longest_s: int = MOST_SECONDS, typed: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(title=say(language, "change.title"), custom_id=f"song:changed:{entry.song.job_id}")
        wish = wish_of(entry)
        typed = typed or {"hint": _as_written(wish), "style": wish.style, "seconds": str(wish.seconds)}
        hint: discord.ui.TextInput[ChangeModal] = discord.ui.TextInput(
            custom_id="hint",
            default=typed["hint"] or None,
            required=False,
            max_length=HINT_CHARACTERS + 2 * len(BARS),
        )
        style: discord.ui.Select[ChangeModal] = discord.ui.Select(
            custom_id="style",
            options=[
                discord.SelectOption(label=say(language, f"style.{name}"), value=name, default=name == typed["style"])
                for name in offered_styles()
            ],
        )
        seconds: discord.ui.TextInput[ChangeModal] = discord.ui.TextInput(
            custom_id="seconds", default=typed["seconds"], max_length=LENGTH_CHARACTERS
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
    job_id, filled_in = match["job_id"], _filled_in(data["components"])

    async def look_up() -> RetakeOrder:
        entry = await interaction.client.services.songs.entry(job_id, interaction.user.id)
        before = wish_of(entry)
        longest_s = lengths_of(interaction.client.services.settings)[1]
        wish = changed(before, filled_in, longest_s)
        return RetakeOrder(entry, wish, same_reading=(wish.hint, wish.style) == (before.hint, before.style))

    async with errors_reported(interaction, f"song {job_id}: change"):
        try:
            await interaction.client.retake.order(interaction, look_up)
        except Rejected as error:
            if error.code != "song.length":
                raise
            await _offer_again(interaction, error, job_id, filled_in)


async def _offer_again(interaction: Interaction, error: Rejected, job_id: str, typed: Mapping[str, str]) -> None:
    """Say what is wrong, with a button that opens the form again: Discord cannot answer a form with a form."""
    language = language_of(interaction.locale)
    again = song_button("again", job_id, language)
    again.custom_id = f"song:again:{typed.get('style', '')}:{typed.get('seconds', '')}:{job_id}"
    # A footer shows the hint as it was written; a restart leaves nothing but this message.
    embeds = [discord.Embed().set_footer(text=hint)] if (hint := typed.get("hint", "")) else []
    text = sentence(language, error)
    await interaction.response.send_message(text, embeds=embeds, view=view_of(again), ephemeral=True)


def typed_before(message: discord.Message | None, style: str, seconds: str) -> dict[str, str]:
    """Return what was typed into the form, by the button that opens it again and the message under which it is."""
    hints = [embed.footer.text or "" for embed in message.embeds] if message else []
    return {"hint": "".join(hints), "style": style, "seconds": seconds}


def _filled_in(labels: list[dict[str, Any]]) -> dict[str, str]:
    """Return the values of the form's fields by their ids."""
    # discord.com/developers/docs/interactions/receiving-and-responding: a text has a value, a menu has values.
    fields = [label["component"] for label in labels if "component" in label]
    return {field["custom_id"]: field.get("value") or next(iter(field.get("values") or ()), "") for field in fields}


def is_covered(hint: str) -> bool:
    """Return whether a member wrote the hint, or a part of it, as a spoiler."""
    return _COVERED.search(hint) is not None


def _as_written(wish: Wish) -> str:
    return f"{BARS}{wish.hint}{BARS}" if wish.covered and wish.hint else wish.hint


def _length(text: str, longest_s: int) -> int:
    """Return the seconds of "45", "45 s", "1:30" or "1분 30초"."""
    if found := _LENGTH.fullmatch(text):
        seconds = 60 * int(found[1] or 0) + int(found[2] or 0)
        if LEAST_SECONDS <= seconds <= longest_s:
            return seconds
    raise Rejected("song.length", least=LEAST_SECONDS, most=longest_s)


def changed(wish: Wish, fields: dict[str, str], longest_s: int = MOST_SECONDS) -> Wish:
    """Return the wish with the values that a member filled in; ignore an invalid style.

    Raises Rejected for a length that no song can have. The length that the form came with is fitted.
    """
    style, seconds = fields.get("style"), fields.get("seconds", "").strip()
    number = _length(seconds, longest_s) if seconds not in ("", str(wish.seconds)) else wish.seconds
    written = fields.get("hint", "")
    hint = clean(written, HINT_CHARACTERS)
    if hint != wish.hint and number == wish.seconds:
        number = length_of(hint) or number
    return wish.model_copy(
        update={
            "hint": hint,
            "covered": is_covered(written),
            "style": style if style in style_choices() else wish.style,
            "seconds": min(max(number, LEAST_SECONDS), longest_s),
        }
    )
