"""How the buttons and the menu under a song look. What they do is in requests, which knows them by their ids."""

import discord

from bot.i18n.messages import say
from melodify_core.models import Language

# Discord shows five buttons in a row at most. What is wanted less often is in the menu under them.
KINDS = ("another", "change", "like", "video")
SEPARATOR = " · "  # between the label of Like and the count
CHOICES = {"details": "🔎", "page": "🔗", "delete": "🗑️"}
STYLES = {"another": discord.ButtonStyle.primary, "erase": discord.ButtonStyle.danger}


def song_button(kind: str, job_id: str, language: Language) -> discord.ui.Button[discord.ui.View]:
    """Return a button of a song."""
    style = STYLES.get(kind, discord.ButtonStyle.secondary)
    return discord.ui.Button(label=say(language, f"button.{kind}"), style=style, custom_id=f"song:{kind}:{job_id}")


def page_button(language: Language, page: str) -> discord.ui.Button[discord.ui.View]:
    """Return the button that opens the song's page. Unlike a link in the text, it adds no preview to the message."""
    return discord.ui.Button(label=say(language, "button.page"), style=discord.ButtonStyle.link, url=page)


def page_of(message: discord.Message | None) -> str:
    """Return the address of the song's page from its message's title or buttons; "" without a page."""
    titles = [embed.url for embed in message.embeds] if message else []
    links = [*titles, *(button.url for button in _buttons_of(message))]
    return next((link for link in links if link), "")


def shows_job(message: discord.Message, job_id: str) -> bool:
    """Return whether the message has the buttons of the job's song."""
    ids = [button.custom_id or "" for button in _buttons_of(message)]
    return any(custom_id.startswith("song:") and custom_id.endswith(f":{job_id}") for custom_id in ids)


def with_likes(message: discord.Message, likes: int) -> discord.ui.View | None:
    """Return the message's buttons with that number of likes; None where nothing would change."""
    view, changed = discord.ui.View.from_message(message, timeout=None), False
    view.stop()
    for button in view.children:
        if isinstance(button, discord.ui.Button) and (button.custom_id or "").startswith("song:like:"):
            before = button.label or ""
            button.label = _with_note(before.partition(SEPARATOR)[0], likes)
            changed = changed or button.label != before
    return view if changed else None


def _with_note(label: str, likes: int) -> str:
    return f"{label}{SEPARATOR}{likes}" if likes else label


def _buttons_of(message: discord.Message | None) -> list[discord.Button]:
    rows = message.components if message else []
    parts = [part for row in rows if isinstance(row, discord.ActionRow) for part in row.children]
    return [part for part in parts if isinstance(part, discord.Button)]


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
    view = discord.ui.View(timeout=None)
    for kind in KINDS:
        button = song_button(kind, job_id, language)
        button.label = _with_note(button.label or "", likes if kind == "like" else 0)
        view.add_item(button)
    view.add_item(song_menu(job_id, language, page=page))
    # The client matches presses by the patterns of the ids: a stopped view is not kept in memory for each message.
    view.stop()
    return view


def menu_view(job_id: str, language: Language, *, page: bool) -> discord.ui.View:
    """Return the menu alone, for songs whose message has none."""
    view = discord.ui.View(timeout=None)
    view.add_item(song_menu(job_id, language, page=page))
    view.stop()
    return view


def page_view(language: Language, page: str) -> discord.ui.View:
    """Return the button that opens the song's page, alone."""
    view = discord.ui.View(timeout=None)
    view.add_item(page_button(language, page))
    view.stop()
    return view
