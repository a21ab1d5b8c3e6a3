"""Looks for known vulnerabilities in the pinned packages and for secrets in the repository. `make audit` and CI run it.

`uv tool run` fetches pip-audit and detect-secrets. Pins that could not be checked, because there is no network or
because a service does not know a package, are counted and reported, never passed as good. Exit code 1 for a finding.
"""

import hashlib
import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[1]
UV = Path(sys.executable).with_name("uv")
PINS = (
    "requirements.txt",
    "requirements-run.txt",
    "requirements-image.txt",
    "requirements-build.txt",
    "requirements-demo.txt",
    "requirements-uv.txt",
    "deploy/pipeline/requirements.txt",
    "deploy/pipeline/requirements-musicgen.txt",
    "deploy/pipeline/requirements-torch.txt",
    "docs/requirements.txt",
    "quality/requirements.txt",
)
# Each is asked for the pins that the ones before do not know. All that pip-audit has: PyPI, OSV, Ecosyste.ms.
SERVICES = ("pypi", "osv", "esms")
# Exact words that look like a secret but are not one, each with its file and reason.
FALSE_POSITIVES = ROOT / "deploy" / "no_secrets.toml"
# Pinned: a new version of a tool must not turn an unchanged commit red.
AUDITOR, SCANNER = "pip-audit==2.10.1", "detect-secrets==1.5.0"

Done = subprocess.CompletedProcess[str]
# Runs a command of a package with arguments in the repository.
Tool = Callable[..., Done]


class Pin(NamedTuple):
    """A package at a version."""

    name: str
    version: str


def main(tool: Tool | None = None) -> int:
    """Return 1 for a finding, else 0, also when no service could be asked."""
    tool = tool or _tool
    return max(vulnerabilities(pinned(), tool), secrets(tool))


def pinned() -> dict[Pin, list[str]]:
    """Return every pin with the files that contain it, those for other systems and other Pythons too."""
    found: dict[Pin, list[str]] = {}
    for path in PINS:
        for name, version in re.findall(r"^([\w.-]+)==([^\s;\\]+)", (ROOT / path).read_text(), re.MULTILINE):
            found.setdefault(Pin(name, version), []).append(path)
    return found


def vulnerabilities(pins: Mapping[Pin, list[str]], tool: Tool) -> int:
    """Ask each service about the pins that are still unchecked; print the findings and the pins that stay unchecked."""
    unchecked = set(pins)
    reasons: list[str] = []
    found = 0
    for service in SERVICES:
        for part in _without_repeats(unchecked):
            answers, reason = _ask(service, part, tool)
            if reason:
                reasons.append(f"{service}: {reason}")
            for pin, problems in answers.items():
                unchecked.discard(pin)
                for problem in problems:
                    found = 1
                    fixed = ", ".join(problem["fix_versions"]) or "no version"
                    files = ", ".join(pins[pin])
                    print(f"{pin.name} {pin.version} ({files}): {problem['id']}, fixed in {fixed}")
            if reason and not answers:
                break
    if len(unchecked) < len(pins):
        outcome = "found" if found else "none known"
        print(f"vulnerabilities: {outcome} in the {len(pins) - len(unchecked)} pins that were checked")
    if unchecked:
        print(f"vulnerabilities: {len(unchecked)} of {len(pins)} pins NOT checked, nothing is known about them:")
        print("\n".join(f"  {reason}" for reason in dict.fromkeys(reasons)))
    return found


def _without_repeats(pins: set[Pin]) -> Iterator[list[Pin]]:
    """Yield lists that name no package twice: pip-audit takes one version of each."""
    left = sorted(pins)
    while left:
        part = list({pin.name: pin for pin in left}.values())
        yield part
        left = sorted(set(left) - set(part))


def _ask(service: str, part: list[Pin], tool: Tool) -> tuple[dict[Pin, list[Any]], str]:
    """Return the service's answer for each pin it knows, and the reason why it knows no more."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("".join(f"{pin.name}=={pin.version}\n" for pin in part))
        file.flush()
        options = ("--disable-pip", "--no-deps", "--progress-spinner=off", "--format=json", "--vulnerability-service")
        run = tool("pip-audit", AUDITOR, *options, service, "--requirement", file.name)
    try:
        # pip-audit exits with 1 for a finding and for a failure.
        dependencies = json.loads(run.stdout)["dependencies"]
    except (ValueError, KeyError):
        return {}, f"cannot be asked: {_last_line(run.stderr)}"
    known = {pin.name: pin for pin in part}
    skipped = [each["skip_reason"] for each in dependencies if "skip_reason" in each]
    answers = {known[each["name"]]: each["vulns"] for each in dependencies if "skip_reason" not in each}
    return answers, f"skipped {len(skipped)} of {len(part)}, the first: {skipped[0]}" if skipped else ""


def secrets(tool: Tool) -> int:
    """Print each finding that is not on the list of false positives."""
    run = tool("detect-secrets", SCANNER, "scan")
    if run.returncode != 0:
        print(f"secrets: NOT searched, the tool cannot be fetched: {_last_line(run.stderr)}")
        return 0
    known = tomllib.loads(FALSE_POSITIVES.read_text(encoding="utf-8"))
    # The tool names a secret by its SHA-1 only. The list itself may contain each of its words.
    allowed = {
        (file, hashlib.sha1(word.encode(), usedforsecurity=False).hexdigest())
        for path, words in known.items()
        for word, _reason in words
        for file in (path, FALSE_POSITIVES.relative_to(ROOT).as_posix())
    }
    results = json.loads(run.stdout)["results"]
    found = [
        (path, finding)
        for path, findings in sorted(results.items())
        for finding in findings
        if (path, finding["hashed_secret"]) not in allowed
    ]
    for path, finding in found:
        print(f"{path}:{finding['line_number']}: looks like a secret ({finding['type']})")
    print(f"secrets: {f'{len(found)}; add one that is not a secret to {FALSE_POSITIVES.name}' if found else 'none'}")
    return 1 if found else 0


def _tool(name: str, pin: str, *arguments: str) -> Done:
    command = [str(UV), "tool", "run", "--quiet", "--from", pin, name, *arguments]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", "no answer within five minutes")


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1][:300]


if __name__ == "__main__":
    sys.exit(main())
