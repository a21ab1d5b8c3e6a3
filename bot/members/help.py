"""The answer to /help: what the bot does, with its commands to click and the channels that it watches here."""

from collections.abc import Collection, Mapping

from bot.i18n.messages import LANGUAGES, say
from melodify_core.config.settings import Settings
from melodify_core.models import Language
from melodify_core.providers import lengths_of

MENTIONED = ("melodify", "songs", "queue", "quota", "me", "forget_me")
NAMED_CHANNELS = 5


def help_text(language: Language, command_ids: Mapping[str, int], watched: Collection[int], settings: Settings) -> str:
    """Return the help. `watched` are channels that the reader sees."""
    pictures = settings.discord.pictures_per_message
    commands = {key: _mention(language, key, command_ids) for key in MENTIONED}
    channels = " ".join(f"<#{channel_id}>" for channel_id in sorted(watched)[:NAMED_CHANNELS])
    parts = ["make", "private", "buttons", "songs", "data"]
    parts[1:1] = [*(["watched"] if watched else []), *(["several"] if pictures > 1 else [])]
    lines = [say(language, f"help.{part}", channels=channels, pictures=pictures, **commands) for part in parts]
    return "\n".join([say(language, "help.title"), *lines, _length(language, settings), say(language, "help.formats")])


def _length(language: Language, settings: Settings) -> str:
    """Return how long songs are."""
    least, most = lengths_of(settings)
    usual = min(max(settings.song.default_seconds, least), most)
    return say(language, "help.length_fixed" if least == most else "help.length", least=least, most=most, usual=usual)


def _mention(language: Language, key: str, command_ids: Mapping[str, int]) -> str:
    """Return the command as Discord shows it to click, or its name where its id is not known."""
    name = say(language, f"command.{key}.name")
    registered = (say(other, f"command.{key}.name") for other in LANGUAGES)
    command_id = next((command_ids[each] for each in registered if each in command_ids), None)
    # Discord finds the command by its id, and shows the name that is written here.
    return f"</{name}:{command_id}>" if command_id else f"`/{name}`"
