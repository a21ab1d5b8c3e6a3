"""What a person is told to type to start Melodify again."""

import os
from pathlib import Path

import pytest

from bot.cli.output import program


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command in a checkout's environment, called by its path."""
    script = tmp_path / "my bot" / "bin" / "melodify"
    script.parent.mkdir(parents=True)
    script.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["my bot/bin/melodify", "setup"])
    monkeypatch.setenv("PATH", "/nowhere")
    return script


def test_a_command_that_the_shell_does_not_find_is_named_by_its_path(script: Path) -> None:
    assert script.exists()
    assert program() == "'my bot/bin/melodify'"


def test_another_melodify_on_the_path_is_not_this_one(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "melodify").touch(mode=0o755)
    monkeypatch.setenv("PATH", os.pathsep.join((str(tmp_path), str(script.parent))))
    assert program() == "'my bot/bin/melodify'"


def test_one_that_the_shell_finds_has_its_short_name(script: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(script.parent))
    assert program() == "melodify"


def test_python_m_bot_has_the_short_name_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/somewhere/bot/__main__.py", "check"])
    assert program() == "melodify"
