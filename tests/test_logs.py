import logging
import sys

import pytest

from bot.logs import HIDDEN, Formatter, redacted

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
        ("-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----", "MIIabc"),
    ],
)
def test_a_line_hides_what_nobody_may_read(text: str, secret: str) -> None:
    assert secret in text
    assert secret not in redacted(text)
    assert HIDDEN in redacted(text)


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
