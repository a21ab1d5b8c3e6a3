"""Word lists and tables that are stored beside the code that uses them. What they mean is up to that code."""

import tomllib
from importlib.resources import files
from typing import Any


def read_text(package: str, name: str) -> str:
    """Return the text of a package's file; `name` may lead into a folder of it."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def read_table(package: str, name: str) -> dict[str, Any]:
    """Return the content of a package's TOML file."""
    return tomllib.loads(read_text(package, name))
