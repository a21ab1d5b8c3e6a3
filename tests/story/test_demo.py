"""The simulated Discord of `melodify demo`: what its visitor may do, and what its page hands out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import discord
import pytest
from simcord.preview import Preview

from bot.cli.demo import embedded, simulated_page
from bot.i18n.messages import say
from bot.i18n.translator import language_of
from melodify_core.config.settings import Settings
from melodify_core.models import Language
from tests.stories import a_picture

WINDOWS = 3
PICTURES = 18


# No fixture: the simulator's clock ends in the task that it began in.
@asynccontextmanager
async def demo(tmp_path: Path, language: Language = "en") -> AsyncIterator[Preview]:
    example = tmp_path / "sunset.png"
    example.write_bytes(a_picture())
    async with simulated_page(embedded(Settings(language=language), tmp_path), example, 0) as (_, preview):
        yield preview


async def test_no_picture_is_unavailable_when_several_windows_ask_for_all_at_once(tmp_path: Path) -> None:
    async with demo(tmp_path) as preview:
        answers = await answers_of_windows(preview)
    assert answers == [[200] * PICTURES] * WINDOWS


async def answers_of_windows(preview: Preview) -> list[list[int]]:
    """Let several windows ask for all pictures at once, and return the status of each."""
    [visitor] = preview.viewers
    pictures = [(f"{number}.png", a_picture("teal", (200 + number, 150))) for number in range(PICTURES)]
    for picture in pictures:
        await visitor.send(preview.channel, attachments=[picture])
    await preview.refresh()
    url = urlsplit(preview.url)
    base, capability = f"{url.scheme}://{url.netloc}", {"X-Simcord-Capability": url.fragment}

    async def window(session: aiohttp.ClientSession) -> list[int]:
        async with session.post(f"{base}/api/pages", json={"viewer_id": str(visitor.id)}, headers=capability) as answer:
            state = await answer.json()
        headers = capability | {"X-Simcord-Context": state["context"]["id"]}

        async def status(asset: str) -> int:
            async with session.get(f"{base}/api/assets/{asset}", headers=headers) as answer:
                return answer.status

        shown = [key for key, asset in state["assets"].items() if asset["filename"] in dict(pictures)]
        return await asyncio.gather(*map(status, shown))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        return await asyncio.gather(*(window(session) for _ in range(WINDOWS)))


async def test_the_visitor_is_a_moderator(tmp_path: Path) -> None:
    async with demo(tmp_path) as preview:
        shown = await preview.viewers[0].slash(preview.channel, "melodify-admin status")
    assert shown.response is not None
    assert shown.response.ephemeral
    assert shown.response.content


@pytest.mark.parametrize(("language", "words"), [("en", "Your songs name you"), ("ko", "내 이름을 표시해요")])
async def test_commands_and_buttons_speak_the_demo_s_language(tmp_path: Path, language: Language, words: str) -> None:
    async with demo(tmp_path, language) as preview:
        [visitor] = preview.viewers
        shown = await visitor.slash(preview.channel, "melodify-me" if language == "en" else "melodify-내설정")
        assert shown.response is not None
        assert words in shown.response.content
        asked = await visitor.slash(preview.channel, "forget-me" if language == "en" else "내정보삭제")
        assert asked.response is not None
        answer = await visitor.click(asked.response, label=say(language, "forget.stored"))
        texts = [message.content for message in (answer.response, *answer.followups) if message]
        assert say(language, "forget.done", songs=0, jobs=0) in texts[-1]
    assert language_of(discord.Locale.german) == "en"
