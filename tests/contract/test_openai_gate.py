"""The checks before a caption: moderation, which fails closed, and that of the settings, which costs nothing."""

import pytest

from melodify_core.captioners.openai import OpenAICaptioner
from melodify_core.config.settings import OpenAI
from melodify_core.errors import Misconfigured, Refused, Unavailable
from melodify_core.models import Wish
from tests import openai_server
from tests.contract.openai_asking import Reports, caption, captioner_of, picture, reports, server, settings_of
from tests.openai_server import OpenAIServer, closed_port, fails, says, stalls

__all__ = ["picture", "reports", "server"]  # fixtures

# Moderation


async def test_a_flagged_picture_is_refused_and_nothing_is_paid(server: OpenAIServer, reports: Reports) -> None:
    server.flagged = {"image"}
    with pytest.raises(Refused, match="picture_blocked"):
        await caption(settings_of(server), reports, Wish(hint="rain"))
    assert not server.paid
    assert not reports.bills


async def test_a_flagged_hint_is_refused_and_nothing_is_paid(server: OpenAIServer, reports: Reports) -> None:
    server.flagged = {"gore"}
    with pytest.raises(Refused, match="hint_blocked"):
        await caption(settings_of(server), reports, Wish(hint="gore and more"))
    assert not server.paid


async def test_in_an_adult_place_a_sexual_picture_is_read(server: OpenAIServer, reports: Reports) -> None:
    server.flagged, server.categories, reports.adult = {"image"}, {"sexual": True, "violence": False}, True
    await caption(settings_of(server), reports)
    assert server.paid


@pytest.mark.parametrize(
    "categories",
    [{"sexual": True, "sexual/minors": True}, {"sexual": True, "violence": True}, {"sexual/minors": True}, {}],
)
async def test_in_an_adult_place_nothing_else_is_read(
    server: OpenAIServer, reports: Reports, categories: dict[str, bool]
) -> None:
    server.flagged, server.categories, reports.adult = {"image"}, categories, True
    with pytest.raises(Refused, match="picture_blocked"):
        await caption(settings_of(server), reports)
    assert not server.paid


async def test_elsewhere_a_sexual_picture_is_refused(server: OpenAIServer, reports: Reports) -> None:
    server.flagged, server.categories = {"image"}, {"sexual": True}
    with pytest.raises(Refused, match="picture_blocked"):
        await caption(settings_of(server), reports)


async def test_moderation_can_be_switched_off(server: OpenAIServer, reports: Reports) -> None:
    server.flagged = {"image"}
    await caption(settings_of(server, moderation=False), reports)
    assert not server.asked("/v1/moderations")


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (fails(500), "caption.unchecked"),
        (fails(503, retry_after="0"), "caption.unchecked"),
        (fails(429, "rate_limit_exceeded"), "caption.unchecked"),
        (fails(429, "insufficient_quota"), "provider.exhausted"),
        (fails(401, "invalid_api_key"), "provider.misconfigured"),
        (fails(404, "not_found"), "provider.misconfigured"),
        (says("<html>"), "caption.unchecked"),
        (says('{"results": []}'), "caption.unchecked"),
        (says('{"results": [{"flagged": "no"}]}'), "caption.unchecked"),
        (openai_server.hangs_up, "caption.unchecked"),
        (openai_server.breaks_off, "caption.unchecked"),
    ],
)
async def test_what_could_not_be_checked_is_not_read(
    server: OpenAIServer, reports: Reports, act: openai_server.Act, code: str
) -> None:
    server.moderation_script = [act] * 5
    with pytest.raises(Unavailable, match=code):
        await caption(settings_of(server, tries=2), reports)
    assert not server.paid


async def test_a_moderation_that_stalls_leaves_the_picture_unread(server: OpenAIServer, reports: Reports) -> None:
    server.moderation_script = [stalls]
    with pytest.raises(Unavailable, match=r"caption\.unchecked"):
        await caption(settings_of(server, deadline_s=0.3), reports)


# Check


async def checked(settings: OpenAI) -> None:
    captioner = captioner_of(settings)
    try:
        await captioner.check()
    finally:
        await captioner.close()


async def test_a_sound_setting_passes_the_check_and_costs_nothing(server: OpenAIServer) -> None:
    await checked(settings_of(server))
    assert not server.paid


@pytest.mark.parametrize(
    ("act", "sentence"),
    [
        (fails(401, "invalid_api_key"), "openai.api_key: the server does not accept the key"),
        (fails(403, "missing_scope"), "openai.api_key: the key lacks permission"),
        (says("<html>hello</html>", "text/html"), "openai.base_url"),
    ],
)
async def test_the_check_names_the_setting_to_fix(server: OpenAIServer, act: openai_server.Act, sentence: str) -> None:
    server.model_script = [act] * 2
    with pytest.raises(Misconfigured, match=sentence):
        await checked(settings_of(server))


async def test_the_check_names_each_unknown_model(server: OpenAIServer) -> None:
    server.models = set()
    with pytest.raises(Misconfigured) as caught:
        await checked(settings_of(server))
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "openai.model",
        "openai.fallback_model",
    ]


async def test_a_server_without_a_page_for_models_passes_the_check(server: OpenAIServer) -> None:
    server.models = None
    await checked(settings_of(server))
    # Only the empty question was put, which is turned down.
    assert not any(call.body for call in server.paid)


async def test_an_address_without_the_api_is_named(server: OpenAIServer) -> None:
    server.models = None
    server.script = [fails(404, "not_found")] * 2
    with pytest.raises(Misconfigured, match=r"openai\.base_url"):
        await checked(settings_of(server))


async def test_a_server_without_moderation_is_named(server: OpenAIServer) -> None:
    server.moderation_script = [fails(404, "not_found")]
    with pytest.raises(Misconfigured, match=r"openai\.moderation_key"):
        await checked(settings_of(server))


async def test_a_server_that_is_away_is_no_mistake_of_the_operator() -> None:
    with pytest.raises(Unavailable):
        await checked(OpenAI(base_url=f"http://127.0.0.1:{closed_port()}/v1"))


async def test_without_a_key_there_is_no_captioner() -> None:
    with pytest.raises(Misconfigured, match=r"https://platform\.openai\.com/api-keys"):
        OpenAICaptioner(OpenAI())
