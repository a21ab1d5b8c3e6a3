"""What every captioner promises, run on each adapter; real SDKs, servers on loopback."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest

from melodify_core.brief import music_prompt
from melodify_core.captioners.openai import OpenAICaptioner
from melodify_core.captioners.palette import PaletteCaptioner
from melodify_core.captioners.remembering import RememberingCaptioner
from melodify_core.errors import Unavailable
from melodify_core.library import Readings, connect, upgrade
from melodify_core.media.picture import PictureLimits, prepare
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Brief, Language, Picture, Wish
from melodify_core.ports import Captioner
from tests.contract.openai_asking import settings_of
from tests.jobs import PaidCalls, a_provider_context
from tests.openai_server import openai_server
from tests.pictures import sunset


@pytest.fixture(params=["palette", "openai", "openai, chat", "openai, remembered"])
async def captioner(
    request: pytest.FixtureRequest, pool: WorkerPool, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Captioner]:
    async with AsyncExitStack() as stack:
        if request.param == "palette":
            chosen: Captioner = PaletteCaptioner(pool, 60)
        else:
            server = await stack.enter_async_context(openai_server())
            chosen = OpenAICaptioner(settings_of(server, api="chat" if "chat" in request.param else "responses"))
        if "remembered" in request.param:
            engine = connect(f"sqlite:///{tmp_path_factory.mktemp('memory')}/melodify.db")
            stack.callback(engine.dispose)
            upgrade(engine)
            chosen = RememberingCaptioner(chosen, Readings(engine, 1, 10), "label")
        stack.push_async_callback(chosen.close)
        yield chosen


@pytest.fixture(scope="module")
def picture() -> Picture:
    return prepare(sunset(), PictureLimits())


async def test_it_has_a_name_and_finds_nothing_wrong_with_its_settings(captioner: Captioner) -> None:
    assert captioner.name in ("palette", "openai")
    await captioner.check()


@pytest.mark.parametrize("language", ["en", "ko"])
async def test_a_picture_becomes_a_brief_that_a_composer_can_use(
    captioner: Captioner, picture: Picture, language: Language
) -> None:
    brief = await captioner.caption(picture, Wish(language=language), a_provider_context())
    assert Brief.model_validate(brief.model_dump()) == brief
    assert brief.title.strip()
    assert f"{brief.bpm} BPM" in music_prompt(brief, Wish())


async def test_the_same_question_has_the_same_answer(captioner: Captioner, picture: Picture) -> None:
    first, second = [await captioner.caption(picture, Wish(hint="rainy"), a_provider_context()) for _ in range(2)]
    assert first == second


async def test_each_paid_call_is_reported_with_its_cost(captioner: Captioner, picture: Picture) -> None:
    paid_calls = PaidCalls()
    context = replace(a_provider_context(), begun=paid_calls.begin)
    await captioner.caption(picture, Wish(), context)
    if captioner.name == "palette":
        assert paid_calls.bills == []
    else:
        assert [bill.provider for bill in paid_calls.bills] == ["openai"]
        assert paid_calls.bills[0].dollars > 0


async def test_a_server_that_is_away_is_unavailable(picture: Picture) -> None:
    async with openai_server() as server:
        settings = settings_of(server, tries=1)
    captioner = OpenAICaptioner(settings)
    with pytest.raises(Unavailable):
        await captioner.caption(picture, Wish(), a_provider_context())
    with pytest.raises(Unavailable):
        await captioner.check()
    await captioner.close()
