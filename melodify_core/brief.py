"""Words on their way in and out of a Brief: the cleaning of foreign text, the prompt for a music model."""

import re
import unicodedata
from functools import cache

from melodify_core.data_files import read_text
from melodify_core.models import Brief, Wish
from melodify_core.styles import prompt_of

NO_GENRE = "background music"
HINT_CHARACTERS = 200
LEAST_SECONDS, MOST_SECONDS = 10, 120  # of a song
NEGATIVE_PROMPT = "vocals, singing, speech, low quality, distortion, silence"

_MENTION = re.compile(
    r"<(?:@[!&]?|#|a?:\w{1,32}:|/[^:>]{1,64}:|t:|id:)[^>\s]{0,64}>|@(?:everyone|here)\b", re.IGNORECASE
)
_LINK = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)\S+", re.IGNORECASE)
# Addresses that are written without "https://": the endings that people send each other.
# All counts are bounded: an open one would take the square of a hostile text's length.
_BARE_LINK = re.compile(
    r"\b(?:[a-z0-9-]{1,63}\.){1,8}(?:com|net|org|info|biz|gg|io|me|ly|tv|app|dev|xyz|example|ru|cn|de|kr|jp|uk|gift|link|site|shop)"
    r"\b(?:[:/?]\S*)?",
    re.IGNORECASE,
)
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_HANDLE = re.compile(r"(?<!\w)@\w[\w.]*")
_MARKDOWN = re.compile(r"[*_~`|>#\\\[\]<]+")
# A name: words with capitals, after the turn of phrase. The turn itself is written in any case.
_NAME_WORD = r"[A-Z0-9](?:[\w.'’&-]*[\w'’&])?"
_NAME = rf"(?!(?:A|An|The|This)\b){_NAME_WORD}(?:\s+(?:(?:and|of|the|de|la|van|von|&)\s+)*{_NAME_WORD})*"
# Music models refuse prompts that name artists, and a caption should not claim them. No list is whole, artists.txt is
# not either: the turns of phrase around a name catch what it misses.
_LIKENESSES = (
    re.compile(r"(?i:\b(?:in|with)\s+(?:the|a)\s+(?:style|manner|vein|spirit|sound|voice)s?\s+of)\s+[^.,;:!?()]*"),
    re.compile(
        r"(?i:\b(?:inspired\s+by|reminiscent\s+of|sounds?\s+like|sounding\s+like|(?:cover|remix)\s+of|"
        r"(?:performed|sung|composed|written)\s+by|feat\.|featuring|"
        r"(?<=song )by|(?<=track )by|(?<=theme )by|(?<=music )by))"
        rf"\s+{_NAME}"
    ),
    re.compile(rf"{_NAME}(?i:-style|-esque|esque|-inspired|-like|\s+type\s+beat)\b"),
)


@cache
def _artists() -> re.Pattern[str]:
    names = map(re.escape, read_text("melodify_core", "artists.txt").splitlines())
    # Korean and Japanese write particles onto a name.
    return re.compile(rf"(?<!\w)(?:{'|'.join(names)})(?:['’]s?)?(?![a-z0-9_])", re.IGNORECASE)


def clean(text: str, limit: int) -> str:
    """Return foreign text as one harmless line of at most `limit` characters.

    Remove control, format (zero-width, right-to-left override), surrogate and private characters, mentions, links and
    markdown, and fold white space. Emoji joiners are removed too: an emoji may fall apart, but no text can hide.
    """
    # A first cut bounds the work on hostile lengths; four times leaves room for what is taken out.
    text = unicodedata.normalize("NFC", text[: limit * 4])
    text = "".join(_plain(character) for character in text)
    for pattern in (_MENTION, _LINK, _EMAIL, _BARE_LINK, _MARKDOWN):
        text = pattern.sub(" ", text)
    return _clipped(" ".join(text.split()), limit)


def plain_words(text: str, limit: int) -> str:
    """Return a model's text for a Brief: cleaned, and without addresses, artists' names and likenesses.

    A name that is in no list and follows no such phrase stays; the musical fields have closed lists against that.
    """
    # Room for what is taken out; the cut comes last.
    text = clean(text, limit * 4)
    for pattern in (_HANDLE, *_LIKENESSES, _artists()):
        text = pattern.sub(" ", text)
    text = re.sub(r"\s+([.,;:!?)])", r"\1", " ".join(text.replace("@", " ").split()))
    return _clipped(text.strip(" ,;:-"), limit)


def _clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cf", "Cs", "Co", "Cn"):
        return ""
    return " " if category in ("Cc", "Zl", "Zp", "Zs") else character


def music_prompt(brief: Brief, wish: Wish) -> str:
    """Return the prompt for a music model, composed of the Brief's musical fields only.

    It does not contain the hint, which has steered the Brief. Words that were smuggled in through a picture or a hint
    can at most become the name of an instrument.
    """
    style = prompt_of(wish.style)
    sentences = [
        f"Instrumental {style or brief.genre or NO_GENRE}",
        f"{', '.join(brief.mood)} mood, {brief.energy} energy",
        f"{brief.bpm} BPM in a {brief.mode} key",
        f"featuring {', '.join(brief.instruments)}",
        brief.arrangement.rstrip("."),
        brief.soundscape.rstrip("."),
    ]
    return ". ".join(sentence for sentence in sentences if sentence) + "."


def short_prompt(brief: Brief, wish: Wish) -> str:
    """Return a plainer prompt than `music_prompt`, for a model that took offence at that one."""
    style = prompt_of(wish.style)
    return f"Instrumental {style or NO_GENRE}. {brief.energy} energy, {brief.bpm} BPM, {brief.mode} key."
