"""Words on their way in and out of a Brief: the cleaning of foreign text, the prompt for a music model."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from melodify_core.data_files import read_text
from melodify_core.models import Brief, Wish
from melodify_core.styles import prompt_of

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

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
# What looks like an address, with any dot that browsers take for one. Its end decides: see `_defused`.
_DOMAIN = re.compile(r"(?<!\w)\w[\w-]{0,62}(?:[.\uff0e\u3002\uff61][\w-]{1,63})+(?P<rest>(?::\d{1,5})?[/?]\S*)?")
_DOT = re.compile("[.\uff0e\u3002\uff61]")
_EMAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_HANDLE = re.compile(r"(?<!\w)@\w[\w.]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# Emoji are joined by the one, and coloured by the other.
_JOINER, _COLOUR = "\u200d", "\ufe0f"
# The flags that are a black flag and a region in tags (UTS 51, annex C): other tags would only hide words.
_TAGS = {ord(letter): 0xE0000 + ord(letter) for letter in "abcdefghijklmnopqrstuvwxyz"}
_FLAG = re.compile("|".join(f"\U0001f3f4{region.translate(_TAGS)}\U000e007f" for region in ("gbeng", "gbsct", "gbwls")))
# Signs that look like a space: Hangul's fillers, Braille without dots, a note without a head.
_BLANKS = frozenset("\u3164\uffa0\u2800\U0001d159")
# Signs that show nothing (Default_Ignorable_Code_Point) and are letters or marks by their category.
_UNSEEN = frozenset(
    map(
        chr,
        (
            0x34F,
            0x115F,
            0x1160,
            0x17B4,
            0x17B5,
            *range(0x180B, 0x1810),
            *range(0xFE00, 0xFE0F),
            *range(0xE0100, 0xE01F0),
        ),
    )
)
# Accents of one letter. Hebrew and Thai have up to three; more of them climb over the lines above.
_MOST_MARKS = 3
# What cleaning glues together is cleaned again. Each round takes something away, and few texts need a third.
_ROUNDS = 20
# "C#" is a key, and "90~120" a range.
_MARKDOWN = re.compile(r"(?:[*_`|>\\\[\]<]|(?<!\b[A-Ga-g])#|(?<!\d)~|~(?!\d))+")
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


@cache
def _titles() -> re.Pattern[str]:
    titles = map(re.escape, read_text("melodify_core", "titles.txt").splitlines())
    return re.compile(rf"(?<!\w)(?:{'|'.join(titles)})(?![a-z0-9_])", re.IGNORECASE)


def names_in(hint: str) -> tuple[str, ...]:
    """Return the artists, songs and films that a cleaned hint names, as written. The lists are not whole."""
    return tuple(found[0] for pattern in (_titles(), _artists()) for found in pattern.finditer(hint))


def without_names(hint: str) -> str:
    """Return the hint without what `names_in` finds, each replaced by spaces of its length."""
    for pattern in (_titles(), _artists()):
        hint = pattern.sub(lambda found: " " * len(found[0]), hint)
    return hint


def clean(text: str, limit: int) -> str:
    """Return foreign text as one harmless line of at most `limit` characters.

    Remove control, format (zero-width, right-to-left override), surrogate, private and invisible characters, mentions,
    links and markdown, and fold white space. Emoji stay whole. What cleaning has put together is cleaned again, so
    the result is clean itself.
    """
    # A first cut bounds the work on hostile lengths; four times leaves room for what is taken out.
    text = text[: limit * 4]
    for _ in range(_ROUNDS):
        before, text = text, _cleaned(text, limit)
        if text == before:
            break
    return text


def _cleaned(text: str, limit: int) -> str:
    text = _visible(unicodedata.normalize("NFC", text))
    for pattern in (_MENTION, _LINK, _EMAIL, _BARE_LINK, _MARKDOWN):
        text = pattern.sub(" ", text)
    text = _DOMAIN.sub(_defused, text)
    return _clipped(" ".join(text.split()), limit)


def plain_words(text: str, limit: int) -> str:
    """Return a model's text for a Brief: cleaned, and without addresses, artists' names and likenesses.

    A name that is in no list and follows no such phrase stays; the musical fields have closed lists against that.
    """
    for _ in range(_ROUNDS):
        before, text = text, _without_names(text, limit)
        if text == before:
            break
    return text


def _without_names(text: str, limit: int) -> str:
    # Room for what is taken out; the cut comes last.
    text = clean(text, limit * 4)
    for pattern in (_HANDLE, *_LIKENESSES, _artists()):
        text = pattern.sub(" ", text)
    text = re.sub(r"\s+([.,;:!?)])", r"\1", " ".join(text.replace("@", " ").split()))
    return _clipped(text.strip(" ,;:-"), limit)


def _clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _visible(text: str) -> str:
    """Return the text without what nobody sees, with joiners between emoji only, and with few marks on a letter."""
    if text.isascii():
        return _CONTROL.sub(" ", text)
    plain = "".join(_plain(part) if len(part) == 1 else part for part in _parts(text))
    kept: list[str] = []
    marks = 0
    for before, character, after in zip(f" {plain}", plain, f"{plain[1:]} ", strict=False):
        if character == _JOINER:
            fits = (before == _COLOUR or _is_emoji(before)) and _is_emoji(after)
        elif character == _COLOUR:
            fits = not before.isspace() and before not in (_JOINER, _COLOUR)
        elif unicodedata.category(character) in ("Mn", "Me"):
            marks += 1
            fits = marks <= _MOST_MARKS and bool(kept) and not kept[-1].isspace()
        else:
            marks, fits = 0, True
        if fits:
            kept.append(character)
    return "".join(kept)


def _parts(text: str) -> Iterator[str]:
    """Yield the characters; a flag of tags, which alone are nothing, is one part."""
    at = 0
    for flag in _FLAG.finditer(text):
        yield from text[at : flag.start()]
        yield flag[0]
        at = flag.end()
    yield from text[at:]


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if character == _JOINER:
        return character
    if character in _UNSEEN or category in ("Cf", "Cs", "Co") or (category == "Cn" and not _is_emoji(character)):
        return ""
    return " " if character in _BLANKS or category in ("Cc", "Zl", "Zp", "Zs") else character


def _is_emoji(character: str) -> bool:
    # The block is reserved for emoji, also for those that are newer than this Python's tables.
    return "\U0001f000" <= character <= "\U0001faff" or unicodedata.category(character) == "So"


def _defused(found: re.Match[str]) -> str:
    """Return what looked like an address: nothing where it leads somewhere, else with spaces that make it words.

    A sentence may lack its space ("at dusk.It was"), so the words stay.
    """
    if not any(map(_is_top_level, _DOT.split(found[0].removesuffix(found["rest"] or ""))[1:])):
        return found[0]
    return " " if found["rest"] else _DOT.sub(lambda dot: f"{dot[0]} ", found[0])


def _is_top_level(label: str) -> bool:
    # Below some top levels every name is a suffix: two labels more are enough for those too. Browsers read full width
    # letters as plain ones.
    return _suffixes().publicsuffix(f"a.b.{unicodedata.normalize('NFKC', label)}") is not None


@cache
def _suffixes() -> "PublicSuffixList":
    # The list has ten thousand lines, and not every process reads foreign text.
    from publicsuffixlist import PublicSuffixList

    return PublicSuffixList(accept_unknown=False, only_icann=True)


def music_prompt(brief: Brief, wish: Wish) -> str:
    """Return the prompt for a music model, composed of the Brief's musical fields only.

    It does not contain the hint, which has steered the Brief. Words that were smuggled in through a picture or a hint
    can at most become the name of an instrument.
    """
    style = prompt_of(wish.style)
    sentences = [
        f"Instrumental {style or brief.genre or NO_GENRE}",
        f"{', '.join(brief.mood)} mood, {brief.energy} energy",
        f"{brief.bpm} BPM in {_key(brief)}",
        f"in {brief.meter} time" if brief.meter else "",
        f"featuring {', '.join(brief.instruments)}",
        f"without {', '.join(brief.without)}" if brief.without else "",
        brief.arrangement.rstrip("."),
        brief.soundscape.rstrip("."),
    ]
    return ". ".join(sentence for sentence in sentences if sentence) + "."


def _key(brief: Brief) -> str:
    named = (name.removeprefix("key.") for name in brief.heard if name.startswith("key."))
    return next((name for name in named if name.endswith(brief.mode)), f"a {brief.mode} key")


def short_prompt(brief: Brief, wish: Wish) -> str:
    """Return a plainer prompt than `music_prompt`, for a model that took offence at that one."""
    style = prompt_of(wish.style)
    return f"Instrumental {style or NO_GENRE}. {brief.energy} energy, {brief.bpm} BPM, {brief.mode} key."
