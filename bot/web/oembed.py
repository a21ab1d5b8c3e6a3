"""Describes a song's page to those who unfold links (oembed.com)."""

from collections.abc import Mapping
from typing import Any

from bot.web.rendering import title_of
from melodify_core.models import Language, Song
from melodify_core.pages import Page, address_of

CACHE_S = 3600
SITE = "Melodify"


def described(page: Page, song: Song, public_url: str, language: Language, asked: Mapping[str, str]) -> dict[str, Any]:
    """Return the description. The picture has one size: where it is larger than `asked` for, there is none."""
    told = {
        "version": "1.0",
        "type": "link",
        "title": title_of(song, language),
        "provider_name": SITE,
        "provider_url": public_url,
        "cache_age": CACHE_S,
    }
    width, height = page.picture_width, page.picture_height
    fits = width <= _most(asked, "maxwidth", width) and height <= _most(asked, "maxheight", height)
    if page.picture_key and width and height and fits:
        told["thumbnail_url"] = f"{address_of(public_url, page.page_id)}/picture.jpg"
        told["thumbnail_width"] = width
        told["thumbnail_height"] = height
    return told


def _most(asked: Mapping[str, str], name: str, otherwise: int) -> int:
    """Return the number that was asked for; what is none was not."""
    digits = asked.get(name, "")
    return int(digits[:9]) if digits.isascii() and digits.isdigit() else otherwise
