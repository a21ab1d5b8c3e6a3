"""How the buttons under a song look. What they do stands in song_buttons.py; only the ids connect the two."""

import discord

from bot.messages import say
from melodify_core.models import Language

KINDS = ("another", "change", "like", "video", "details", "delete")
STYLES = {"another": discord.ButtonStyle.primary, "erase": discord.ButtonStyle.danger}


def song_button(kind: str, job_id: str, language: Language, note: str = "") -> discord.ui.Button[discord.ui.View]:
    """Return a button of a song; `note` stands behind its label."""
    label = f"{say(language, f'button.{kind}')} {note}".strip()
    style = STYLES.get(kind, discord.ButtonStyle.secondary)
    return discord.ui.Button(label=label, style=style, custom_id=f"song:{kind}:{job_id}")


def song_view(job_id: str, language: Language, likes: int = 0) -> discord.ui.View:
    """Return the buttons under a song."""
    view = discord.ui.View(timeout=None)
    for kind in KINDS:
        view.add_item(song_button(kind, job_id, language, f"· {likes}" if kind == "like" and likes else ""))
    # The client listens by the patterns of the ids: a view that is done is not kept for each message.
    view.stop()
    return view
