"""How the buttons under a song look. What they do is in requests/song_buttons.py, which knows them by their ids."""

import discord

from bot.i18n.messages import say
from melodify_core.models import Language

KINDS = ("another", "change", "like", "video", "details", "delete")
STYLES = {"another": discord.ButtonStyle.primary, "erase": discord.ButtonStyle.danger}


def song_button(kind: str, job_id: str, language: Language, note: str = "") -> discord.ui.Button[discord.ui.View]:
    """Return a button of a song; `note` follows its label."""
    label = f"{say(language, f'button.{kind}')} {note}".strip()
    style = STYLES.get(kind, discord.ButtonStyle.secondary)
    return discord.ui.Button(label=label, style=style, custom_id=f"song:{kind}:{job_id}")


def page_button(language: Language, page: str) -> discord.ui.Button[discord.ui.View]:
    """Return the button that opens the song's page. Unlike a link in the text, it adds no preview to the message."""
    return discord.ui.Button(label=say(language, "button.page"), style=discord.ButtonStyle.link, url=page)


def page_of(message: discord.Message | None) -> str:
    """Return the address of the song's page from the buttons of its message; "" without a page."""
    rows = message.components if message else []
    parts = [part for row in rows if isinstance(row, discord.ActionRow) for part in row.children]
    return next((part.url for part in parts if isinstance(part, discord.Button) and part.url), "")


def song_view(job_id: str, language: Language, likes: int = 0, page: str = "") -> discord.ui.View:
    """Return the buttons under a song; `page` is the address of its page, "" without one."""
    view = discord.ui.View(timeout=None)
    for kind in KINDS:
        view.add_item(song_button(kind, job_id, language, f"· {likes}" if kind == "like" and likes else ""))
    if page:
        view.add_item(page_button(language, page))
    # The client matches presses by the patterns of the ids: a stopped view is not kept in memory for each message.
    view.stop()
    return view
