"""What our buttons and menus share: they work after a restart, because the client knows them by their ids' patterns."""

import re
from collections.abc import Callable
from typing import Any, Self

import discord

from bot.i18n.translator import language_of


class Recreated:
    """A component that is made anew when it is used: the names in its id's pattern are its constructor's parameters."""

    @classmethod
    async def from_custom_id(
        cls, interaction: discord.Interaction[Any], item: discord.ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Return the component that was used, in the language of the member who used it."""
        del item
        made: Callable[..., Self] = cls
        return made(**match.groupdict(), language=language_of(interaction.locale))


def view_of(*items: discord.ui.Item[Any]) -> discord.ui.View:
    """Return a view with the items. It is stopped: the client need not keep it in memory for each message."""
    view = discord.ui.View(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view
