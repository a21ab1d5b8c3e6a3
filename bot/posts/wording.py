"""Makes a model's or a member's text safe to show in a message."""

import discord

from melodify_core.brief import clean

FIELD = 1024  # discord.com/developers/docs/resources/message#embed-object-embed-limits


def safe(text: str, limit: int) -> str:
    """Return the text made safe for a message: one line, no mention, no link, no markdown, within the limit."""
    # A backslash that the cut leaves alone would escape what the message has next, such as the bars of a spoiler.
    return discord.utils.escape_markdown(clean(text, limit))[:limit].removesuffix("\\")
