"""The header that makes a browser save a download under a name, whatever its script."""

import unicodedata
from urllib.parse import quote

FILE_NAME_CHARACTERS = 100


def disposition(file_name: str) -> str:
    """Return the header value that makes a browser save under the name, whatever its script (RFC 6266, RFC 8187)."""
    name = "".join(" " if letter in '/\\:*?"<>|' else letter for letter in unicodedata.normalize("NFC", file_name))
    name = "".join(letter for letter in name if not unicodedata.category(letter).startswith("C"))
    stem, dot, suffix = " ".join(name.split()).rpartition(".")
    name = (stem or "melodify").strip(". ")[:FILE_NAME_CHARACTERS] + dot + suffix[:10]
    plain = "".join(letter if " " <= letter <= "~" and letter not in "%;" else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
