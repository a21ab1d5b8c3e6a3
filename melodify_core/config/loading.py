"""Reads the settings from config.toml and MELODIFY_* variables, and knows which of them are secret."""

import os
import re
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any, get_args
from urllib.parse import unquote

from pydantic import ValidationError
from pydantic_settings import SettingsError

from melodify_core.config.error_messages import sentences
from melodify_core.config.files import read_text
from melodify_core.config.settings import NEST, PREFIX, LogFormat, Section, Settings
from melodify_core.config.suggestions import variable_like
from melodify_core.errors import Misconfigured

# Names the settings file; it is no setting itself.
CONFIG_VARIABLE = "MELODIFY_CONFIG"
DEFAULT_FILE = Path("config.toml")


def load(path: Path | None = None, *, without: Collection[str] = ()) -> Settings:
    """Return the settings of `path`, of the file that MELODIFY_CONFIG names, or of ./config.toml where it exists.

    What is named in `without`, such as "section.name", is left out of the file.

    Raises Misconfigured with one sentence for each mistake, all at once.
    """
    named = _named(path)
    table, problems = _read_table(named or DEFAULT_FILE, must_exist=named is not None)
    problems += _unknown_variables()
    for section, _, key in (name.partition(".") for name in without):
        if isinstance(table.get(section), dict):
            table[section].pop(key, None)
    settings = None
    try:
        settings = Settings(**table)
    except ValidationError as error:
        problems += sentences(error)
    except SettingsError as error:
        # The environment gives lists and tables as JSON; the library's own words name the field.
        name = re.search(r'field "([^"]+)"', str(error))
        problems.append(
            f"{PREFIX}{name[1].upper() if name else '...'}: a list or table in a variable must be JSON, such as [1, 2] "
            'or ["a", "b"].'
        )
    except RecursionError:
        problems.append(f"A list or table in a {PREFIX}* variable is nested too deeply.")
    if settings is None or problems:
        raise Misconfigured(*problems)
    return settings


def log_format(path: Path | None = None) -> LogFormat:
    """Return the log's form by the same sources, where these have mistakes too; "auto" where none says it."""
    table, _ = _read_table(_named(path) or DEFAULT_FILE, must_exist=False)
    section = table.get("log")
    written = section.get("format") if isinstance(section, dict) else None
    form = os.environ.get(f"{PREFIX}LOG{NEST}FORMAT", written)
    return next((known for known in get_args(LogFormat) if known == form), "auto")


def source_of(path: Path | None) -> str:
    """Return where `load(path)` takes the settings from, for a report."""
    named = _named(path) or (DEFAULT_FILE if DEFAULT_FILE.exists() else None)
    return f"settings: {named.resolve()}" if named else f"settings: the defaults, there is no {DEFAULT_FILE} here"


def _named(path: Path | None) -> Path | None:
    return path or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Return every secret value that is set, for callers that keep them out of sight."""
    values = (getattr(getattr(settings, section), name) for section, name in _secrets())
    return (
        *(value.get_secret_value() for value in values if value is not None),
        *passwords_in(settings.database.url),
    )


def secret_names() -> list[str]:
    """Return the names of the settings that are secrets, such as "discord.token"."""
    return [f"{section}.{name}" for section, name in _secrets()]


def _secrets() -> list[tuple[str, str]]:
    """Return section and name of each secret."""
    sections = [(name, field.annotation) for name, field in sorted(Settings.model_fields.items())]
    return [
        (name, secret)
        for name, section in sections
        if isinstance(section, type) and issubclass(section, Section)
        for secret in section.secrets()
    ]


def passwords_in(url: str) -> list[str]:
    """Return the password in the address of a database, encoded as it is there and decoded."""
    if url.startswith("sqlite"):
        return []
    address = url.partition("://")[2]
    # Also up to the last @: half of a password that should have been encoded must not be shown either.
    logins = {address.partition("@")[0], address.rpartition("@")[0]} if "@" in address else ()
    found = {login.partition(":")[2] for login in logins} | set(re.findall(r"[?&]password=([^&]+)", address))
    return sorted({form for password in found if password for form in (password, unquote(password))})


def _read_table(path: Path, *, must_exist: bool) -> tuple[dict[str, Any], list[str]]:
    # Not TomlConfigSettingsSource: it takes a missing file for an empty one, and a secret for any other setting.
    try:
        table = tomllib.loads(read_text(path))
    except FileNotFoundError as error:
        return {}, [f"The settings file {path} cannot be read: {error.strerror}."] if must_exist else []
    except OSError as error:
        return {}, [f"The settings file {path} cannot be read: {error.strerror}."]
    except RecursionError:
        return {}, [f"The settings file {path} is nested too deeply."]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [f"The settings file {path} is not valid TOML: {error}."]
    problems = []
    for section, key in _secrets():
        if isinstance(table.get(section), dict) and table[section].pop(key, None) is not None:
            variable = f"{PREFIX}{section}{NEST}{key}".upper()
            problems.append(
                f"{section}.{key} is a secret and may not stand in {path}: set {variable} or {section}.{key}_file."
            )
    return table, problems


def _unknown_variables() -> list[str]:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    return [
        f"The environment variable {name} names no setting.{variable_like(name)}"
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and name != CONFIG_VARIABLE and name.split(NEST)[0].upper() not in known
    ]
