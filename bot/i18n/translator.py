"""Chooses our language for a Discord locale, and translates our commands in Discord's menus. Contains no texts."""

from collections.abc import Mapping
from contextvars import ContextVar

import discord
from discord import app_commands

from bot.i18n.messages import say
from melodify_core.errors import Value
from melodify_core.models import Language

# Discord shows the English names in every locale without a translation.
_LANGUAGES: Mapping[discord.Locale, Language] = {discord.Locale.korean: "ko"}
# The language of the names that are registered without a locale. The demo's page shows no others.
untranslated: ContextVar[Language] = ContextVar("untranslated", default="en")


def language_of(locale: discord.Locale) -> Language:
    """Return our language for Discord's: Korean for Korean, English for all others."""
    return _LANGUAGES.get(locale, "en")


def localised(key: str, **values: Value) -> app_commands.locale_str:
    """Return the English text of the key with the key attached, so that Discord gets the translations too."""
    return app_commands.locale_str(say(untranslated.get(), key, **values), key=key, values=values)


class Translator(app_commands.Translator):
    """Translates the names, descriptions, options and choices of our commands for Discord."""

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        """Return the text in the locale's language; None means the English one."""
        del context
        language = _LANGUAGES.get(locale)
        key = string.extras.get("key")
        return say(language, key, **string.extras.get("values", {})) if language and key else None
