"""What came back -> text, usage and the fields of a reading. What becomes of the fields is in repair.py."""

import json
import re
from dataclasses import dataclass
from typing import Any

from melodify_core.captioners.openai.faults import EXHAUSTED, REFUSALS
from melodify_core.captioners.openai.repair import repaired
from melodify_core.errors import Refused, Unavailable
from melodify_core.models import Brief

TRIES_TO_FIND = 20  # beginnings of an object that are tried in an answer of many words
NUMBER_AT_MOST = 10**12  # no count of tokens is larger: what is was made up

_THOUGHTS = re.compile(r"<think>.*?</think>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with status 200, with any content; the body is None where it was not JSON or was lost."""

    model: str
    body: Any
    request_id: str

    def tokens(self) -> tuple[int, int]:
        """Return input and output tokens as far as the server reports them, else zeros."""
        usage = _table(_table(self.body).get("usage"))
        return (
            _count(usage.get("input_tokens", usage.get("prompt_tokens"))),
            _count(usage.get("output_tokens", usage.get("completion_tokens"))),
        )


def reply_of(model: str, content: bytes, request_id: str | None) -> Reply:
    """Return the reply with these bytes."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    return Reply(model, body, request_id or "")


def brief_of(reply: Reply) -> Brief:
    """Return the reading of a reply of either API. Raises Refused, and Unavailable when it is of no use."""
    body = _table(reply.body)
    text = _chat_text(body) if "choices" in body else _responses_text(body)
    fields = _object_in(text)
    if fields is None:
        raise Unavailable("provider.unavailable")
    return repaired(fields)


def _responses_text(body: dict[str, Any]) -> str:
    error = _table(body.get("error")).get("code")
    if error in REFUSALS or _table(body.get("incomplete_details")).get("reason") == "content_filter":
        raise Refused("caption.refused")
    if error in EXHAUSTED:
        raise Unavailable("provider.exhausted")
    if error == "rate_limit_exceeded":
        raise Unavailable("provider.busy")
    if body.get("status", "completed") != "completed":
        raise Unavailable("provider.unavailable")
    messages = [_table(item) for item in _list(body.get("output"))]
    parts = [_table(part) for message in messages for part in _list(message.get("content"))]
    if any(part.get("type") == "refusal" for part in parts):
        raise Refused("caption.refused")
    return "".join(str(part.get("text")) for part in parts if part.get("type") == "output_text")


def _chat_text(body: dict[str, Any]) -> str:
    choice = _table(next(iter(_list(body.get("choices"))), None))
    message = _table(choice.get("message"))
    if message.get("refusal") or choice.get("finish_reason") == "content_filter":
        raise Refused("caption.refused")
    if choice.get("finish_reason") == "length":
        raise Unavailable("provider.unavailable")
    content = message.get("content")
    return content if isinstance(content, str) else ""


def _object_in(text: str) -> dict[str, Any] | None:
    """Return the first JSON object in a text: servers that ignore the schema wrap it in words, fences and thoughts."""
    text = _THOUGHTS.sub("", text)
    decoder = json.JSONDecoder()
    start = -1
    for _ in range(TRIES_TO_FIND):
        start = text.find("{", start + 1)
        if start < 0:
            return None
        try:
            found, _end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict):
            return found
    return None


def _count(value: object) -> int:
    return min(value, NUMBER_AT_MOST) if isinstance(value, int) and value > 0 else 0


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
