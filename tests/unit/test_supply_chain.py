"""What is built from comes by its content, not by a name that somebody can move."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILES = ["Dockerfile", "deploy/pipeline/Dockerfile", "deploy/acestep/Dockerfile"]
DIGEST = r"@sha256:[0-9a-f]{64}"
# A part of a package that is not public, as ruff marks it, or a module that begins with an underscore.
PRIVATE_IMPORT = re.compile(r"^from ([\w.]+)\._\w+[\w.]* import", re.MULTILINE)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", DOCKERFILES)
def test_base_images_are_named_by_digest(name: str) -> None:
    bases = re.findall(r"^FROM (\S+)", text_of(name), re.MULTILINE)
    assert bases
    assert [base for base in bases if not re.search(f"{DIGEST}$", base)] == []


@pytest.mark.parametrize("name", DOCKERFILES)
def test_images_run_as_a_plain_user(name: str) -> None:
    users = re.findall(r"^USER (\S+)", text_of(name), re.MULTILINE)
    assert users
    assert int(users[-1]) >= 1000


def test_foreign_images_of_the_compose_files_are_named_by_digest() -> None:
    images = [
        image
        for path in ROOT.glob("compose*.yaml")
        for image in re.findall(r"^\s+image: (\S+)", path.read_text(), re.MULTILINE)
    ]
    assert [image for image in images if image != "melodify" and not re.search(f"{DIGEST}$", image)] == []


def test_actions_are_named_by_commit() -> None:
    used = [
        line
        for path in ROOT.glob(".github/workflows/*.yml")
        for line in re.findall(r"uses: (.+)", path.read_text(encoding="utf-8"))
    ]
    assert used
    ours = "./.github/workflows/ci.yml"
    assert [line for line in used if line != ours and not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v[\d.]+", line)] == []


def test_every_list_of_packages_has_hashes_and_so_has_what_make_installs() -> None:
    for path in ROOT.glob("deploy/pipeline/requirements*.txt"):
        pins = re.findall(r"^[\w.-]+==[^\\]*\\\n\s+--hash=sha256:[0-9a-f]{64}", path.read_text(), re.MULTILINE)
        assert len(pins) == len(re.findall(r"^[\w.-]+==", path.read_text(), re.MULTILINE)) > 0
    installs = [line for line in text_of("Makefile").replace("\\\n", " ").splitlines() if "pip install" in line]
    assert [line for line in installs if "--require-hashes" not in line] == []


@pytest.mark.parametrize(
    ("package", "reach"),
    [
        ("discord.py", "client._connection"),
        ("dbos", "_sys_db"),
        ("google-cloud-storage", "_bucket_metadata_cache"),
        ("google-genai", "google.genai._interactions"),
    ],
)
def test_a_package_whose_inside_is_used_is_bound_to_its_minor_version(package: str, reach: str) -> None:
    assert any(reach in path.read_text() for room in ("bot", "melodify_core") for path in (ROOT / room).rglob("*.py"))
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["google"]]
    (needed,) = [line for line in asked if re.match(re.escape(package) + r"[>=<]", line)]
    least, most = re.fullmatch(r"[\w.-]+>=(\d+\.\d+)[\d.]*,<(\d+\.\d+)", needed).groups()  # type: ignore[union-attr]
    assert float(most.split(".")[1]) == float(least.split(".")[1]) + 1
    assert most.split(".")[0] == least.split(".")[0]


@pytest.mark.parametrize(
    ("package", "reach"),
    [("aiohttp", "self._messages"), ("pillow", "_frame_transparency"), ("simcord\\[preview\\]", "_media.MAX_QUEUE")],
)
def test_a_package_of_which_a_private_name_is_read_has_an_upper_bound(package: str, reach: str) -> None:
    assert any(reach in path.read_text() for room in ("bot", "melodify_core") for path in (ROOT / room).rglob("*.py"))
    (needed,) = re.findall(rf'"{package}>=[^"]*"', text_of("pyproject.toml"))
    assert re.search(r",<\d", needed)


def test_no_other_private_module_is_imported() -> None:
    found = {
        module.split(".")[0] + "." + module.split(".")[1]
        for room in ("bot", "melodify_core")
        for path in (ROOT / room).rglob("*.py")
        for module in PRIVATE_IMPORT.findall(path.read_text(encoding="utf-8"))
    }
    assert found == {"google.genai"}
