"""The display names of styles and genres, and which styles Discord's menus offer.

These are all that have a display name in both languages, as far as a menu reaches.
"""

from collections.abc import Sequence

from bot.i18n.messages import LANGUAGES, catalogue, name_of
from melodify_core.errors import Misconfigured
from melodify_core.models import Language
from melodify_core.styles import all_styles, style_choices

MOST_CHOICES = 25  # discord.com/developers/docs/interactions/application-commands; menus in forms have as many


def offered_styles(styles: Sequence[str] = ()) -> Sequence[str]:
    """Return the styles (default: all there are), "auto" first. Raises Misconfigured if a menu cannot show them."""
    styles = styles or style_choices()
    problems = [
        f"The style {style} has no display name: add it to [style] in bot/i18n/locales/{language}.toml."
        for language in LANGUAGES
        for style in styles
        if f"style.{style}" not in catalogue(language)
    ]
    if len(styles) > MOST_CHOICES:
        most = MOST_CHOICES - 1
        problems.append(
            f"Discord's menus show at most {most} styles, and melodify_core/styles has {len(styles) - 1}: "
            f"remove {len(styles) - MOST_CHOICES} of its files."
        )
    if problems:
        raise Misconfigured(*problems)
    return styles


def style_of(language: Language, chosen: str, genre: str) -> str:
    """Return the name of the style that a member chose, or with "auto" that of the song's genre."""
    return genre_name(language, genre) if chosen == "auto" else name_of(language, "style", chosen)


def genre_name(language: Language, genre: str) -> str:
    """Return the name of the style that has the genre, or the genre itself, as a captioner wrote it."""
    own = next((name for name, style in all_styles().items() if style.brief.genre == genre), genre)
    return name_of(language, "style", own)
