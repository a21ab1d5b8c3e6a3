"""Song pages for tests: Pages in memory, songs in a real folder, served on loopback as the bot serves them."""

import asyncio
import io
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import mido
import numpy as np
from aiohttp import ClientSession

from bot.web.media import Files
from bot.web.serving import listening
from melodify_core.config.settings import Web
from melodify_core.errors import Unavailable
from melodify_core.models import Song, Stage
from melodify_core.pages import Page, Pages, new_page_id
from melodify_core.services.songs import SongService
from melodify_core.storage.folder import FolderStorage
from tests.sounds import chords, encoded

PUBLIC = "https://songs.example"
INVITE = "https://discord.com/oauth2/authorize?client_id=7&scope=bot"
CREATED_AT = 1_795_420_800.0  # 2026-11-23
SOUND = bytes(range(256)) * 2400  # 600 KiB: more than two pieces
WAVEFORM = tuple(20 + (index * 37) % 80 for index in range(100))


def song_of(**fields: Any) -> Song:
    """Return a song; the fields replace the defaults."""
    defaults: dict[str, Any] = {
        "job_id": "1",
        "title": "Where the Sea Keeps the Light",
        "caption": "A low sun leaves its gold on quiet water, and the evening takes its time.",
        "bpm": 84,
        "key": "E flat",
        "mode": "major",
        "instruments": ("felt piano", "slow strings", "brushed drums"),
        "mood": ("calm",),
        "valence": 0.4,
        "arousal": -0.4,
        "genre": "ambient",
        "seed": 7,
        "captioner": "palette",
        "composer": "arranger",
        "picture_key": "pictures/1.jpg",
        "audio_key": "songs/1.mp3",
        "duration_s": 30.02,
        "lufs": -14.0,
        "true_peak_dbtp": -1.2,
        "bitrate_kbps": 192,
        "size_bytes": len(SOUND),
        "waveform": WAVEFORM,
    }
    return Song.model_validate(defaults | fields)


@dataclass
class MemoryPages:
    """Pages in a mapping; `stages` are sent to watchers, until a None."""

    pages: dict[str, Page] = field(default_factory=dict)
    stages: "asyncio.Queue[Stage | None]" = field(default_factory=asyncio.Queue)
    asked: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)  # on the start page
    watchers: int = 0
    away: bool = False

    def add(self, **fields: Any) -> str:
        """Add a page, a finished song's unless the fields say otherwise, and return its id."""
        page_id = new_page_id()
        defaults: dict[str, Any] = {"song": song_of(), "created_at": CREATED_AT, "picture_key": "pictures/1.jpg"}
        self.pages[page_id] = Page(page_id, **(defaults | {"picture_width": 960, "picture_height": 640} | fields))
        return page_id

    def become(self, page_id: str, **fields: Any) -> None:
        """Change the page."""
        self.pages[page_id] = replace(self.pages[page_id], **fields)

    async def page(self, page_id: str) -> Page | None:
        self.asked.append(page_id)
        if self.away:
            raise Unavailable("storage.unavailable")
        return self.pages.get(page_id)

    async def on_show(self) -> list[Page]:
        self.asked.append("/")
        if self.away:
            raise Unavailable("storage.unavailable")
        return [self.pages[page_id] for page_id in self.shown]

    async def watch(self, page_id: str) -> AsyncGenerator[Stage, None]:
        self.watchers += 1
        try:
            stage = self.pages[page_id].stage
            while stage is not None:
                yield stage
                if stage is Stage.DONE:
                    return
                stage = await self.stages.get()
        finally:
            self.watchers -= 1


@asynccontextmanager
async def serve(pages: Pages, storage: Files, settings: Web, videos: SongService | None = None) -> AsyncIterator[str]:
    """Serve until the block ends, and yield the address on this machine."""
    async with listening(settings) as port, port.serving(pages, storage, videos, INVITE) as address:
        yield address


def web_settings(**fields: Any) -> Web:
    """Return settings for any free port and without a limit on requests."""
    return Web.model_validate({"public_url": PUBLIC, "port": 0, "requests_per_minute": 0} | fields)


async def filled(folder: Path, sound: bytes = SOUND, picture: bytes = b"\xff\xd8\xff picture") -> FolderStorage:
    """Return a storage with a picture and a song."""
    storage = FolderStorage(folder)
    await storage.save("pictures/1.jpg", picture, "image/jpeg")
    await storage.save("songs/1.mp3", sound, "audio/mpeg")
    return storage


def audible(seconds: float = 12.0) -> tuple[bytes, Song]:
    """Return chords as MP3 that a browser plays, and their song."""
    sound = chords(seconds)
    fade = np.minimum(1, np.linspace(0, 8, len(sound))) * np.linspace(1, 0.3, len(sound))
    parts = np.array_split(np.abs(sound).max(axis=1) * fade, 100)
    peaks = tuple(int(100 * part.max() / 0.3) for part in parts)
    audio = encoded(sound * fade[:, None], "mp3", "libmp3lame")
    return audio, song_of(duration_s=seconds, waveform=peaks, size_bytes=len(audio))


def score() -> bytes:
    """Return a MIDI file of 12 seconds: a piano with a higher note every two seconds, and a drum each second."""
    file = mido.MidiFile(ticks_per_beat=1000)  # of 120 beats a minute: a second has 2000 ticks
    for name, channel, pitches, ticks in (
        ("lead: felt piano", 0, [60, 62, 64, 65, 67, 69], 4000),
        ("drums: brushed drums", 9, [36] * 12, 2000),
    ):
        track = file.add_track(name)
        for pitch in pitches:
            track.append(mido.Message("note_on", channel=channel, note=pitch, velocity=80))
            track.append(mido.Message("note_off", channel=channel, note=pitch, time=ticks))
    file.save(file=(data := io.BytesIO()))
    return data.getvalue()


@dataclass
class Site:
    """What is served, and where."""

    url: str
    pages: MemoryPages
    storage: FolderStorage

    def page(self, page_id: str) -> str:
        return f"{self.url}/s/{page_id}"


@asynccontextmanager
async def site_of(folder: Path, **fields: Any) -> AsyncIterator[Site]:
    """Serve pages, none at first, with the web settings' fields."""
    pages, storage = MemoryPages(), await filled(folder)
    async with serve(pages, storage, web_settings(**fields)) as url:
        yield Site(url, pages, storage)


class Metas(HTMLParser):
    """Collects what the head says to those who unfold links."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.said: dict[str, str] = {}
        self.links: list[dict[str, str | None]] = []
        self.language = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "html":
            self.language = found["lang"] or ""
        if tag == "link":
            self.links.append(found)
        if tag == "meta" and (name := found.get("property") or found.get("name")):
            self.said[name] = found["content"] or ""


async def html_of(web: ClientSession, url: str, status: int = 200, **headers: str) -> str:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    async with web.get(url, headers=sent) as answer:
        assert (answer.status, answer.content_type, answer.charset) == (status, "text/html", "utf-8")
        return await answer.text()
