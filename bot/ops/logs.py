"""Formats the log: no secret, no picture and no signed address gets into a line, and nothing that ends it."""

import json
import logging
import re
import sys
import threading
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal, TextIO

from melodify_core.observability.log_context import current

FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
HIDDEN = "[hidden]"
# Characters that move a terminal's cursor, begin a line or turn the direction of writing: control characters, the
# separators of lines and paragraphs, bidirectional marks (Unicode 16, chapters 23.1 to 23.3), and halves of characters.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_UNSAFE_IN_TRACEBACK = re.compile(f"(?![\n\t]){_UNSAFE.pattern}")

_SECRET_FIELDS = ("signature", "x-goog-credential", "upload_id", "password")

# Hidden wherever a library or a provider's answer puts them into a line.
_PATTERNS = (
    re.compile(r"(?<=;base64,)[A-Za-z0-9+/=_-]+"),
    # Long runs without a break are pictures, sound or keys. A SHA-256 in hex has 64 characters and stays.
    re.compile(r"\b[A-Za-z0-9+/_-]{120,}={0,2}"),
    # Links of Cloud Storage, V2 and V4, and of Discord's CDN.
    *(re.compile(rf"(?i)(?<={name}=)[^&\s\"']+") for name in _SECRET_FIELDS),
    re.compile(r"(?<=hm=)[0-9a-f]{16,}"),
    # Name and password of an address.
    re.compile(r"(?<=://)[^\s/:@]*:[^\s\"']+(?=@)"),
    re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]+"),
    re.compile(r"\bsk-[A-Za-z0-9_-]{8,}"),
    re.compile(r"\bAIza[0-9A-Za-z_-]{20,}"),
    re.compile(r"\bya29\.[0-9A-Za-z._-]+"),
    # An interaction's token, in the addresses that it is sent to.
    *(re.compile(rf"(?<=/{kind}/)[0-9]+/[^/\s\"']+") for kind in ("webhooks", "interactions")),
    # A bot's token: its id in Base64, a time, a signature.
    re.compile(r"\b[MNO][A-Za-z0-9_-]{20,30}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)", re.DOTALL),
)
# These print whole requests and answers at DEBUG.
_TALKATIVE = ("openai", "httpx", "httpx2", "httpcore", "httpcore2", "urllib3", "google", "google_genai", "PIL")
# These bring a handler with a format of their own, unless they have one already.
_WITH_HANDLERS = ("dbos",)
# These log each try to reach Discord again, with a traceback of the network's code.
_RECONNECTING = ("discord.client", "discord.shard")
log = logging.getLogger(__name__)


class Formatter(logging.Formatter):
    """Formats a line and its traceback: names the job, hides secrets, escapes what would act on a terminal."""

    def __init__(self, secrets: tuple[str, ...] = ()) -> None:
        """`secrets` are hidden wherever they stand."""
        super().__init__(FORMAT)
        self._secrets = tuple(secret for secret in secrets if secret)

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return escaped(redacted(super().format(record), self._secrets), _UNSAFE_IN_TRACEBACK)

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's name
        """Return the line without its traceback."""
        record.message = escaped(redacted(record.message, self._secrets))
        if context := current.get():
            server = f"server {context.guild_id}" if context.guild_id else None
            facts = filter(None, (f"job {context.job_id}", server, context.stage))
            record.message = f"[{', '.join(facts)}] {record.message}"
        return super().formatMessage(record)


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
        if context := current.get():
            facts |= {"job": context.job_id, "guild": context.guild_id, "stage": context.stage}
        if record.exc_info:
            facts["exception"] = redacted(self.formatException(record.exc_info), self._secrets)
        # JSON reads an escape as it reads the character.
        return _UNSAFE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(facts, ensure_ascii=False))


def escaped(text: str, unsafe: re.Pattern[str] = _UNSAFE) -> str:
    r"""Return the text with what would act on a terminal, or end the line, written as Python writes it: \n, \x1b."""
    return unsafe.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def speaks_json() -> bool:
    """Return whether the process's log is JSON by now."""
    return any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers)


def redacted(text: str, secrets: tuple[str, ...] = ()) -> str:
    """Return the text without secrets, Base64 and signatures."""
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    for pattern in _PATTERNS:
        text = pattern.sub(HIDDEN, text)
    return text


class StderrHandler(logging.StreamHandler[TextIO]):
    """Writes to standard error. What cannot be formatted is one record too, not the traceback that logging prints."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Write which record cannot be formatted; do nothing when standard error itself cannot be written."""
        error = sys.exc_info()[1]
        if isinstance(error, (OSError, RecursionError)):
            return
        record.msg, record.args = "a line cannot be formatted (%s): %r", (error, record.msg)
        record.exc_info = record.exc_text = record.stack_info = None
        self.stream.write(self.format(record) + self.terminator)
        self.flush()


def log_to_stderr(level: int, secrets: tuple[str, ...] = (), form: Literal["auto", "text", "json"] = "text") -> None:
    """Send all that the process says to standard error, in one form; "auto" is text on a terminal, JSON elsewhere."""
    handler = StderrHandler()
    as_json = form == "json" or (form == "auto" and not sys.stderr.isatty())
    handler.setFormatter(JsonFormatter(secrets) if as_json else Formatter(secrets))
    logging.basicConfig(level=level, handlers=[handler])
    logging.lastResort = handler  # for loggers that a library has cut off from the root
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.INFO))
    logging.getLogger("alembic").setLevel(max(level, logging.WARNING))
    for name in _WITH_HANDLERS:
        logging.getLogger(name).addHandler(logging.NullHandler())
    for name in _RECONNECTING:
        logging.getLogger(name).addFilter(_shorten_reconnect)
    logging.captureWarnings(capture=True)
    _log_uncaught()


def _shorten_reconnect(record: logging.LogRecord) -> bool:
    """Write a lost connection to Discord in one line: it is no defect, and discord.py tries again."""
    if record.exc_info and str(record.msg).startswith("Attempting a reconnect"):
        error = record.exc_info[1]
        record.msg, record.args = "%s: %s", (record.getMessage(), error or type(error).__name__)
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info = None
    return True


def _log_uncaught() -> None:
    """Log errors that nothing catches; Python would print them past the log."""

    def main(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.critical("the process ends with an error", exc_info=(kind, error, trace))

    def thread(found: threading.ExceptHookArgs) -> None:
        if found.exc_value is not None and found.exc_type is not SystemExit:
            name = found.thread.name if found.thread else "unknown"
            log.error("thread %s ends with an error", name, exc_info=found.exc_value)

    def unraisable(found: "sys.UnraisableHookArgs") -> None:
        log.error("%s: %r", found.err_msg or "an error was ignored in", found.object, exc_info=found.exc_value)

    sys.excepthook, threading.excepthook, sys.unraisablehook = main, thread, unraisable
