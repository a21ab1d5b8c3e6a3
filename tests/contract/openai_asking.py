"""What the tests of the OpenAI captioner share: its server, a picture, an context that keeps the bills."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from melodify_core.captioners.openai import OpenAICaptioner
from melodify_core.config.settings import OpenAI
from melodify_core.media.picture import PictureLimits, prepare
from melodify_core.models import Bill, Brief, Picture, Progress, Wish
from melodify_core.ports import ProviderContext
from tests.jobs import Purse
from tests.openai_server import OpenAIServer, openai_server
from tests.pictures import sunset

ASKER = "a" * 64
SECRET = "sk-very-secret"


@dataclass
class Kept:
    """An context, and what was reported to it."""

    picture: Picture
    purse: Purse = field(default_factory=Purse)
    adult: bool = False

    @property
    def bills(self) -> list[Bill]:
        """What was billed."""
        return self.purse.bills

    def context(self) -> ProviderContext:
        async def load() -> Picture:
            return self.picture

        async def progress(progress: Progress) -> None:
            del progress

        return ProviderContext("77", 1, ASKER, 5, load, self.purse.begin, progress, adult=self.adult)


@pytest.fixture(scope="session")
def picture() -> Picture:
    return prepare(sunset(), PictureLimits())


@pytest.fixture
def kept(picture: Picture) -> Kept:
    return Kept(picture)


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with openai_server() as server:
        yield server


def settings_of(server: OpenAIServer, **changes: Any) -> OpenAI:
    return OpenAI.model_validate({"base_url": server.url, "api_key": SECRET, "deadline_s": 20} | changes)


async def caption(settings: OpenAI, kept: Kept, wish: Wish | None = None) -> Brief:
    captioner = OpenAICaptioner(settings)
    try:
        return await captioner.caption(kept.picture, wish or Wish(), kept.context())
    finally:
        await captioner.close()
