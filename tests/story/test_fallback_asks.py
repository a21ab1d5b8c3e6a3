"""Stories of a host whose members are asked before a second composer plays."""

from collections.abc import AsyncIterator
from contextlib import closing

import pytest

from melodify_core.errors import Rejected
from melodify_core.media.worker_pool import WorkerPool
from tests.gemini_server import error
from tests.openai_server import OpenAIServer
from tests.stories import World, a_picture
from tests.story.pressing import a_press, labels_of, only, press
from tests.story.production import openai
from tests.story.test_fallback import Hall, facts_of, hall_of

__all__ = ["openai"]  # a fixture
OFFER = "Let the built-in band play it"


@pytest.fixture(scope="module")
async def asking(
    pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory, openai: OpenAIServer
) -> AsyncIterator[Hall]:
    async for hall in hall_of(pool, tmp_path_factory.mktemp("asking"), openai, fallback="ask"):
        yield hall


def job_id_of(here: World) -> str:
    with closing(here.database()) as database:
        [job_id] = database.execute("SELECT job_id FROM usage WHERE user_id = ?", (here.member.id,)).fetchone()
    return str(job_id)


async def test_a_member_is_asked_and_nothing_is_read_or_paid_twice(asking: Hall, openai: OpenAIServer) -> None:
    here, made, read = asking.here.corner(), asking.gemini.made, len(openai.paid)
    asking.gemini.faults += [error(400, "safety"), error(400, "safety")]
    await here.command(image=("picture.png", a_picture("coral")))
    await here.songs_done()
    assert here.songs() == []
    [status] = here.said(here.channel)
    assert "try another hint or style" in status.content
    assert "If you like, the built-in band can play it instead." in status.content
    assert labels_of(status) == [OFFER]

    stranger = here.guild.add_member(here.env.create_user("stranger"))
    custom_id = f"instead:arranger:{job_id_of(here)}"
    refused = only(await press(here, stranger, status, custom_id))
    assert refused.content == "Only the member who asked for this song can decide that."

    await here.member.click(status, label=OFFER)
    await here.songs_done()
    [song] = here.songs()
    assert str(song.embeds[0].title).startswith(openai.reading["title"])  # a later song is "... II"
    assert not [line for line in facts_of(song) if "Played by" in line]
    assert (asking.gemini.made, len(openai.paid)) == (made, read + 1)
    [status] = here.said(here.channel)
    assert "is ready" in status.content
    assert labels_of(status) == []
    with pytest.raises(Rejected, match=r"job\.too_late"):
        await here.services.second_choice.play(job_id_of(here), here.member.id, "arranger")
    with closing(here.database()) as database:
        [state] = database.execute("SELECT state FROM usage WHERE user_id = ?", (here.member.id,)).fetchone()
    assert state == "charged"


async def test_the_offer_works_after_a_restart_and_in_korean(asking: Hall) -> None:
    here = asking.here.corner(locale="ko")
    asking.gemini.faults += [error(402, "payment_required")]
    await here.post(here.mention, ("picture.png", a_picture("navy")))
    await here.songs_done()
    [status] = here.said(here.channel)
    assert "원하시면 내장 밴드가 대신 연주해 드려요." in status.content
    await asking.here.restart(here.services.settings)
    here.client = asking.here.client
    await here.member.click(status, label="내장 밴드에게 맡기기")
    await here.songs_done()
    assert len(here.songs()) == 1


async def test_two_presses_at_once_play_one_song(asking: Hall, openai: OpenAIServer) -> None:
    here = asking.here.corner(locale="ko")
    asking.gemini.faults += [error(402, "payment_required")]
    await here.command(image=("picture.png", a_picture("navy")))
    await here.songs_done()
    [status] = here.said(here.channel)
    read, custom_id = len(openai.paid), f"instead:arranger:{job_id_of(here)}"
    presses = [a_press(here, here.member, status, custom_id, "ko") for _ in range(2)]
    await here.emit("INTERACTION_CREATE", *(payload for payload, _ in presses))
    await here.songs_done()
    [said] = [answer for _, result in presses for answer in result.followups]
    assert said.ephemeral
    assert said.content == "조금 늦었어요. 이 곡은 이미 끝났거나 진행되고 있어요."
    [song] = here.songs()
    assert "연주" not in facts_of(song)
    assert len(openai.paid) == read
