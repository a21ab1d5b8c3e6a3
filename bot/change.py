"""The form behind "Change it": another hint, style or length for a song's picture."""

from typing import Any

import discord

from bot.again import wish_of
from bot.commands import LEAST_SECONDS, MOST_SECONDS
from bot.messages import say
from melodify_core.brief import HINT_CHARACTERS, STYLES, clean
from melodify_core.models import Entry, Language, Wish

Interaction = discord.Interaction[Any]
LABEL = 45  # discord.com/developers/docs/components/reference#label


class ChangeModal(discord.ui.Modal):
    """Filled in with what the song was asked for with."""

    def __init__(self, entry: Entry, language: Language) -> None:
        super().__init__(title=say(language, "change.title"))
        self._entry = entry
        wish = wish_of(entry)
        self._hint: discord.ui.TextInput[ChangeModal] = discord.ui.TextInput(
            custom_id="hint", default=wish.hint or None, required=False, max_length=HINT_CHARACTERS
        )
        self._style: discord.ui.Select[ChangeModal] = discord.ui.Select(
            custom_id="style",
            options=[
                discord.SelectOption(label=say(language, f"style.{style}"), value=style, default=style == wish.style)
                for style in STYLES
            ],
        )
        self._seconds: discord.ui.TextInput[ChangeModal] = discord.ui.TextInput(
            custom_id="seconds", default=str(wish.seconds), max_length=3
        )
        for name, component in (("hint", self._hint), ("style", self._style), ("length", self._seconds)):
            self.add_item(discord.ui.Label(text=say(language, f"change.{name}")[:LABEL], component=component))

    async def on_submit(self, interaction: Interaction, /) -> None:
        """Order what was filled in; only a changed length keeps the reading."""
        before = wish_of(self._entry)
        wish = changed(before, self._hint.value, self._style.values[0], self._seconds.value)
        same = (wish.hint, wish.style) == (before.hint, before.style)
        await interaction.client.again.order(interaction, self._entry, wish, self._entry.song.brief if same else None)


def changed(wish: Wish, hint: str, style: str, seconds: str) -> Wish:
    """Return the wish with what a member has typed; a length that is none stays as it was."""
    number = int(seconds) if seconds.strip().isascii() and seconds.strip().isdigit() else wish.seconds
    return wish.model_copy(
        update={
            "hint": clean(hint, HINT_CHARACTERS),
            "style": style if style in STYLES else wish.style,
            "seconds": min(max(number, LEAST_SECONDS), MOST_SECONDS),
        }
    )
