"""What a program that unfolds links learns of a song's page: oembed.com."""

import re
from collections.abc import Mapping
from html import escape

from melodify_core.pages import ID_PATTERN, Page, address_of

# In pixels: what the embedded player takes if nothing else is asked for, and what it needs.
SIZE, LEAST = (560, 192), (240, 112)


def oembed(page: Page, title: str, public_url: str, asked: Mapping[str, str]) -> dict[str, str | int]:
    """Return the answer for a page with a song; `asked` may bound it with maxwidth and maxheight."""
    described: dict[str, str | int] = {
        "version": "1.0",
        "type": "link",
        "title": title,
        "provider_name": "Melodify",
        "provider_url": public_url,
        "cache_age": 3600,
    }
    width, height = (_most(asked, name, size) for name, size in zip(("maxwidth", "maxheight"), SIZE, strict=True))
    if width >= LEAST[0] and height >= LEAST[1]:
        source = f'src="{public_url}/embed/{page.page_id}" title="{escape(title)}"'
        frame = f'<iframe {source} width="{width}" height="{height}" style="border:0" loading="lazy"></iframe>'
        described |= {"type": "rich", "html": frame, "width": width, "height": height}
    return described | _thumbnail(page, public_url, asked)


def page_named(url: str, public_url: str) -> str:
    """Return the id of the page of ours that an address means, as a browser would read it; "" for any other address."""
    scheme, host, path = _origin(public_url)
    asked_scheme, asked_host, asked_path = _origin(url)
    if (asked_scheme, asked_host) != (scheme, host):
        return ""
    found = re.fullmatch(rf"{re.escape(path)}/(?:s|embed)/({ID_PATTERN})/?(?:[?#]\S*)?", asked_path)
    return found[1] if found else ""


def _origin(url: str) -> tuple[str, str, str]:
    """Return scheme, host and the rest; in scheme and host, capitals do not count."""
    scheme, _, rest = url.partition("://")
    host = re.split(r"[/?#]", rest, maxsplit=1)[0]
    return scheme.casefold(), host.casefold(), rest[len(host) :]


def _thumbnail(page: Page, public_url: str, asked: Mapping[str, str]) -> dict[str, str | int]:
    """Return the picture. It has one size: where that is larger than is asked for, there is none."""
    width, height = page.picture_width, page.picture_height
    fits = width <= _most(asked, "maxwidth", width) and height <= _most(asked, "maxheight", height)
    if not (page.picture_key and not page.spoiler and width and height and fits):
        return {}
    url = f"{address_of(public_url, page.page_id)}/picture.jpg"
    return {"thumbnail_url": url, "thumbnail_width": width, "thumbnail_height": height}


def _most(asked: Mapping[str, str], name: str, own: int) -> int:
    """Return the size, at most the number that is asked for; an invalid one does not count."""
    digits = asked.get(name, "")
    return min(own, int(digits[:9])) if digits.isascii() and digits.isdigit() else own
