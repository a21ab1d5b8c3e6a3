"""Words on their way in and out of a Brief: the styles, the cleaning of foreign text, the prompt for a music model."""

import re
import unicodedata

from melodify_core.models import Brief, Wish

# Every style a member can choose, with the words a music model understands. "auto" follows the picture.
STYLES: dict[str, str] = {
    "auto": "",
    "lofi": "lo-fi hip hop with dusty drums and mellow electric piano",
    "ambient": "slow ambient with wide pads and no drums",
    "cinematic": "cinematic orchestral score with strings and French horn",
    "piano": "solo piano",
    "jazz": "jazz trio with piano, upright bass and brushed drums",
    "folk": "acoustic folk with fingerpicked guitar",
    "synthwave": "synthwave with analog synthesisers and gated drums",
    "house": "melodic house with four-on-the-floor drums",
}
HINT_CHARACTERS = 200
NEGATIVE_PROMPT = "vocals, singing, speech, low quality, distortion, silence"

_MENTION = re.compile(
    r"<(?:@[!&]?|#|a?:\w{1,32}:|/[^:>]{1,64}:|t:|id:)[^>\s]{0,64}>|@(?:everyone|here)\b", re.IGNORECASE
)
_LINK = re.compile(r"(?:[a-z][a-z0-9+.-]{1,20}://|www\.)\S+", re.IGNORECASE)
_MARKDOWN = re.compile(r"[*_~`|>#\\\[\]<]+")


def clean(text: str, limit: int) -> str:
    """Return foreign text as one harmless line of at most `limit` characters.

    Control, format (zero-width, right-to-left override), surrogate and private characters go; so do mentions,
    links and markdown; white space is folded. Emoji joiners go too: an emoji may fall apart, no text may hide.
    """
    # A first cut bounds the work on hostile lengths; four times leaves room for what is taken out.
    text = unicodedata.normalize("NFC", text[: limit * 4])
    text = "".join(_plain(character) for character in text)
    for pattern in (_MENTION, _LINK, _MARKDOWN):
        text = pattern.sub(" ", text)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _plain(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cf", "Cs", "Co", "Cn"):
        return ""
    return " " if category in ("Cc", "Zl", "Zp", "Zs") else character


def music_prompt(brief: Brief, wish: Wish) -> str:
    """Return the prompt for a music model, composed of the Brief's musical fields only.

    The hint does not go in as such: it has steered the Brief. So words that were smuggled in through a picture or
    a hint can at most become the name of an instrument.
    """
    style = STYLES.get(wish.style, "")
    sentences = [
        f"Instrumental {style or brief.genre}",
        f"{', '.join(brief.mood)} mood, {brief.energy} energy",
        f"{brief.bpm} BPM in a {brief.mode} key",
        f"featuring {', '.join(brief.instruments)}",
        brief.arrangement.rstrip("."),
        brief.soundscape.rstrip("."),
    ]
    return ". ".join(sentence for sentence in sentences if sentence) + "."
