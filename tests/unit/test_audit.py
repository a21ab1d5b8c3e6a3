"""`make audit` never calls well what it could not check. The tools' answers are recorded: they need a network."""

import hashlib
import json
import subprocess
from collections.abc import Callable

import pytest

from deploy.audit import PINS, ROOT, Done, Pin, main, pinned, secrets, vulnerabilities

JINJA, NUMPY, OTHER_NUMPY = Pin("jinja2", "2.10"), Pin("numpy", "2.4.6"), Pin("numpy", "2.5.5")
# pip-audit 2.10.1 with --format=json, shortened.
SKIPPED = {"name": "{name}", "skip_reason": "Dependency not found on PyPI and could not be audited: {name} ({version})"}
FINDING = {
    "id": "PYSEC-2019-217",
    "fix_versions": ["2.10.1"],
    "aliases": ["CVE-2019-10906", "GHSA-462w-v97r-4m45"],
    "description": "In Pallets Jinja before 2.10.1, str.format_map allows a sandbox escape.",
}
AWAY = "ConnectionError: HTTPSConnectionPool(host='api.osv.dev', port=443): Max retries exceeded"
LEAK = "sk-live-0123456789abcdef"

Service = Callable[[Pin], dict[str, object]]


def skipping(pin: Pin) -> dict[str, object]:
    return {key: value.format(**pin._asdict()) for key, value in SKIPPED.items()}


def knowing(pin: Pin) -> dict[str, object]:
    return {"name": pin.name, "version": pin.version, "vulns": [FINDING] if pin == JINJA else []}


class Auditor:
    """Answers as pip-audit does, with services that can be asked and others that cannot."""

    def __init__(self, **services: Service) -> None:
        self.services = services
        self.asked: list[str] = []

    def __call__(self, _name: str, _package: str, *arguments: str) -> Done:
        service = arguments[arguments.index("--vulnerability-service") + 1]
        self.asked.append(service)
        if service not in self.services:
            return subprocess.CompletedProcess(arguments, 1, "", f"Traceback ...\n{AWAY}\n")
        with open(arguments[-1], encoding="utf-8") as file:  # noqa: PTH123  # a name among arguments
            pins = [Pin(*line.strip().split("==")) for line in file]
        assert len({pin.name for pin in pins}) == len(pins), "pip-audit refuses a package twice"
        dependencies = [self.services[service](pin) for pin in pins]
        return subprocess.CompletedProcess(arguments, 0, json.dumps({"dependencies": dependencies, "fixes": []}), "")


def files(*pins: Pin) -> dict[Pin, list[str]]:
    return {pin: ["requirements.txt"] for pin in pins}


def test_what_a_service_skips_is_not_called_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert vulnerabilities(files(JINJA, NUMPY), Auditor(pypi=skipping)) == 0
    said = capsys.readouterr().out
    assert "2 of 2 pins NOT checked" in said
    assert "pypi: skipped 2 of 2, the first: Dependency not found on PyPI" in said
    assert f"osv: cannot be asked: {AWAY}" in said
    assert "none known" not in said


def test_what_one_service_skips_another_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    auditor = Auditor(pypi=lambda pin: knowing(pin) if pin == NUMPY else skipping(pin), osv=knowing)
    assert vulnerabilities(files(JINJA, NUMPY), auditor) == 1
    said = capsys.readouterr().out
    assert "jinja2 2.10 (requirements.txt): PYSEC-2019-217, fixed in 2.10.1" in said
    assert "NOT checked" not in said
    assert auditor.asked == ["pypi", "osv"]


def test_a_finding_fails_where_others_could_not_be_checked(capsys: pytest.CaptureFixture[str]) -> None:
    auditor = Auditor(pypi=lambda pin: knowing(pin) if pin == JINJA else skipping(pin))
    assert vulnerabilities(files(JINJA, NUMPY), auditor) == 1
    assert "1 of 2 pins NOT checked" in capsys.readouterr().out


def test_all_checked_and_well_says_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    auditor = Auditor(pypi=knowing)
    assert vulnerabilities(files(NUMPY, OTHER_NUMPY), auditor) == 0
    assert capsys.readouterr().out == "vulnerabilities: none known in the 2 pins that were checked\n"
    assert auditor.asked == ["pypi", "pypi"]


def test_without_any_service_nothing_is_called_well(capsys: pytest.CaptureFixture[str]) -> None:
    def away(name: str, *_arguments: str) -> Done:
        return subprocess.CompletedProcess([name], 2, "", "error: Failed to fetch the tool")

    assert main(away) == 0
    said = capsys.readouterr().out
    total = len(pinned())
    assert f"{total} of {total} pins NOT checked" in said
    assert "secrets: NOT searched" in said


def test_every_list_of_pins_is_audited() -> None:
    # quality/pictures.txt names packages that are opened for their pictures and never installed.
    lists = {
        path.relative_to(ROOT).as_posix() for path in ROOT.glob("**/requirements*.txt") if ".venv" not in str(path)
    }
    assert set(PINS) == {path for path in lists if not path.startswith(("build/", "data/"))}
    assert {"transformers", "kfp", "discord-py", "pytest"} <= {pin.name for pin in pinned()}


def scanner(path: str, secret: str) -> Callable[..., Done]:
    finding = {
        "type": "Secret Keyword",
        "filename": path,
        "hashed_secret": hashlib.sha1(secret.encode()).hexdigest(),  # noqa: S324  # detect-secrets' own
        "is_verified": False,
        "line_number": 3,
    }
    asked = ("detect-secrets==1.5.0", "scan")

    def scan(name: str, *arguments: str) -> Done:
        assert arguments == asked, "no file and no line is excluded"
        return subprocess.CompletedProcess([name], 0, json.dumps({"results": {path: [finding]}}), "")

    return scan


@pytest.mark.parametrize("path", ["bot/cli/main.py", "tests/unit/test_logs.py", "README.md", "requirements.txt"])
def test_a_secret_is_found_in_every_file(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert secrets(scanner(path, LEAK)) == 1
    said = capsys.readouterr().out
    assert f"{path}:3: looks like a secret (Secret Keyword)" in said
    assert LEAK not in said


def test_what_is_none_is_let_through_in_its_own_file_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert secrets(scanner("tests/contract/test_google.py", "secret!")) == 0
    assert capsys.readouterr().out == "secrets: none\n"
    assert secrets(scanner("bot/cli/main.py", "secret!")) == 1
