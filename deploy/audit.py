"""Looks for known vulnerabilities in the pinned packages and for secrets in the repository. `make audit` and CI run it.

pip-audit and detect-secrets are fetched for the occasion (uv tool run): without a network that cannot be, and this
says so. Exit code 1 for a finding.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = Path(sys.executable).with_name("uv")
PINS = ("requirements.txt", "requirements-run.txt", "deploy/pipeline/requirements.txt")
# Files of hashes, and lines that show what a secret looks like to the tests that hide them.
NO_SECRETS_IN = r"requirements[^/]*\.txt$|^tests/|\.svg$"

# Addresses and values that show a form: user:password@host; and the names of what Secret Manager keeps.
FORMS = r"(?i):password@|a-key|sk-benchmark|`melodify-[a-z-]+`|KeyRef\W+secret\W+melodify-[a-z-]+"
# Pinned: what a new version finds or asks for must not turn an unchanged commit red.
AUDITOR, SCANNER = "pip-audit==2.10.1", "detect-secrets==1.5.0"


def main() -> int:
    """Return 1 when something was found, else 0, also where nothing could be asked."""
    return max(_vulnerabilities(), _secrets())


def _vulnerabilities() -> int:
    found = 0
    for pins in PINS:
        run = _tool("pip-audit", AUDITOR, "--disable-pip", "--require-hashes", "--progress-spinner=off", "-r", pins)
        if run.returncode == 0:
            print(f"{pins}: no known vulnerability")
        elif "vulnerabilit" in run.stderr and "Found" in run.stderr:
            print(f"{pins}:\n{run.stdout}")
            found = 1
        else:
            print(f"{pins}: NOT checked, the vulnerability database cannot be asked: {_last_line(run.stderr)}")
    return found


def _secrets() -> int:
    run = _tool("detect-secrets", SCANNER, "scan", "--exclude-files", NO_SECRETS_IN, "--exclude-lines", FORMS)
    if run.returncode != 0:
        print(f"secrets: NOT searched, the tool cannot be fetched: {_last_line(run.stderr)}")
        return 0
    results = json.loads(run.stdout)["results"]
    for path, findings in sorted(results.items()):
        for finding in findings:
            print(f"{path}:{finding['line_number']}: looks like a secret ({finding['type']})")
    if not results:
        print("secrets: none")
    return 1 if results else 0


def _tool(name: str, pin: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(UV), "tool", "run", "--quiet", "--from", pin, name, *arguments]
    try:
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 124, "", "no answer within five minutes")


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["no reason given"])[-1][:200]


if __name__ == "__main__":
    sys.exit(main())
