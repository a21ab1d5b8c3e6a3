"""The simulated Discord of `melodify demo`: what its visitor may do, and what its page hands out."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import simcord
from simcord.preview import Preview

from bot.cli.demo import embedded, simulated_page
from bot.client import MelodifyClient
from bot.i18n.messages import catalogue
from melodify_core.bootstrap import open_services
from melodify_core.config.settings import Settings
from melodify_core.models import Language
from tests.stories import SONG_S, a_picture, audio_of
from tests.story.pressing import choose

WINDOWS = 3
PICTURES = 18


# No fixture: the simulator's clock ends in the task that it began in.
@asynccontextmanager
async def demo(tmp_path: Path, language: Language = "en") -> AsyncIterator[tuple[Preview, Preview]]:
    example = tmp_path / "sunset.png"
    example.write_bytes(a_picture())
    async with simulated_page(embedded(Settings(language=language), tmp_path), example, 0) as simulation:
        yield simulation.public, simulation.private


async def test_no_picture_is_unavailable_when_several_windows_ask_for_all_at_once(tmp_path: Path) -> None:
    async with demo(tmp_path) as (preview, _):
        answers = await answers_of_windows(preview)
    assert answers == [[200] * PICTURES] * WINDOWS


async def answers_of_windows(preview: Preview) -> list[list[int]]:
    """Let several windows ask for all pictures at once, and return the status of each."""
    [visitor] = preview.viewers
    pictures = [(f"{number}.png", a_picture("teal", (200 + number, 150))) for number in range(PICTURES)]
    for picture in pictures:
        await visitor.send(preview.channel, attachments=[picture])
    await preview.refresh()
    base, capability = address_of(preview)

    async def window(session: aiohttp.ClientSession) -> list[int]:
        state = await opened(session, preview)
        headers = capability | {"X-Simcord-Context": state["context"]["id"]}

        async def status(asset: str) -> int:
            async with session.get(f"{base}/api/assets/{asset}", headers=headers) as answer:
                return answer.status

        shown = [key for key, asset in state["assets"].items() if asset["filename"] in dict(pictures)]
        return await asyncio.gather(*map(status, shown))

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        return await asyncio.gather(*(window(session) for _ in range(WINDOWS)))


def address_of(preview: Preview) -> tuple[str, dict[str, str]]:
    """Return the address of the page, and the headers that open it."""
    url = urlsplit(preview.url)
    return f"{url.scheme}://{url.netloc}", {"X-Simcord-Capability": url.fragment}


async def opened(session: aiohttp.ClientSession, preview: Preview) -> dict[str, Any]:
    """Return what a new window of the page shows."""
    base, capability = address_of(preview)
    viewer = {"viewer_id": str(preview.viewers[0].id)}
    async with session.post(f"{base}/api/pages", json=viewer, headers=capability) as answer:
        return dict(await answer.json())


async def test_no_press_is_lost_when_windows_press_at_once_and_the_time_is_true(tmp_path: Path) -> None:
    async with demo(tmp_path) as (preview, _), aiohttp.ClientSession() as session:
        base, capability = address_of(preview)
        states = [await opened(session, preview) for _ in range(WINDOWS)]
        await preview.refresh()  # what the windows show is now of a moment ago

        async def say(state: dict[str, Any]) -> dict[str, Any]:
            headers = capability | {"X-Simcord-Context": state["context"]["id"]}
            press = {
                "protocol_version": 3,
                "sequence": 1,
                "request_id": state["context"]["id"],
                "generation": state["context"]["generation"],
                "bot_generation": state["botGeneration"],
                "published_revision": state["publishedRevision"],
                "kind": "send_message",
                "content": f"hello from {state['context']['id']}",
            }
            async with session.post(f"{base}/api/action", json=press, headers=headers) as answer:
                return dict(await answer.json())

        pressed = datetime.now(UTC)
        answers = await asyncio.gather(*map(say, states))
        said = {message.content for message in preview.channel.history()}
        headers = capability | {"X-Simcord-Context": states[0]["context"]["id"]}
        async with session.get(f"{base}/api/state", headers=headers) as answer:
            shown = await answer.json()
    assert datetime.fromisoformat(shown["profile"]["presentationTime"]) >= pressed
    assert [answer.get("settlement") for answer in answers] == ["settled"] * WINDOWS, answers
    assert {f"hello from {state['context']['id']}" for state in states} <= said


async def test_the_visitor_is_a_moderator(tmp_path: Path) -> None:
    async with demo(tmp_path) as (preview, _):
        shown = await preview.viewers[0].slash(preview.channel, "melodify-admin status")
    assert shown.response is not None
    assert shown.response.ephemeral
    assert shown.response.content


async def test_in_korean_the_forms_of_buttons_are_korean(tmp_path: Path) -> None:
    async with demo(tmp_path, "ko") as (preview, _):
        [visitor] = preview.viewers
        await visitor.slash(preview.channel, "melodify", 사진=("picture.png", a_picture()), 길이=10)
        async with asyncio.timeout(SONG_S):
            while not (songs := [message for message in preview.channel.history() if audio_of(message)]):
                await asyncio.sleep(0.05)
        form = await visitor.click(songs[0], label=catalogue("ko")["button.change"])
    assert form.modal is not None
    assert form.modal["title"] == catalogue("ko")["change.title"]


async def test_a_private_song_is_on_the_page_of_the_direct_messages(tmp_path: Path) -> None:
    async with demo(tmp_path) as (public, private):
        [visitor] = public.viewers
        wishes = {"image": ("picture.png", a_picture()), "length": 10, "private": True}
        await visitor.slash(public.channel, "melodify", **wishes)
        async with asyncio.timeout(SONG_S):
            while not any("is ready" in message.content for message in private.channel.history()):
                await asyncio.sleep(0.05)
        [song] = [message for message in private.channel.history() if audio_of(message)]
        details = await choose(private.viewers[0], song, "details")
        await private.refresh()
        async with aiohttp.ClientSession() as session:
            state = await opened(session, private)
        said = [message.content for message in private.channel.history()]
    assert not any("went wrong" in text for text in said)
    # The page would show sound that it cannot play as "unavailable".
    [score] = [file for file in details.attachments if file.filename.endswith(".mid")]
    assert not str(score.content_type).startswith("audio/")
    assert any(asset["filename"].endswith(".mp3") for asset in state["assets"].values())
    assert not any(map(audio_of, public.channel.history()))


async def test_an_error_after_the_post_undoes_no_song(tmp_path: Path) -> None:
    settings = embedded(Settings(), tmp_path)
    # Without the demo's delivery a job cannot reach the simulated webhook that edits the note in the channel.
    client = MelodifyClient(settings, partial(open_services, settings), always_sync=True)
    async with simcord.run(client, settle_timeout=SONG_S) as env:
        guild = env.create_guild("studio")
        channel = guild.create_text_channel("songs")
        member = guild.add_member(env.create_user("you"))
        await member.slash(channel, "melodify", image=("picture.png", a_picture()), length=10, private=True)
        await client.services.studio.idle(SONG_S)
        said = member.user.dm_channel.history()
        await client.close_services()
    assert [song for song in said if audio_of(song)]
    assert not any("went wrong" in message.content for message in said)


async def test_the_clock_goes_also_while_nobody_does_anything(tmp_path: Path) -> None:
    async with demo(tmp_path) as (preview, _):
        await asyncio.sleep(0.2)
        before = datetime.now(UTC)
        message = await preview.viewers[0].send(preview.channel, "hello")
    assert message.created_at >= before - timedelta(milliseconds=1)  # Discord's ids count them
