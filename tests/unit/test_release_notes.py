"""The notes of a release: the changelog's own words for that version."""

import subprocess
import sys
import tomllib

import pytest

from deploy.release_notes import CHANGELOG, notes

ROOT = CHANGELOG.parent
TWO = "# Changelog\n\n## 1.1.0 (2030-01-02)\n\n### Added\n- A tune.\n\n## 1.1\n\n- Old.\n\n## 1.0.0\n"


def test_a_version_s_notes_end_where_the_next_version_begins() -> None:
    assert notes(TWO, "1.1.0") == "### Added\n- A tune.\n"


@pytest.mark.parametrize("version", ["1.0.0", "1.2.0", "1.1.00", "1x1.0"])
def test_a_version_without_notes_is_not_released(version: str) -> None:
    with pytest.raises(LookupError, match="says nothing"):
        notes(TWO, version)


def test_the_version_that_is_built_has_its_notes() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    command = [sys.executable, str(ROOT / "deploy" / "release_notes.py"), f"v{version}"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "### Added" in printed.stdout
    refused = subprocess.run([*command[:2], "v0.0.1"], capture_output=True, text=True, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "0.0.1" in refused.stderr
