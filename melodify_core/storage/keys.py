"""The form of a key, "songs/123.mp3", which every adapter holds to: no part can lead out of its place."""

import re

from melodify_core.errors import Unavailable

# No part begins with a dot: those names are the folder's own, and "..".
SHELF = re.compile(r"[a-z]{1,32}")
KEY = re.compile(rf"({SHELF.pattern})/([A-Za-z0-9_-][A-Za-z0-9._-]{{0,127}})")


def shelf_of(name: str) -> str:
    """Return the name of a shelf. Raises Unavailable for anything that is none."""
    if not SHELF.fullmatch(name):
        raise Unavailable("storage.unavailable")
    return name


def split(key: str) -> tuple[str, str]:
    """Return the shelf and the name of a key. Raises Unavailable for anything that is no key."""
    found = KEY.fullmatch(key)
    if not found:
        raise Unavailable("storage.unavailable")
    return found[1], found[2]
