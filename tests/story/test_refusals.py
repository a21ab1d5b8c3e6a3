"""Stories: what cannot become a song gets one clear sentence, and costs nothing."""

import struct
import zlib
from collections.abc import AsyncIterator

import pytest
from simcord.backend import serializers

from melodify_core.media.worker_pool import WorkerPool
from tests.stories import PICTURE, World, a_picture, post_payload, story_settings, world


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    settings = story_settings(tmp_path_factory.mktemp("refusals"), picture={"max_megabytes": 1, "max_megapixels": 4})
    async with world(settings, pool) as here:
        yield here


@pytest.fixture
def here(bot: World) -> World:
    return bot.corner()


def a_bomb() -> bytes:
    """Return a PNG of a few hundred bytes that claims 50 000 x 50 000 pixels."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


async def the_sentence(here: World) -> str:
    """Return the only thing that was said, and see that nothing was ordered."""
    await here.songs_done()
    assert here.orders() == 0
    [answer] = here.told()
    return answer


HOSTILE = {
    "an empty file": (b"", "empty"),
    "a text": (b"hello, I am a picture", "picture"),
    "a cut picture": (a_picture()[:200], "picture"),
    "a bomb": (a_bomb(), "pixels"),
    "too many bytes": (b"\x89PNG" + bytes(2 * 1024 * 1024), "1 MB"),
    "a page": (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "picture"),
}


@pytest.mark.parametrize(("data", "word"), HOSTILE.values(), ids=HOSTILE)
async def test_a_command_with_what_is_no_good_picture_gets_a_sentence(here: World, data: bytes, word: str) -> None:
    await here.command(image=("picture.png", data))
    assert word in await the_sentence(here)


async def test_a_post_with_a_broken_picture_gets_a_sentence(here: World) -> None:
    await here.post(here.mention, ("picture.png", a_picture()[:200]))
    assert "picture" in await the_sentence(here)


async def test_a_picture_that_is_too_large_is_not_even_downloaded(here: World) -> None:
    # What lies on Discord's server is a good picture: only who believes the size refuses it.
    message = await here.post("", PICTURE)
    payload = post_payload(here.env, message)
    large = [file | {"size": 2 * 1024 * 1024} for file in payload["attachments"]]
    mentions = [serializers.user_payload(here.env.backend.bot_user)]
    changes = {"attachments": large, "content": here.mention, "mentions": mentions}
    await here.emit("MESSAGE_CREATE", payload | changes)
    assert "1 MB" in await the_sentence(here)


async def test_a_private_refusal_leaves_nothing_in_the_direct_messages(here: World) -> None:
    result = await here.command(image=("picture.png", b"no picture"), private=True)
    assert result.ephemeral
    assert result.response is not None
    assert "picture" in result.response.content
    assert here.said(here.dms) == []
    assert here.orders() == 0


@pytest.mark.parametrize(
    ("denied", "name"),
    [
        ("attach_files", "Attach Files"),
        ("embed_links", "Embed Links"),
        ("read_message_history", "Read Message History"),
        ("send_messages", "Send Messages"),
    ],
)
async def test_a_missing_permission_is_named_and_nothing_is_queued(bot: World, denied: str, name: str) -> None:
    here = bot.corner(denied=[denied])
    await here.command()
    assert name in await the_sentence(here)


async def test_a_post_is_told_the_missing_permission_too(bot: World) -> None:
    here = bot.corner(denied=["attach_files"])
    await here.post(here.mention, PICTURE)
    assert "Attach Files" in await the_sentence(here)


async def test_where_the_bot_may_not_speak_a_post_is_not_answered(bot: World) -> None:
    here = bot.corner(denied=["send_messages"])
    await here.post(here.mention, PICTURE)
    await here.songs_done()
    assert here.said() == []
    assert here.orders() == 0


async def test_a_private_command_needs_nothing_of_the_channel(bot: World) -> None:
    here = bot.corner(denied=["attach_files", "send_messages"])
    await here.command(private=True)
    await here.songs_done()
    assert len(here.songs(here.dms)) == 1
