"""Which of our languages a Discord user reads, and our commands' names in Discord's menus. No words of its own."""

from collections.abc import Mapping

import discord
from discord import app_commands

from bot.i18n.messages import say
from melodify_core.models import Language

# Discord shows the English names wherever a locale has none of its own.
_OF_LOCALE: Mapping[discord.Locale, Language] = {discord.Locale.korean: "ko"}


def language_of(locale: discord.Locale) -> Language:
    """Return our language for Discord's: Korean for Korean, English for all others."""
    return _OF_LOCALE.get(locale, "en")


def localised(key: str) -> app_commands.locale_str:
    """Return the English text of the key, marked so that Discord gets its translations too."""
    return app_commands.locale_str(say("en", key), key=key)


class Translator(app_commands.Translator):
    """Gives Discord the names, descriptions, options and choices of our commands in the languages we have."""

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """Return the text in the locale's language; None leaves the English one."""
        del context
        language = _OF_LOCALE.get(locale)
        key = string.extras.get("key")
        return say(language, key) if language and key else None
