"""How the buttons and the menu under a song look. What they do is in requests, which knows them by their ids."""

import discord

from bot.discord_api.components import view_of
from bot.i18n.messages import say
from melodify_core.models import Language

# Discord shows five buttons in a row at most. What is wanted less often is in the menu under them.
KINDS = ("another", "change", "like", "video")
SEPARATOR = " · "  # between the label of Like and the count
CHOICES = {"details": "🔎", "page": "🔗", "delete": "🗑️"}
STYLES = {"another": discord.ButtonStyle.primary, "erase": discord.ButtonStyle.danger}


def song_button(kind: str, job_id: str, language: Language, likes: int = 0) -> discord.ui.Button[discord.ui.View]:
    """Return a button of a song, with the number of `likes` behind its label."""
    label = _with_likes(say(language, f"button.{kind}"), likes)
    style = STYLES.get(kind, discord.ButtonStyle.secondary)
    return discord.ui.Button(label=label, style=style, custom_id=f"song:{kind}:{job_id}")


def _with_likes(label: str, likes: int) -> str:
    return f"{label}{SEPARATOR}{likes}" if likes else label


def page_button(language: Language, page: str) -> discord.ui.Button[discord.ui.View]:
    """Return the button that opens the song's page. Unlike a link in the text, it adds no preview to the message."""
    return discord.ui.Button(label=say(language, "button.page"), style=discord.ButtonStyle.link, url=page)


def shows_job(message: discord.Message, job_id: str) -> bool:
    """Return whether the message has the buttons of the job's song."""
    parts = [part for row in message.components if isinstance(row, discord.ActionRow) for part in row.children]
    ids = [part.custom_id or "" for part in parts if isinstance(part, discord.Button)]
    return any(custom_id.startswith("song:") and custom_id.endswith(f":{job_id}") for custom_id in ids)


def with_likes(message: discord.Message, likes: int) -> discord.ui.View | None:
    """Return the message's buttons with that number of likes; None where nothing would change."""
    view, changed = discord.ui.View.from_message(message, timeout=None), False
    view.stop()
    for button in view.children:
        if isinstance(button, discord.ui.Button) and (button.custom_id or "").startswith("song:like:"):
            before = button.label or ""
            button.label = _with_likes(before.partition(SEPARATOR)[0], likes)
            changed = changed or button.label != before
    return view if changed else None


def song_menu(job_id: str, language: Language, *, page: bool) -> discord.ui.Select[discord.ui.View]:
    """Return the menu of a song, with its `page` where it has one."""
    options = [
        discord.SelectOption(
            label=say(language, f"choice.{kind}"),
            value=kind,
            description=say(language, f"choice.{kind}_text"),
            emoji=emoji,
        )
        for kind, emoji in CHOICES.items()
        if page or kind != "page"
    ]
    return discord.ui.Select(custom_id=f"song:menu:{job_id}", placeholder=say(language, "choice.more"), options=options)


def song_view(job_id: str, language: Language, likes: int = 0, *, page: bool) -> discord.ui.View:
    """Return the row of buttons under a song, and the menu."""
    buttons = [song_button(kind, job_id, language, likes if kind == "like" else 0) for kind in KINDS]
    return view_of(*buttons, song_menu(job_id, language, page=page))
