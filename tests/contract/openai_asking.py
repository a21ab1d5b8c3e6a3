"""What the tests of the OpenAI captioner share: its server, a picture, a context that keeps the reports."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from melodify_core.captioners.moderation import ModeratedCaptioner
from melodify_core.captioners.openai import OpenAICaptioner, OpenAIModerator
from melodify_core.config.settings import OpenAI
from melodify_core.media.picture import PictureLimits, prepare
from melodify_core.models import Bill, Brief, Picture, Progress, Wish
from melodify_core.ports import Captioner, ProviderContext
from tests.jobs import PaidCalls
from tests.openai_server import OpenAIServer, openai_server
from tests.pictures import sunset

ASKER = "a" * 64
SECRET = "sk-very-secret"


@dataclass
class Reports:
    """Makes a provider's context, and keeps what was reported to it."""

    picture: Picture
    paid_calls: PaidCalls = field(default_factory=PaidCalls)
    adult: bool = False

    @property
    def bills(self) -> list[Bill]:
        """What was billed."""
        return self.paid_calls.bills

    def context(self) -> ProviderContext:
        async def load() -> Picture:
            return self.picture

        async def progress(progress: Progress) -> None:
            del progress

        return ProviderContext("77", 1, ASKER, 5, load, self.paid_calls.begin, progress, adult=self.adult)


@pytest.fixture(scope="session")
def picture() -> Picture:
    return prepare(sunset(), PictureLimits())


@pytest.fixture
def reports(picture: Picture) -> Reports:
    return Reports(picture)


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with openai_server() as server:
        yield server


def settings_of(server: OpenAIServer, **changes: Any) -> OpenAI:
    return OpenAI.model_validate({"base_url": server.url, "api_key": SECRET, "deadline_s": 20} | changes)


def captioner_of(settings: OpenAI) -> Captioner:
    """The captioner behind its moderation, as providers.py builds it."""
    captioner = OpenAICaptioner(settings)
    return ModeratedCaptioner(captioner, OpenAIModerator(settings)) if settings.moderation else captioner


async def caption(settings: OpenAI, reports: Reports, wish: Wish | None = None) -> Brief:
    captioner = captioner_of(settings)
    try:
        return await captioner.caption(reports.picture, wish or Wish(), reports.context())
    finally:
        await captioner.close()
