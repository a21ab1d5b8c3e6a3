"""Where log lines go and what may stand in them: no secret, no Base64 picture, no signed address."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Literal

from melodify_core.observing import current

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
HIDDEN = "[hidden]"

# Whatever a library or a provider's answer puts into a line, these never reach it.
_PATTERNS = (
    re.compile(r"(?<=;base64,)[A-Za-z0-9+/=_-]+"),
    # Long runs without a break are pictures, sound or keys. A SHA-256 in hex has 64 signs and stays.
    re.compile(r"\b[A-Za-z0-9+/_-]{120,}={0,2}"),
    re.compile(r"(?i)(?<=x-goog-signature=)[^&\s\"']+"),
    re.compile(r"(?i)(?<=x-goog-credential=)[^&\s\"']+"),
    re.compile(r"(?i)(?<=upload_id=)[^&\s\"']+"),
    re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]+"),
    re.compile(r"\bsk-[A-Za-z0-9_-]{8,}"),
    re.compile(r"\bAIza[0-9A-Za-z_-]{20,}"),
    re.compile(r"\bya29\.[0-9A-Za-z._-]+"),
    # An interaction's token, in the addresses that it is sent to.
    re.compile(r"(?<=/webhooks/)[0-9]+/[^/\s\"']+"),
    re.compile(r"(?<=/interactions/)[0-9]+/[^/\s\"']+"),
    # A bot's token: its id in Base64, a time, a signature.
    re.compile(r"\b[MNO][A-Za-z0-9_-]{20,30}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL),
)
# These print whole requests and answers at DEBUG.
_TALKATIVE = ("openai", "httpx", "httpx2", "httpcore", "httpcore2", "urllib3", "google", "google_genai", "PIL")


class Formatter(logging.Formatter):
    """Formats a line, traceback included, and takes out what may not be read."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        """`secrets` are hidden wherever they stand."""
        super().__init__(FORMAT)
        self._secrets = tuple(secret for secret in secrets if secret)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return redacted(super().format(record), self._secrets)


class JsonFormatter(Formatter):
    """Formats a line as one JSON object; a line of a job says which, in which server, at which stage."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        facts: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": redacted(record.getMessage(), self._secrets),
        }
        if trail := current.get():
            facts |= {"job": trail.job_id, "guild": trail.guild_id, "stage": trail.stage}
        if record.exc_info:
            facts["exception"] = redacted(self.formatException(record.exc_info), self._secrets)
        return json.dumps(facts, ensure_ascii=False)


def redacted(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Return the text without secrets, Base64 and signatures."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(HIDDEN, text)
    return text


def log_to_stderr(level: int, secrets: tuple[str, ...] = (), form: Literal["auto", "text", "json"] = "text") -> None:
    """Send the process's log to standard error; "auto" is text on a terminal and JSON elsewhere."""
    handler = logging.StreamHandler()
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    handler.setFormatter(JsonFormatter(secrets) if as_json else Formatter(secrets))
    logging.basicConfig(level=level, handlers=[handler])
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.INFO))
    logging.getLogger("alembic").setLevel(max(level, logging.WARNING))
