"""Which of our languages a visitor reads: ?lang= wins, then Accept-Language, then the song's own."""

from functools import lru_cache

from aiohttp import web

from bot.i18n.messages import LANGUAGES
from melodify_core.models import Language

# A browser sends a handful; the rest of a longer list is not read.
_MOST = 20
_LONGEST = 400


def language_of(request: web.BaseRequest, own: str = "en") -> Language:
    """Return the visitor's language; `own` is the song's, which may be none of ours."""
    asked = request.query.get("lang", "") if request.query_string else ""
    accepted = request.headers.get("Accept-Language", "")
    return _chosen(asked[:_LONGEST], accepted[:_LONGEST], own)


@lru_cache(1024)
def _chosen(asked: str, accepted: str, own: str) -> Language:
    for tag in (asked, *preferred(accepted), own):
        if known := _known(tag):
            return known
    return "en"


def preferred(header: str) -> list[str]:
    """Return the header's language tags, the most wanted first; what cannot be read is left out."""
    weighed = []
    for position, part in enumerate(header.split(",")[:_MOST]):
        tag, _, parameter = part.partition(";")
        weight = _weight(parameter.strip())
        if weight > 0:
            weighed.append((-weight, position, tag.strip()))
    return [tag for _, _, tag in sorted(weighed)]


def _weight(parameter: str) -> float:
    if not parameter:
        return 1.0
    name, _, value = parameter.partition("=")
    try:
        weight = float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def _known(tag: str) -> Language | None:
    first = tag.partition("-")[0].lower()
    return next((language for language in LANGUAGES if language == first), None)
