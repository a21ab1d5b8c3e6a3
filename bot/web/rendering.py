"""Turns a Page into HTML, in the visitor's language. Each page is rendered once and kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from multidict import CIMultiDict

from bot.i18n.messages import key_name, name_of, say
from bot.web.etags import etag_of
from bot.web.headers import Headers
from bot.web.recent import Recent
from bot.web.statics import Statics
from melodify_core.brief import clean
from melodify_core.models import Language, Song, Stage
from melodify_core.pages import Page, address_of

_KEPT = 512
# Each language's own name for itself.
ENDONYMS: Mapping[Language, str] = {"en": "English", "ko": "한국어"}
LOCALES: Mapping[Language, str] = {"en": "en_US", "ko": "ko_KR"}
BAR_WIDTH, BAR_STEP = 6, 10
WAVE_HEIGHT = 100
_MEGABYTE = 1_000_000
# As in Discord's embed.
TITLE, CAPTION, FACT = 256, 2048, 1024


@dataclass(frozen=True, slots=True)
class Document:
    """A page as it is sent."""

    body: bytes = field(repr=False)
    headers: CIMultiDict[str]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the waveform, in the drawing's units."""

    x: int
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Download:
    """A file that the visitor may take."""

    kind: str
    path: str
    size: str = ""


class Renderer:
    """Renders under one public address."""

    def __init__(self, public_url: str, prefix: str, statics: Statics, headers: Headers) -> None:
        self._headers = headers
        self._public_url = public_url
        self._prefix = prefix
        self._environment = Environment(
            loader=PackageLoader("bot.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals["static"] = statics.path
        self._songs: Recent[tuple[str, Language], tuple[Page, Document]] = Recent(_KEPT)
        self.making = lru_cache(_KEPT)(self._making)
        self.notice = lru_cache(_KEPT)(self._notice)

    def address(self, page_id: str) -> str:
        """Return the page's public address."""
        return address_of(self._public_url, page_id)

    def song(self, page: Page, language: Language) -> Document:
        """Return the page of a song that is there."""
        known = self._songs.get((page.page_id, language))
        # Pages are remembered for a second: mostly it is the same one, and nothing needs to be compared.
        if known and known[0] is page:
            return known[1]
        document = known[1] if known and known[0] == page else self._song(page, language)
        self._songs.put((page.page_id, language), (page, document))
        return document

    def _song(self, page: Page, language: Language) -> Document:
        song = page.song
        if song is None:
            raise ValueError(page)
        document = self._document(
            "song.html",
            language,
            **self._of_page(page),
            song=song.model_copy(update={"caption": clean(song.caption, CAPTION)}),
            title=title_of(song, language),
            bars=bars_of(song.waveform),
            facts=facts_of(song, language),
            downloads=self._downloads(page, song),
            made_at=datetime.fromtimestamp(page.created_at, UTC),
        )
        kept = {"ETag": etag_of(document.body), "Cache-Control": "no-cache", "Vary": "Accept-Language"}
        document.headers.update(kept)
        return document

    def _making(self, page: Page, language: Language) -> Document:
        shown = [stage for stage in Stage if stage is not Stage.DONE]
        now = shown.index(page.stage) if page.stage in shown else len(shown)
        return self._document("making.html", language, **self._of_page(page), stages=shown, now=now)

    def _notice(self, key: str, language: Language) -> Document:
        return self._document("notice.html", language, key=key)

    def _of_page(self, page: Page) -> dict[str, Any]:
        path = f"{self._prefix}/s/{page.page_id}"
        return {"page": page, "path": path, "public": self.address(page.page_id), "site": self._public_url}

    def _document(self, template: str, language: Language, **values: Any) -> Document:
        others = [(code, name) for code, name in ENDONYMS.items() if code != language]
        html = self._environment.get_template(template).render(
            t=partial(_say, language), language=language, locale=LOCALES[language], others=others, **values
        )
        body = html.encode()
        headers = {"Content-Type": "text/html; charset=utf-8", "Content-Language": language}
        return Document(body, self._headers.adding(headers))

    def _downloads(self, page: Page, song: Song) -> list[Download]:
        path = f"{self._prefix}/s/{page.page_id}"
        found = [Download("MP3", f"{path}/song.mp3?download=1", f"{song.size_bytes / _MEGABYTE:.1f} MB")]
        if page.video_key:
            found.append(Download("MP4", f"{path}/song.mp4?download=1"))
        if page.midi_key:
            found.append(Download("MIDI", f"{path}/song.mid?download=1"))
        return found


def title_of(song: Song, language: Language) -> str:
    """Return the title, or the words for a song without one."""
    return clean(song.title, TITLE) or say(language, "song.untitled")


def bars_of(waveform: tuple[int, ...]) -> list[Bar]:
    """Return the bars of the waveform, each around the middle line; silence is a dot."""
    heights = [max(BAR_WIDTH, min(peak, 100) * WAVE_HEIGHT / 100) for peak in waveform]
    return [
        Bar(x * BAR_STEP, round((WAVE_HEIGHT - height) / 2, 1), round(height, 1)) for x, height in enumerate(heights)
    ]


def facts_of(song: Song, language: Language) -> list[tuple[str, str]]:
    """Return what there is to know of the song, each with its name."""
    facts = [
        (say(language, "page.length"), clock(song.duration_s)),
        (say(language, "song.tempo"), say(language, "song.bpm", bpm=song.bpm) if song.bpm else ""),
        (say(language, "song.key_label"), key_name(language, song.key, song.mode) if song.key else ""),
        (
            say(language, "song.instruments"),
            ", ".join(name_of(language, "instrument", name) for name in song.instruments),
        ),
    ]
    return [(name, clean(value, FACT)) for name, value in facts if value]


def clock(seconds: float) -> str:
    """Return a length as people read it: 1:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _say(language: Language, key: str, **values: Any) -> str:
    return say(language, f"page.{key}", **values)
