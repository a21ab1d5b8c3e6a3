import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from bot.ops.logs import HIDDEN, Formatter, JsonFormatter, redacted
from melodify_core.models import Stage
from melodify_core.observability.log_context import log_context, stage_span, trace_job
from tests.jobs import a_job

SIGNED = (
    "https://storage.googleapis.com/b/songs/1.mp3?X-Goog-Algorithm=GOOG4-RSA-SHA256&"
    "X-Goog-Credential=me%40p.iam.gserviceaccount.com%2F20261123%2Fauto&X-Goog-Signature=0123456789abcdef"
)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("sent data:image/jpeg;base64,/9j/4AAQSkZJRg== away", "/9j/4AAQSkZJRg"),
        ("body " + "Ab3+" * 100, "Ab3+Ab3+"),
        (f"GET {SIGNED} 403", "0123456789abcdef"),
        (f"GET {SIGNED} 403", "iam.gserviceaccount.com"),
        ("Authorization: Bearer abc.def-123", "abc.def-123"),
        ("wrong key sk-proj-0123456789", "sk-proj-0123456789"),
        ("token ya29.a0AfH6SMB", "ya29.a0AfH6SMB"),
        ("login MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcdE." + "x" * 38, "GabcdE"),
        ("PATCH https://discord.com/api/v10/webhooks/12/aW50ZXJhY3Rpb24/messages/3 404", "aW50ZXJhY3Rpb24"),
        ("postgresql://u:secretpw@h/melodify cannot be used", "secretpw"),
        ("postgresql://h/melodify?user=u&password=secretpw", "secretpw"),
        ("postgresql+psycopg://u:p@ss/w0rd@h:5432/melodify", "ss/w0rd"),
        (
            "GET https://cdn.discordapp.com/attachments/1/2/a.png?ex=66f&is=66e&hm=0123456789abcdef01&",
            "0123456789abcdef01",
        ),
        ("https://storage.googleapis.com/b/1.mp3?GoogleAccessId=me&Expires=9&Signature=aB%2Fc%3D", "aB%2Fc%3D"),
        ("POST /interactions/12/aW50ZXJhY3Rpb24/callback", "aW50ZXJhY3Rpb24"),
        ("-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----", "MIIabc"),
    ],
)
def test_a_line_hides_what_nobody_may_read(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in redacted(text)
    assert HIDDEN in redacted(text)


def record(message: str) -> logging.LogRecord:
    return logging.LogRecord("melodify_core.jobs.workflow", logging.INFO, __file__, 1, message, None, None)


def test_a_line_of_a_job_says_which_one_as_json_and_hides_the_same() -> None:
    form = JsonFormatter(("hush",))
    with trace_job(a_job("7")), stage_span(Stage.COMPOSING):
        facts = json.loads(form.format(record("two\nlines of hush, Bearer abc.def-123")))
    assert facts["message"] == f"two\nlines of {HIDDEN}, Bearer {HIDDEN}"
    assert (facts["level"], facts["logger"]) == ("INFO", "melodify_core.jobs.workflow")
    assert (facts["job"], facts["guild"], facts["stage"]) == ("7", 20, "composing")
    assert "job" not in json.loads(form.format(record("nobody's")))


EVIL = 'a\n2026 ERROR fake: {"level": "CRITICAL"}\r\x1b[2J\x9b1m\u2028\u202e\x7fz'


def test_what_an_attacker_wrote_stays_in_its_line_of_json() -> None:
    line = JsonFormatter().format(record(EVIL))
    assert json.loads(line)["message"] == EVIL
    assert line.isprintable()


def test_what_an_attacker_wrote_stays_in_its_line_of_text() -> None:
    line = Formatter().format(record(EVIL))
    assert line.isprintable()
    assert r"a\n2026 ERROR fake: " in line
    assert r"\r\x1b[2J\x9b1m\u2028\u202e\x7fz" in line
    assert "달빛 👩‍🎤" in Formatter().format(record("달빛 👩‍🎤"))


@pytest.mark.parametrize("form", [Formatter(), JsonFormatter()])
def test_a_traceback_keeps_its_lines_and_nothing_else_that_acts(form: Formatter) -> None:
    with pytest.raises(ValueError, match="fake") as caught:
        raise ValueError(EVIL)
    failed = logging.LogRecord("name", logging.ERROR, "file", 1, "failed", (), (caught.type, caught.value, caught.tb))
    text = form.format(failed)
    lines = text.splitlines() if type(form) is Formatter else [text]
    assert all(line.isprintable() for line in lines)
    assert "Traceback (most recent call last):" in (lines[1] if type(form) is Formatter else text)


def test_a_line_of_a_job_says_which_one_in_text_too() -> None:
    with trace_job(a_job("7")), stage_span(Stage.COMPOSING):
        assert (
            Formatter()
            .format(record("here"))
            .endswith("melodify_core.jobs.workflow: [job 7, server 20, composing] here")
        )
    with log_context("8"):
        assert Formatter().format(record("here")).endswith("workflow: [job 8] here")
    assert Formatter().format(record("here")).endswith("workflow: here")


def test_ids_hashes_and_plain_words_stay() -> None:
    line = f"job 1234567890123456789: request id req_0123456789abcdef, sha256 {'0a' * 32}, gs://bucket/songs/1.mp3"
    assert redacted(line) == line


def test_a_secret_of_the_settings_is_hidden_in_tracebacks_too() -> None:
    try:
        int("the key hunter2 is wrong")
    except ValueError:
        record = logging.LogRecord("name", logging.ERROR, "file", 1, "failed", (), sys.exc_info())
    line = Formatter(("hunter2",)).format(record)
    assert "Traceback" in line
    assert "hunter2" not in line


UNRULY = """
import gc, logging, sys, threading, warnings
from bot.ops.logs import log_to_stderr

log_to_stderr(logging.INFO, ("hunter2",), "json")
logging.getLogger("dbos").warning("two\\nlines of hunter2")
logging.getLogger("library").info("%d of hunter2", "no number")
warnings.warn("a warning of hunter2")
try:
    raise ConnectionRefusedError(111, "Connect call failed")
except OSError as error:  # as discord.py 2.7 says it, in shard.py
    logging.getLogger("discord.shard").error("Attempting a reconnect for shard ID %s in %.2fs", 0, 1.4, exc_info=error)
thread = threading.Thread(target=lambda: 1 / 0)
thread.start()
thread.join()

class Broken:
    def __del__(self):
        raise ValueError("hunter2")

Broken()
gc.collect()
from dbos import DBOS, DBOSConfig
DBOS(config=DBOSConfig(name="melodify", system_database_url="sqlite:///:memory:"))
logging.getLogger("dbos").error("once more\\nhunter2")
raise LookupError("hunter2")
"""


def test_whatever_says_something_the_process_s_lines_are_json_and_hide_secrets(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", UNRULY], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert run.returncode == 1
    records = [json.loads(line) for line in run.stderr.splitlines()]
    assert "hunter2" not in run.stderr
    said = [(record["logger"], record["message"].split(" of ")[0]) for record in records]
    assert ("dbos", "two\nlines") in said
    assert [record["exception"].splitlines()[-1] for record in records if "exception" in record] == [
        "ZeroDivisionError: division by zero",
        f"ValueError: {HIDDEN}",
        f"LookupError: {HIDDEN}",
    ]
    assert {"dbos", "library", "py.warnings", "bot.ops.logs", "discord.shard"} == {logger for logger, _ in said}
    assert [(record["level"], record["message"]) for record in records if record["logger"] == "discord.shard"] == [
        ("WARNING", "Attempting a reconnect for shard ID 0 in 1.40s: [Errno 111] Connect call failed")
    ]
    assert run.stdout == ""
