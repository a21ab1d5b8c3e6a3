"""The pipeline itself: the committed template, compiled again and run without a cloud, in its own environment."""

import hashlib
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from melodify_core.brief import music_prompt
from melodify_core.models import Wish
from tests.briefs import a_brief
from tests.sounds import decoded

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-pipeline/bin/python"
HOME = ROOT / "deploy/pipeline"
TEMPLATE = HOME / "melodify_music.yaml"
RUN = """
import json, sys
from kfp import local
from kfp.components import load_component_from_file

template, root, parameters = sys.argv[1:]
local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=root)
for each in json.loads(parameters):
    try:
        load_component_from_file(template)(**each)
    except RuntimeError as error:
        print("FAILED", error)
"""

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="no .venv-pipeline: `make pipeline` makes it")


@pytest.fixture(autouse=True)
def _own_temporary_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # KFP's runner makes a folder with mktemp for each component and leaves it there.
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def in_the_pipelines_environment(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run its Python; what it starts finds the project's code as in the image."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    environment |= {
        "PATH": f"{PYTHON.parent}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}:{HOME}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(
        [str(PYTHON), *map(str, arguments)], env=environment | variables, capture_output=True, text=True, check=False
    )


def run_pipeline(folder: Path, *runs: dict[str, Any]) -> str:
    """Run it once with each set of parameters, in one process; return what was printed."""
    usual = {"prompt": music_prompt(a_brief(), Wish()), "output_uri": f"{folder}/music.wav", "model": "arranger"}
    every = json.dumps([usual | run for run in runs])
    done = in_the_pipelines_environment("-c", RUN, TEMPLATE, folder / "root", every)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_committed_template_is_what_compiling_gives(tmp_path: Path) -> None:
    done = in_the_pipelines_environment(HOME / "pipeline.py", "--output", tmp_path / "again.yaml")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "again.yaml").read_text() == TEMPLATE.read_text()


def test_image_accelerator_and_model_are_chosen_when_compiling(tmp_path: Path) -> None:
    template = tmp_path / "mine.yaml"
    choice = ("--image", "registry/music:9", "--accelerator", "", "--model", "arranger", "--output", template)
    assert in_the_pipelines_environment(HOME / "pipeline.py", *choice).returncode == 0
    text = template.read_text()
    assert "image: registry/music:9" in text
    assert "accelerator" not in text
    assert "defaultValue: arranger" in text


def test_caching_is_off_in_the_template() -> None:
    # An absent enableCache means false, and the service rewrites nothing in a template that it fetches.
    text = TEMPLATE.read_text()
    assert text.count("cachingOptions: {}") == text.count("cachingOptions") == text.count("taskInfo:") == 1
    assert "enableCache" not in text


def test_the_template_takes_what_the_bot_sends() -> None:
    inputs = TEMPLATE.read_text().rpartition("inputDefinitions:")[2]
    assert all(f"      {name}:\n" in inputs for name in ("prompt", "negative_prompt", "seconds", "seed", "output_uri"))
    required = [part for part in inputs.split("parameterType")[:-1] if "isOptional" not in part]
    assert len(required) == 2  # output_uri and prompt


def test_the_compiled_pipeline_makes_a_wav_of_the_asked_length_and_the_same_for_the_same_seed(tmp_path: Path) -> None:
    seeds = {"first": 7, "second": 7, "other": 8}
    usual = {"seconds": 12, "negative_prompt": "vocals"}
    runs = [usual | {"seed": seed, "output_uri": f"{tmp_path}/{name}.wav"} for name, seed in seeds.items()]
    assert "FAILED" not in run_pipeline(tmp_path, *runs)
    first, second, other = ((tmp_path / f"{name}.wav").read_bytes() for name in seeds)
    sound, rate = decoded(first)
    assert abs(len(sound) / rate - 12) < 1.5
    assert abs(sound).max() > 0.05
    assert digest(first) == digest(second) != digest(other)


def test_a_parameter_that_makes_no_sense_fails_the_run_with_its_name(tmp_path: Path) -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"model": "jukebox"}, "model must be one of"),
        ({"prompt": " "}, "prompt is empty"),
        ({"seconds": 0}, "seconds must be from 1 to 300"),
        ({"output_uri": "https://example.com/x.wav"}, "output_uri must be gs://"),
    ]
    said = run_pipeline(tmp_path, *(parameters for parameters, _ in wrong))
    assert [words for _, words in wrong if words not in said] == []
    assert said.count("FAILED") == len(wrong)
    assert not (tmp_path / "music.wav").exists()


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
