"""Lyria 3 through the real google-genai against its Interactions API on loopback."""

import base64
from typing import Any

import pytest

from melodify_core.config.settings import Settings
from melodify_core.models import Wish
from melodify_core.providers import abilities_of, missing_settings
from tests.contract.lyria_asking import CLIP, JPEG, MP3, PROJECT, asker, outcome
from tests.vertex_server import interaction

PRO = "lyria-3-pro-preview"


async def test_the_model_is_asked_in_its_own_region_and_nothing_is_stored() -> None:
    async with asker(CLIP) as it:
        take = await it.asks()

    assert it.server.paths == [f"/v1beta1/projects/{PROJECT}/locations/global/interactions"]
    assert (it.server.asked[0]["model"], it.server.asked[0]["store"]) == (CLIP, False)
    assert (take.audio, take.content_type) == (MP3, "audio/mpeg")
    assert it.bills[0].request_id == "interaction-1"


@pytest.mark.parametrize(("model", "wished", "prompted"), [(CLIP, 20, 20), (CLIP, 90, 30), (PRO, 90, 90)])
async def test_the_prompt_says_the_length_as_far_as_the_model_goes(model: str, wished: int, prompted: int) -> None:
    async with asker(model) as it:
        await it.asks(Wish(seconds=wished))

    assert f"About {prompted} seconds long." in prompt_of(it.server.asked[0])


async def test_the_music_is_instrumental_unless_singing_is_wished() -> None:
    async with asker(CLIP) as it:
        await it.asks(Wish())
        await it.asks(Wish(vocals=True, language="ko"))

    plain, sung = (prompt_of(asked) for asked in it.server.asked)
    assert plain.startswith("Instrumental folk.")
    assert "no vocals" in plain
    assert "nstrumental" not in sung
    assert sung.startswith("Folk.")
    assert "With vocals in Korean." in sung


async def test_the_picture_is_sent_when_the_setting_allows() -> None:
    async with asker(CLIP, send_picture=True) as it:
        await it.asks()

    pictures = [part for part in parts_of(it.server.asked[0]) if part["type"] == "image"]
    assert [(base64.b64decode(part["data"]), part["mime_type"]) for part in pictures] == [(JPEG, "image/jpeg")]


async def test_the_picture_stays_here_by_default() -> None:
    async with asker(CLIP) as it:
        await it.asks()

    assert isinstance(it.server.asked[0]["input"], str)
    assert it.pictures == 0


async def test_a_model_that_is_not_known_here_is_asked_at_the_price_that_was_set() -> None:
    async with asker("lyria-4-preview", dollars_per_take=0.11) as it:
        await it.asks(Wish(seconds=90))

    assert it.server.asked[0]["model"] == "lyria-4-preview"
    assert "About 90 seconds long." in prompt_of(it.server.asked[0])
    assert [bill.dollars for bill in it.bills] == [0.11]


def test_a_model_without_a_known_price_is_a_sentence() -> None:
    settings = Settings.model_validate({"composer": "lyria", "lyria": {"model": "lyria-4"}, "vertex": {"project": "p"}})
    [sentence] = missing_settings(settings)
    assert sentence.startswith('lyria.dollars_per_take is missing: what a song of "lyria-4" costs')
    assert abilities_of(settings).longest_s >= 120


async def test_after_a_block_the_picture_is_left_out() -> None:
    async with asker(CLIP, send_picture=True) as it:
        it.server.answers = [REFUSAL]
        await it.asks()

    assert [len(parts_of(asked)) for asked in it.server.asked] == [2, 1]


async def test_a_whole_song_of_more_than_4_mib_comes_through() -> None:
    async with asker(PRO) as it:
        it.server.audio = MP3 + bytes(4 * 1024 * 1024)
        take = await it.asks()

    assert take.audio == it.server.audio


async def test_the_older_shape_of_an_answer_is_read_too() -> None:
    async with asker(CLIP) as it:
        answer = interaction(CLIP, MP3)
        answer["outputs"] = answer.pop("steps")[0]["content"]
        it.server.answers = [answer]
        take = await it.asks()

    assert take.audio == MP3


async def test_music_that_the_answer_only_points_to_is_fetched(caplog: pytest.LogCaptureFixture) -> None:
    async with asker(CLIP) as it:
        paths = ["here.mp3", "nowhere.mp3"]
        it.server.files = {"/here.mp3": MP3}
        it.server.answers = [
            answering({"type": "audio", "mime_type": "audio/mpeg", "uri": f"{it.server.url}/{path}"}) for path in paths
        ]
        take = await it.asks()
        assert take.audio == MP3
        assert await outcome(it.asks()) == "music.failed"

    assert (it.server.made, len(it.bills)) == (2, 2)
    assert "the music's address cannot be read: 404" in caplog.text


def answering(*content: Any, **fields: Any) -> dict[str, Any]:
    """Return an answer with this content instead of music."""
    return interaction(CLIP, MP3) | {"steps": [{"type": "model_output", "content": list(content)}]} | fields


REFUSAL = answering({"type": "text", "text": "The prompt was blocked by our safety filters."}, status="failed")
LYRICS = answering({"type": "text", "text": "[0:00] An artist sings of safety, blocked by copyright"})
ERROR = answering(status="failed", errors=[{"code": "PROHIBITED_CONTENT", "message": "no"}])
WORDS = answering({"type": "text", "text": "Here is a poem instead."})
# Answers with status 200, what becomes of the job, bills.
ODD: dict[str, tuple[list[Any], str, int]] = {
    "refused once": ([REFUSAL], "", 1),
    "refused twice": ([REFUSAL, ERROR], "music.blocked", 0),
    "words only": ([WORDS], "music.failed", 1),
    "lyrics that would be an offence elsewhere": ([LYRICS], "music.failed", 1),
    "failed": ([answering(status="failed")], "provider.unavailable", 0),
    "an object of another kind": ([{"kind": "?"}], "music.failed", 1),
    "steps that are a text": ([answering() | {"steps": "none"}], "music.failed", 1),
    "a text": (["no object"], "music.failed", 1),
    "a list": ([[1, 2]], "music.failed", 1),
    "empty audio": ([answering({"type": "audio", "data": ""})], "music.failed", 1),
    "no Base64": ([answering({"type": "audio", "data": "?!"})], "music.failed", 1),
    "audio of the wrong type": (
        [answering({"type": "audio", "mime_type": "audio/mpeg", "data": base64.b64encode(b"<html>").decode()})],
        "music.failed",
        1,
    ),
}


@pytest.mark.parametrize(("answers", "code", "bills"), ODD.values(), ids=ODD.keys())
async def test_an_odd_answer_has_its_error_and_is_paid_once(answers: list[Any], code: str, bills: int) -> None:
    async with asker(CLIP) as it:
        it.server.answers = list(answers)
        calls = len(answers) + (code == "")

        assert await outcome(it.asks()) == code
        assert (it.server.made, len(it.bills)) == (calls, bills)


def parts_of(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the content of a request: a text, or what the SDK wraps in a step."""
    if isinstance(asked["input"], str):
        return [{"type": "text", "text": asked["input"]}]
    content: list[dict[str, Any]] = asked["input"][0]["content"]
    return content


def prompt_of(asked: dict[str, Any]) -> str:
    """Return the text of a request."""
    return " ".join(part["text"] for part in parts_of(asked) if part["type"] == "text")
