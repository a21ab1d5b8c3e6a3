"""Asks the Lyria composer for a take, and keeps what it reports of it."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from melodify_core.composers.lyria import LyriaComposer
from melodify_core.config.settings import Lyria, Vertex
from melodify_core.errors import Refused, Unavailable
from melodify_core.models import Bill, Brief, Picture, Progress, RawTake, Wish
from melodify_core.ports import ProviderContext
from tests.briefs import a_brief
from tests.jobs import PaidCalls
from tests.sounds import chords, wav
from tests.vertex_server import Lyria as Server
from tests.vertex_server import interactions_server, vertex_server

JOB = "1234567890123456789"
PROJECT = "melodify-test"
LYRIA_2 = "lyria-002"
CLIP = "lyria-3-clip-preview"
SOUND = wav(chords(1.0))
MP3 = b"ID3\x04\0\0\0\0\0\0" + bytes(1000)
REFUSALS = ("provider.refused", "music.blocked")
JPEG = b"\xff\xd8\xff\xe0 a picture"


@dataclass
class Asker:
    """A composer, its server, and what it reported."""

    server: Server
    composer: LyriaComposer
    paid_calls: PaidCalls = field(default_factory=PaidCalls)
    pictures: int = 0

    @property
    def bills(self) -> list[Bill]:
        """What was billed."""
        return self.paid_calls.bills

    async def asks(self, wish: Wish | None = None, brief: Brief | None = None, seed: int = 42) -> RawTake:
        """Ask for a take."""
        return await self.composer.compose(brief or a_brief(), wish or Wish(), self._context(seed))

    def _context(self, seed: int) -> ProviderContext:
        async def progress(reached: Progress) -> None:
            raise AssertionError(f"Lyria knows no progress: {reached}")

        async def picture() -> Picture:
            self.pictures += 1
            return Picture(JPEG, 64, 48, "0" * 64)

        return ProviderContext(JOB, seed, "a" * 64, 77, picture, self.paid_calls.begin, progress)


def served(model: str) -> AbstractAsyncContextManager[Server]:
    """Return the server of this model."""
    return vertex_server(SOUND) if model == LYRIA_2 else interactions_server(MP3)


@asynccontextmanager
async def asker(model: str, **settings: Any) -> AsyncIterator[Asker]:
    """Yield a composer of this model, its server behind it."""
    async with served(model) as server:
        vertex = Vertex(project=PROJECT, endpoint=server.url)
        values = {"model": model, "deadline_s": 20.0, **settings}
        composer = LyriaComposer(Lyria.model_validate(values), vertex, pause_s=0.01)
        try:
            yield Asker(server, composer)
        finally:
            await composer.close()


async def outcome(asking: Awaitable[RawTake]) -> str:
    """Return the code of our error, "" when there is music. Any other error fails the test."""
    try:
        await asking
    except Refused as error:
        assert error.code in REFUSALS  # noqa: PT017  # which of the kinds, not whether
        return error.code
    except Unavailable as error:
        assert error.code not in REFUSALS  # noqa: PT017
        return error.code
    return ""
