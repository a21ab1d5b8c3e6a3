"""Choosing providers: only the chosen ones are imported, what they lack is said at once."""

import json
import subprocess
import sys
from typing import Any

import pytest

from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured, Unavailable
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.providers import Providers, check_providers, missing_settings, open_providers

VERTEX = {"vertex": {"project": "p", "endpoint": "http://127.0.0.1:9"}}
OPENAI = {"openai": {"api_key": "sk-x", "base_url": "http://127.0.0.1:9/v1"}}
GEMINI = {"gemini": {"api_key": "AIza-x", "endpoint": "http://127.0.0.1:9"}}
ELEVENLABS = {"elevenlabs": {"api_key": "sk_x", "endpoint": "http://127.0.0.1:9"}}
GCS = {"gcs": {"bucket": "b", "endpoint": "http://127.0.0.1:9"}}
PIPELINE = {"pipeline": {"template_uri": "https://us-kfp.pkg.dev/p/r/m/v1", "output": "gs://b/runs"}}
# Packages that only one provider needs, each with the providers that need it.
OWNERS = {
    "openai": {"openai"},
    "grpc": {"lyria", "pipeline", "gcs"},  # google.api_core imports it where it is installed
    "google.genai": {"gemini"},  # and lyria, with a model of Lyria 3
    "google.genai.interactions": set(),  # with the first song
    "httpx": {"gemini"},
    "melodify_core.composers.elevenlabs": {"elevenlabs"},
    "melodify_core.composers.acestep": {"acestep"},
    "melodify_core.composers.http": {"elevenlabs", "acestep"},
    "google.cloud.aiplatform_v1": {"lyria", "pipeline"},
    "google.cloud.storage": {"gcs", "pipeline"},
    "google.cloud.aiplatform": set(),
    "kfp": set(),
}
PROGRAM = """
import asyncio, json, sys
from melodify_core.providers import open_providers
from melodify_core.config.settings import Settings
from melodify_core.media.worker_pool import WorkerPool

async def main():
    pool = WorkerPool(1)
    async with open_providers(Settings.model_validate(json.loads(sys.argv[1])), pool) as providers:
        names = [provider.name for provider in providers.all]
    pool.close()
    print(json.dumps({"names": names, "modules": sorted(sys.modules)}))

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("captioner", "composer", "storage"),
    [
        ("palette", "arranger", "folder"),
        ("openai", "arranger", "folder"),
        ("palette", "lyria", "folder"),
        ("palette", "gemini", "folder"),
        ("palette", "elevenlabs", "folder"),
        ("palette", "acestep", "folder"),
        ("palette", "pipeline", "folder"),
        ("palette", "arranger", "gcs"),
    ],
)
def test_a_provider_that_is_not_chosen_is_not_imported(captioner: str, composer: str, storage: str) -> None:
    chosen = {"captioner": captioner, "composer": composer, "storage": storage}
    table = json.dumps(chosen | VERTEX | OPENAI | GEMINI | ELEVENLABS | GCS | PIPELINE)
    done = subprocess.run([sys.executable, "-c", PROGRAM, table], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    assert result["names"] == [captioner, composer, storage]
    imported = {package for package in OWNERS if package in result["modules"]}
    assert imported == {package for package, owners in OWNERS.items() if owners & set(chosen.values())}


def test_what_a_chosen_provider_lacks_is_said_all_at_once() -> None:
    settings = Settings(captioner="openai", composer="pipeline", storage="gcs")
    sentences = missing_settings(settings)
    named = [sentence.split()[0] for sentence in sentences]
    assert named == ["openai.api_key", "vertex.project", "pipeline.template_uri", "pipeline.output", "gcs.bucket"]


@pytest.mark.parametrize(
    ("chosen", "module", "extra"),
    [
        ({"storage": "gcs"}, "google.cloud.storage", "google"),
        ({"composer": "lyria"}, "google.cloud.aiplatform", "google"),
        ({"composer": "gemini"}, "google.genai", "gemini"),
        ({"captioner": "openai"}, "openai", "openai"),
    ],
)
async def test_a_provider_whose_package_is_missing_is_a_sentence(
    chosen: dict[str, str], module: str, extra: str, pool: WorkerPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    settings = Settings.model_validate(chosen | VERTEX | OPENAI | GEMINI | GCS)
    with pytest.raises(Misconfigured, match=rf'^\w+ needs a package .*: pip install "melodify\[{extra}\]"\.') as caught:
        async with open_providers(settings, pool):
            pytest.fail("opened")
    assert ("PROVIDERS=image-full" in str(caught.value)) == (extra == "google")


def test_the_embedded_providers_lack_nothing() -> None:
    assert missing_settings(Settings()) == []


async def test_nothing_is_opened_while_a_setting_is_missing(pool: WorkerPool) -> None:
    with pytest.raises(Misconfigured, match=r"vertex\.project is missing"):
        async with open_providers(Settings(composer="lyria"), pool):
            pytest.fail("opened")


class Broken:
    """A provider whose check fails."""

    def __init__(self, name: str, error: Exception) -> None:
        self.name = name
        self._error = error

    async def check(self) -> None:
        raise self._error

    async def close(self) -> None: ...


def providers_of(*providers: Any) -> Providers:
    return Providers(*providers)


async def test_every_mistake_of_every_provider_is_told() -> None:
    wrong = providers_of(
        Broken("a", Misconfigured("a.key is wrong.")),
        Broken("b", Misconfigured("b.one is wrong.", "b.two is wrong.")),
        Broken("c", Unavailable("storage.unavailable")),
    )
    with pytest.raises(Misconfigured) as caught:
        await check_providers(wrong)
    assert caught.value.problems == ("a.key is wrong.", "b.one is wrong.", "b.two is wrong.")


async def test_a_provider_that_is_only_away_does_not_stop_the_start(caplog: pytest.LogCaptureFixture) -> None:
    away = Broken("far", Unavailable("provider.unavailable"))
    await check_providers(providers_of(away, away, away))
    assert "far cannot be reached now" in caplog.text


async def test_a_composer_with_a_mistake_stops_the_start_only_where_no_other_may_play(
    caplog: pytest.LogCaptureFixture,
) -> None:
    fine, wrong = Broken("far", Unavailable("provider.unavailable")), Broken("b", Misconfigured("b.key is wrong."))
    await check_providers(providers_of(fine, wrong, fine, (fine,)))
    assert "b cannot play, starting with the other composers: b.key is wrong." in caplog.text
    with pytest.raises(Misconfigured, match=r"b\.key is wrong"):
        await check_providers(providers_of(fine, wrong, fine, (wrong,)))
    with pytest.raises(Misconfigured, match=r"b\.key is wrong"):
        await check_providers(providers_of(fine, fine, wrong, (fine,)))


async def test_a_bug_in_a_check_is_not_hidden() -> None:
    fine = Broken("fine", Unavailable("provider.unavailable"))
    with pytest.raises(ZeroDivisionError):
        await check_providers(providers_of(fine, Broken("buggy", ZeroDivisionError()), fine))
