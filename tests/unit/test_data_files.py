"""What lies beside the code and is no code: word lists, styles, catalogues, templates."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_data_file_goes_into_the_wheel() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]
    for package in ("bot", "melodify_core"):
        packed = {path for pattern in patterns[package] for path in (ROOT / package).glob(pattern)}
        there = {path for path in (ROOT / package).rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")}
        assert sorted(there - packed) == []
