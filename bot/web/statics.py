"""Style sheet, scripts and icon, read once at the start. Their addresses change with their content."""

from dataclasses import dataclass, field
from hashlib import blake2b
from importlib.resources import files

from aiohttp import web

from bot.web.headers import Headers
from bot.web.notices import missing

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Static:
    """A file and the path under which it is served."""

    path: str
    content_type: str
    body: bytes = field(repr=False)


class Statics:
    """All files of bot/web/static."""

    def __init__(self, prefix: str, headers: Headers) -> None:
        self._files = {file.path.removeprefix(f"{prefix}/static/"): file for file in _read(prefix)}
        self._paths = {file.path.rpartition("/")[2]: file.path for file in self._files.values()}
        self._headers = headers

    def path(self, name: str) -> str:
        """Return the path of the file."""
        return self._paths[name]

    def answer(self, name: str) -> web.Response:
        """Serve the file of that version and name; only those that exist lead anywhere. Raises Notice."""
        file = self._files.get(name)
        if file is None:
            raise missing()
        headers = {"Cache-Control": _FOR_EVER, "Content-Type": f"{file.content_type}; charset=utf-8"}
        return web.Response(body=file.body, headers=self._headers.adding(headers))


def _read(prefix: str) -> list[Static]:
    found = []
    for file in (files("bot.web") / "static").iterdir():
        suffix = "." + file.name.rpartition(".")[2]
        if suffix in _TYPES:
            body = file.read_bytes()
            version = blake2b(body, digest_size=6).hexdigest()
            found.append(Static(f"{prefix}/static/{version}/{file.name}", _TYPES[suffix], body))
    return found
