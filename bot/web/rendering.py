"""Turns a Page into HTML, in the visitor's language. Each page is rendered once and kept."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from bot.i18n.messages import key_name, name_of, say
from bot.i18n.style_names import style_of
from melodify_core.brief import clean
from melodify_core.models import Language, Song, Stage
from melodify_core.pages import Page, address_of

_KEPT = 512
# Each language's own name for itself.
ENDONYMS: Mapping[Language, str] = {"en": "English", "ko": "한국어"}
LOCALES: Mapping[Language, str] = {"en": "en_US", "ko": "ko_KR"}
BAR_WIDTH, BAR_STEP, WAVE_HEIGHT = 6, 10, 100
# In characters, as in Discord's embed.
TITLE, CAPTION, FACT = 256, 2048, 1024


class Bar(NamedTuple):
    """One bar of the waveform, in the drawing's units."""

    x: int
    y: float
    height: float


class Renderer:
    """Renders pages under one public address; `static` names the path of each static file.

    `invite` is the link by which the bot is added to a server.
    """

    def __init__(self, public_url: str, prefix: str, static: Mapping[str, str], invite: str = "") -> None:
        self._public_url = public_url
        self._prefix = prefix
        self._environment = Environment(
            loader=PackageLoader("bot.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(static=static.__getitem__, clock=clock, home=f"{prefix}/", invite=invite)
        self.song = lru_cache(_KEPT)(partial(self._song, "song.html"))
        self.embed = lru_cache(_KEPT)(partial(self._song, "embed.html"))
        self.making = lru_cache(_KEPT)(self._making)
        self.notice = lru_cache(_KEPT)(lambda key, language: self._render("notice.html", language, key=key))
        self.home = lru_cache(_KEPT)(self._home)

    def _home(self, pages: Sequence[Page], language: Language) -> str:
        """Return the start page, with the songs of these pages."""
        songs = [(page, page.song) for page in pages if page.song]
        cards = [(page, song, title_of(song, language), facts_of(song, language)[:1]) for page, song in songs]
        return self._render("home.html", language, cards=cards)

    def _song(self, template: str, page: Page, language: Language) -> str:
        """Return the page, or the embedded player, of a song that is there."""
        song = page.song
        if song is None:
            raise ValueError(page)
        return self._render(
            template,
            language,
            page,
            song=song.model_copy(update={"caption": clean(song.caption, CAPTION)}),
            title=title_of(song, language),
            facts=facts_of(song, language),
            instruments=clean(", ".join(name_of(language, "instrument", name) for name in song.instruments), FACT),
            bars=bars_of(song.waveform),
            made_at=datetime.fromtimestamp(page.created_at, UTC),
        )

    def _making(self, page: Page, language: Language) -> str:
        """Return the page of a song in the making."""
        shown = [stage for stage in Stage if stage is not Stage.DONE]
        now = shown.index(page.stage) if page.stage in shown else len(shown)
        return self._render("making.html", language, page, stages=shown, now=now)

    def _render(self, template: str, language: Language, page: Page | None = None, **values: Any) -> str:
        if page is not None:
            values |= {"page": page, "path": f"{self._prefix}/s/{page.page_id}", "site": self._public_url}
            values["public"] = address_of(self._public_url, page.page_id)
        return self._environment.get_template(template).render(
            say=partial(say, language),
            t=partial(_say, language),
            language=language,
            locale=LOCALES[language],
            others=[(code, name) for code, name in ENDONYMS.items() if code != language],
            **values,
        )


def title_of(song: Song, language: Language) -> str:
    """Return the title, or the words for a song without one."""
    return clean(song.title, TITLE) or say(language, "song.untitled")


def facts_of(song: Song, language: Language) -> list[str]:
    """Return style, first mood, tempo and key, without those that are not known: they fit one line."""
    facts = [
        style_of(language, song.wish.style if song.wish else "auto", song.genre),
        name_of(language, "mood", song.mood[0]) if song.mood else "",
        say(language, "song.bpm", bpm=song.bpm) if song.bpm else "",
        key_name(language, song.key, song.mode) if song.key else "",
    ]
    return [shown for fact in facts if (shown := clean(fact, FACT))]


def bars_of(waveform: tuple[int, ...]) -> list[Bar]:
    """Return the bars of the waveform, each around the middle line; silence is a dot."""
    heights = [max(BAR_WIDTH, min(peak, 100) * WAVE_HEIGHT / 100) for peak in waveform]
    return [
        Bar(x * BAR_STEP, round((WAVE_HEIGHT - height) / 2, 1), round(height, 1)) for x, height in enumerate(heights)
    ]


def clock(seconds: float) -> str:
    """Return a length as people read it: 1:05."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


def _say(language: Language, key: str, **values: Any) -> str:
    return say(language, f"page.{key}", **values)
