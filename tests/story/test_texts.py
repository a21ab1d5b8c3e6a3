"""Whatever text a model or a member supplies: every message stays within Discord's limits and pings nobody."""

from collections.abc import AsyncIterator

import discord
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bot.i18n.messages import LANGUAGES
from bot.posts.delivery import DiscordDelivery
from bot.posts.song_embed import Card
from bot.posts.status_messages import StatusBoard
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Job, Language, Link, Place, Song, Wish
from tests.conventions import assert_follows_conventions, faults_of, messages_of_bot
from tests.jobs import a_job, a_song
from tests.stories import PICTURE, World, story_settings, world

HOSTILE = (
    "@everyone @here <@1> <@&2> <#3> </melodify:4>",
    "**bold** __under__ ~~gone~~ ||hidden|| `code` ```block``` > quote # title - list",
    "[click](https://evil.example) <https://evil.example> https://evil.example discord.gg/evil",
    "\u202e\u2066right to left\u2069 \u200b\u200d zero \ufeff width \x00\x07\x1b[31m control",
    "다음 사진은 ﷽ 𝕱𝖆𝖓𝖈𝖞 👨‍👩‍👧‍👦 ẍ̴̜̦̱͔̜́̅͐̎̇͊",
    "x" * 10_000,
    "가" * 10_000,
    "*" * 300,
    "   \n\n\t ",
)
pieces = st.sampled_from(HOSTILE) | st.text(max_size=300) | st.text("*_~`|>#-[]()<>@\\ \n", max_size=200)
texts = st.lists(pieces, min_size=1, max_size=4).map("".join)
languages = st.sampled_from(LANGUAGES)


def a_job_of(here: World, job_id: str, language: Language) -> Job:
    place = Place(channel_id=here.channel.id, guild_id=here.guild.id)
    return a_job(job_id, here.member.id, place=place, wish=Wish(language=language))


def a_song_saying(text: str, other: str, job_id: str = "1") -> Song:
    # More than a Brief allows: no schema checks a stored song before it is shown.
    return a_song(
        job_id, title=text or "x", caption=other or "x", instruments=(text or "x",) * 6, key=other[:40] or None
    )


def as_payload(card: Card) -> dict[str, object]:
    embed = card.embed().to_dict()
    files = [{"filename": file.filename, "description": file.description} for file in card.files()]
    return {
        "content": card.link_line(),
        "embeds": [embed],
        "attachments": files,
        "components": [],
        "pings": [],
        "mention_roles": [],
        "mention_everyone": False,
    }


@pytest.mark.no_cover  # hundreds of cards; every story with a song measures one
@given(text=texts, other=texts, language=languages, linked=st.booleans())
@example(text="x" * 10_000, other="가" * 10_000, language="ko", linked=True)
@settings(max_examples=300, deadline=None)
def test_a_song_s_card_keeps_to_the_limits(text: str, other: str, language: Language, *, linked: bool) -> None:
    audio = Link("https://example.org/song", 2_000_000_000) if linked else b"sound"
    card = Card(a_job(wish=Wish(language=language)), a_song_saying(text, other), audio, b"picture")
    assert faults_of(as_payload(card)) == []
    shown = str(card.embed().to_dict())
    assert "@everyone" not in shown
    assert "https://evil" not in shown
    assert not any(sign in shown for sign in ("\u202e", "\u2066", "\u200b", "\\x1b", "\x07"))


@pytest.fixture(scope="module")
async def bot(pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    limits = {"songs_per_minute": 0, "songs_per_hour": 0, "songs_per_day": 0, "waiting_per_user": 0}
    async with world(story_settings(tmp_path_factory.mktemp("texts"), limits=limits), pool) as here:
        yield here


_numbers = iter(range(10_000_000, 20_000_000))


@given(text=texts, other=texts, language=languages)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
async def test_what_is_delivered_keeps_to_the_limits(bot: World, text: str, other: str, language: Language) -> None:
    here = bot.corner()
    status = await channel_of(here).send("…")
    job = a_job_of(here, str(next(_numbers)), language)
    threaded = job.place.model_copy(update={"status_id": status.id, "threadable": True})
    delivery = DiscordDelivery(here.client, StatusBoard(here.client))
    song = a_song_saying(text, other, job.job_id)
    await delivery.deliver(job.model_copy(update={"place": threaded}), song, b"sound", b"picture")
    mine = {here.channel.id, *(thread.id for thread in here.channel.threads)}
    sent = [message for message in messages_of_bot(here.env) if int(message["channel_id"]) in mine]
    assert len(sent) == 2
    assert [fault for message in sent for fault in faults_of(message)] == []


def channel_of(here: World) -> discord.TextChannel:
    channel = here.client.get_channel(here.channel.id)
    assert isinstance(channel, discord.TextChannel)
    return channel


@pytest.mark.parametrize("text", HOSTILE[:5])
async def test_a_member_s_own_words_ping_nobody(bot: World, text: str) -> None:
    here = bot.corner()
    await here.post(f"{here.mention} {text}", PICTURE)
    await here.command(hint=text[:200])
    await here.songs_done()
    assert len(here.songs()) == 2
    assert_follows_conventions(here.env)


def test_the_check_itself_sees_each_fault() -> None:
    good = as_payload(Card(a_job(), a_song(), b"sound", b"picture"))
    assert faults_of(good) == []
    button = {"type": 2, "custom_id": "a" * 101, "label": None}
    bad = good | {
        "content": "x" * 2001,
        "mention_everyone": True,
        "pings": [1],
        "attachments": [{"filename": "a.PNG"}],
        "embeds": [{"title": "x" * 257, "fields": [{"name": " ", "value": "x"}]}],
        "components": [{"type": 1, "components": [button]}],
    }
    assert len(faults_of(bad)) == 8


async def test_messages_are_found_at_all(bot: World) -> None:
    before = len(messages_of_bot(bot.env))
    here = bot.corner()
    await here.command()
    await here.songs_done()
    assert len(messages_of_bot(bot.env)) == before + 2
