"""What a song's page on the web shows, and the port that the web application reads it from.

Page ids cannot be guessed: anyone who has the link may open the page.
"""

import secrets
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol

from melodify_core.models import Song, Stage

ID_PATTERN = "[A-Za-z0-9_-]{22}"
_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Page:
    """The content of a page. Without song and stage, the song could not be made."""

    page_id: str
    song: Song | None = None
    stage: Stage | None = None  # while the song is being made
    private: bool = False  # nobody can open the page
    deleted: bool = False
    language: str = "en"  # of title and caption, as a BCP 47 tag such as "ko" or "pt-BR"
    created_at: float = 0.0  # unix seconds
    picture_key: str | None = None  # also while the song is being made
    picture_width: int = 0  # in pixels; 0 where it is not known
    picture_height: int = 0
    spoiler: bool = False  # the picture is shown to visitors who ask for it only
    # Files beside the song; None also before they were looked up.
    midi_key: str | None = None
    video_key: str | None = None  # MP4
    video_width: int = 0
    video_height: int = 0


class Pages(Protocol):
    """Looks up pages."""

    async def page(self, page_id: str) -> Page | None:
        """Return the page as it is now, None for an unknown id. Raises Unavailable."""

    async def on_show(self) -> Sequence[Page]:
        """Return the newest songs whose members and servers want them on the start page. Raises Unavailable."""

    def watch(self, page_id: str) -> AsyncGenerator[Stage, None]:
        """Yield the stage of a song in the making, now and at each change.

        Ends with Stage.DONE, or without it when there will be no song. May be closed at any time. Raises Unavailable.
        """


def address_of(public_url: str, page_id: str) -> str:
    """Return the page's address."""
    return f"{public_url}/s/{page_id}"


def new_page_id() -> str:
    """Return a new URL-safe id of 128 random bits."""
    return secrets.token_urlsafe(_ID_BYTES)
