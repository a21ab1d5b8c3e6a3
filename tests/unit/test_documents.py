"""The documents fit their bounds, their links lead somewhere, and what they name exists. `make docs` builds them."""

import argparse
import re
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from bot.cli.parser import Command, command_line
from bot.i18n.messages import catalogue
from bot.posts.song_view import CHOICES, KINDS
from melodify_core.config.settings import Settings
from melodify_core.models import UsageState

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted({*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("deploy/**/*.md")})
NAMES = [path.relative_to(ROOT).as_posix() for path in DOCUMENTS]
# In the container of the pipeline, which has no settings of ours.
OF_THE_PIPELINE = {"MELODIFY_PROJECT", "MELODIFY_LOCATION"}
NAMES_THE_FILE = "MELODIFY_CONFIG"
# Folders and files that only a running bot or a build makes.
MADE = ("build/", "data/", "owners/", "config.toml")
LINK = re.compile(r"(?<!`)\[[^\]]*\]\(([^)\s]+)\)")


@cache
def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@cache
def prose_of(name: str) -> str:
    """Return the document without its fenced blocks: a comment in one is no heading, and brackets are no link."""
    return re.sub(r"^ *```.*?^ *```", "", text_of(name), flags=re.MULTILINE | re.DOTALL)


def code_of(name: str) -> list[str]:
    """Return what stands in code style, line breaks folded, and the lines of the fenced blocks."""
    blocks = "\n".join(re.findall(r"^ *```\w*\n(.*?)^ *```", text_of(name), re.MULTILINE | re.DOTALL))
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose_of(name))] + blocks.splitlines()


@cache
def anchors_of(name: str) -> set[str]:
    """Return the anchors as a forge and the site make them of headings."""
    headings = re.findall(r"^#+ (.+)$", prose_of(name), re.MULTILINE)
    bare = (re.sub(r"[`*]", "", heading).strip().lower() for heading in headings)
    return {re.sub(r"[^\w\- ]", "", heading).replace(" ", "-") for heading in bare}


def test_the_readme_is_one_page() -> None:
    lines = text_of("README.md").splitlines()
    assert len(lines) <= 120
    assert [line for line in lines if len(line) > 120] == []
    assert 600 <= len(text_of("README.md").split()) <= 950
    what_it_does = text_of("README.md").split("## What it does")[1].split("## ")[0]
    assert what_it_does.count("\n- ") == 8


def test_each_state_of_a_job_is_explained() -> None:
    table = text_of("docs/operations.md").split("| state | the job |")[1].split("\n\n")[0]
    assert set(re.findall(r"^\| (\w+) \|", table, re.MULTILINE)) == set(get_args(UsageState))


@pytest.mark.parametrize("name", NAMES)
def test_prose_is_at_most_120_characters_wide(name: str) -> None:
    assert [line for line in prose_of(name).splitlines() if len(line) > 120 and not line.startswith("|")] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_to_a_document_and_to_a_heading_of_it(name: str) -> None:
    dead = []
    for link in LINK.findall(prose_of(name)):
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        there = target.resolve()
        assert not link.startswith(("http", "/")), f"{link}: the site checks no link to elsewhere"
        if not there.is_file() or (anchor and anchor not in anchors_of(there.relative_to(ROOT).as_posix())):
            dead.append(link)
    assert dead == []


def test_every_document_is_in_the_site_s_menu() -> None:
    menu = set(re.findall(r"^ +- (?:[\w ]+: )?(\S+\.md)$", text_of("mkdocs.yml"), re.MULTILINE))
    assert menu == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_every_path_exists(name: str) -> None:
    spans = [span for span in code_of(name) if re.fullmatch(r"[\w./-]+", span)]
    rooted = re.compile(r"(bot|melodify_core|tests|deploy|docs|benchmarks|quality)/|[\w-]+/README\.md")
    paths = {span for span in spans if rooted.match(span) and not span.startswith(MADE)}
    assert {path for path in paths if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize("name", NAMES)
def test_every_make_target_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+(?: [a-z-]+)*):(?!=)", text_of("Makefile"), re.MULTILINE))
    known = {word for line in targets for word in line.split()}
    named = {target for span in code_of(name) for target in re.findall(r"\bmake ([a-z][a-z-]+)", span)}
    assert named <= known


def commands() -> dict[str, set[str]]:
    """Return the options of each command of the command line, those of its own commands among them."""

    def options(parser: argparse.ArgumentParser) -> set[str]:
        found: set[str] = set()
        if isinstance(parser, Command):
            parser.add_options()
        for action in parser._actions:
            found |= set(action.option_strings)
            if isinstance(action, argparse._SubParsersAction):
                found |= {word for inner in action.choices.values() for word in options(inner)} | set(action.choices)
        return found

    (subcommands,) = (each for each in command_line()._actions if isinstance(each, argparse._SubParsersAction))
    return {name: options(parser) for name, parser in subcommands.choices.items()}


@pytest.mark.parametrize("name", NAMES)
def test_every_command_and_option_exists(name: str) -> None:
    known = commands()
    for span in code_of(name):
        called = re.match(r"(?:\.venv/bin/)?melodify ([a-z]+)(.*)", span)
        if called and "=" not in called[2].split("--")[0]:
            assert called[1] in known, span
            assert set(re.findall(r"--[a-z-]+", called[2])) <= known[called[1]], span


def test_the_page_of_commands_has_every_command_and_option() -> None:
    page = text_of("docs/commands.md")
    for command, options in commands().items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `melodify {command}"))
        assert {option for option in options - {"-h", "--help"} if option not in row} == set()


def setting(dotted: str) -> Any:
    """Return the default of a setting. Raises AttributeError for one that does not exist."""
    value: Any = Settings()
    for part in dotted.split("."):
        value = getattr(value, part)
    return value


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_and_variable_exists(name: str) -> None:
    sections = [key for key, field in Settings.model_fields.items() if isinstance(field.default, BaseModel)]
    # An equals sign or nothing follows; "web.py" and the like are files.
    dotted = re.compile(rf"(?<![\w./-])({'|'.join(sections)})\.([a-z_]+)(?=$|[ ,)=])")
    for span in code_of(name):
        if span.endswith((".py", ".md", ".toml")) or " -> " in span:
            continue
        for section, key in dotted.findall(span):
            setting(f"{section}.{key}")
    for variable in set(re.findall(r"\bMELODIFY_[A-Z_]+[A-Z]", text_of(name))) - OF_THE_PIPELINE - {NAMES_THE_FILE}:
        setting(variable.removeprefix("MELODIFY_").lower().replace("__", "."))


@pytest.mark.parametrize("name", ["README.md", "docs/operations.md"])
def test_the_defaults_in_the_tables_are_the_settings_own(name: str) -> None:
    rows = re.findall(r"^\| (`[a-zA-Z_.`, ]+`) \| ([^|]*) \|", text_of(name), re.MULTILINE)
    seen = 0
    for names, said in rows:
        section = ""
        for dotted in re.findall(r"`([a-z_.]+)`", names):
            section = dotted.split(".")[0] if not dotted.startswith(".") else section
            default = setting(section + dotted if dotted.startswith(".") else dotted)
            # What is not there, and what the code works out, is said in words.
            if isinstance(default, int | str) and default not in ("", 0, False):
                assert str(default) in re.split(r"[`, ]+", said), dotted
                seen += 1
    assert seen >= 4


def test_every_term_of_the_glossary_is_a_name_in_the_code() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "melodify_core").rglob("*.py"))
    rows = re.findall(r"^\| (`.*?`) \|", text_of("docs/glossary.md"), re.MULTILINE)
    terms = re.findall(r"`(\w+)`", " ".join(rows))
    assert len(terms) > 30
    assert [term for term in terms if not re.search(rf"^(class|def) {term}\b", code, re.MULTILINE)] == []


def test_the_log_lines_to_watch_for_are_in_the_code() -> None:
    code = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "melodify_core").rglob("*.py"))
    table = text_of("docs/operations.md").split("| in the log |")[1].split("\n\n")[0]
    quoted = re.findall(r'^\| "(.+?)" \|', table, re.MULTILINE)
    assert len(quoted) >= 4
    for line in quoted:
        assert all(part in code for part in line.split("...")), line


@pytest.mark.parametrize(("page", "language"), [("docs/members.md", "en"), ("docs/members.ko.md", "ko")])
def test_the_members_page_has_every_button_and_command(page: str, language: Any) -> None:
    words = catalogue(language)
    table = {row.split(" | ")[0].strip("| *`/") for row in text_of(page).splitlines() if row.startswith("| ")}
    assert {re.sub(r"^\W+", "", words[f"button.{name}"]) for name in KINDS} <= table
    assert {words[f"choice.{name}"] for name in CHOICES} <= table
    assert {words[f"command.{name}.name"] for name in ("melodify", "songs", "quota", "forget_me", "help")} <= table


def test_the_korean_page_says_as_much_as_the_english_one() -> None:
    for form in (r"^## ", r"^- \*\*", r"^\| "):
        counts = {
            len(re.findall(form, text_of(page), re.MULTILINE)) for page in ("docs/members.md", "docs/members.ko.md")
        }
        assert len(counts) == 1, form


def test_the_architecture_shows_every_room() -> None:
    page, drawing = text_of("docs/architecture.md"), text_of("docs/rooms.svg")
    for half in ("bot", "melodify_core"):
        for path in sorted((ROOT / half).iterdir()):
            if path.name.startswith("__") or not (path.suffix == ".py" or (path / "__init__.py").exists()):
                continue
            name = f"{half}/{path.name}{'/' if path.is_dir() else ''}"
            assert f"`{name}`" in page, name
            assert f">{path.name}</text>" in drawing, name


def test_the_moderators_page_has_every_subcommand() -> None:
    table = " ".join(row.split(" | ")[0] for row in text_of("docs/moderators.md").splitlines() if row.startswith("| `"))
    keys = [key for key in catalogue("en") if re.fullmatch(r"command\.admin_\w+\.name", key)]
    assert {catalogue("en")[key] for key in keys} == set(re.findall(r"`([\w-]+)`", table))
