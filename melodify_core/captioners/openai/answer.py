"""Response -> text and usage. fields.py finds the fields of a reading in the text, normalising.py makes a Brief."""

import json
from dataclasses import dataclass
from typing import Any

from melodify_core.captioners.openai.faults import EXHAUSTED, REFUSALS
from melodify_core.captioners.openai.fields import fields_of
from melodify_core.errors import Refused, Unavailable

NUMBER_AT_MOST = 10**12  # a larger count of tokens is made up


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer with status 200. Its body is None where it was not JSON or was lost."""

    model: str
    body: Any
    request_id: str

    def text(self) -> str:
        """Return the text of either API's answer."""
        body = _table(self.body)
        if "choices" in body:
            return _chat_text(_choice(body))
        parts = _response_parts(body)
        return "".join(str(part.get("text")) for part in parts if part.get("type") == "output_text")

    def described(self) -> str:
        """Return in a few words how the answer ended, for the log and the operator."""
        body = _table(self.body)
        choice = _choice(body)
        ended = _incomplete(body) or choice.get("finish_reason") or body.get("status") or "unknown"
        thought = len(_thoughts(choice))
        aside = f", {thought} characters of thoughts" if thought else ""
        return f"{len(self.text())} characters{aside}, finish reason {str(ended)[:40]}"

    def tokens(self) -> tuple[int, int]:
        """Return input and output tokens as far as the server reported them, else zeros."""
        usage = _table(_table(self.body).get("usage"))
        return (
            _count(usage.get("input_tokens", usage.get("prompt_tokens"))),
            _count(usage.get("output_tokens", usage.get("completion_tokens"))),
        )


def reply_of(model: str, content: bytes, request_id: str | None) -> Reply:
    """Return the reply of these bytes."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        body = None
    return Reply(model, body, request_id or "")


def reading_of(reply: Reply) -> dict[str, Any]:
    """Return the fields in a reply of either API. Raises Refused, and Unavailable when there are none.

    Call it in a thread: what is no proper JSON takes a while.
    """
    _raise_errors(_table(reply.body))
    fields = fields_of(reply.text())
    if fields is None:
        raise Unavailable("provider.unavailable")
    return fields


def _raise_errors(body: dict[str, Any]) -> None:
    if "choices" in body:
        message, finish = _table(_choice(body).get("message")), _choice(body).get("finish_reason")
        if message.get("refusal") or finish == "content_filter":
            raise Refused("caption.refused")
        return
    error = _table(body.get("error")).get("code")
    if error in REFUSALS or _incomplete(body) == "content_filter":
        raise Refused("caption.refused")
    if error in EXHAUSTED:
        raise Unavailable("provider.exhausted")
    if error == "rate_limit_exceeded":
        raise Unavailable("provider.busy")
    # What was cut off at its length may be whole all the same.
    if body.get("status", "completed") != "completed" and _incomplete(body) != "max_output_tokens":
        raise Unavailable("provider.unavailable")
    if any(part.get("type") == "refusal" for part in _response_parts(body)):
        raise Refused("caption.refused")


def _incomplete(body: dict[str, Any]) -> object:
    return _table(body.get("incomplete_details")).get("reason")


def _response_parts(body: dict[str, Any]) -> list[dict[str, Any]]:
    messages = [_table(item) for item in _list(body.get("output"))]
    return [_table(part) for message in messages for part in _list(message.get("content"))]


def _choice(body: dict[str, Any]) -> dict[str, Any]:
    return _table(next(iter(_list(body.get("choices"))), None))


def _chat_text(choice: dict[str, Any]) -> str:
    """Return a message's text: a string, parts, an object, or the arguments of a tool that was called instead."""
    message = _table(choice.get("message"))
    text = _text_in(message.get("content"))
    if text.strip():
        return text
    calls = [_table(_table(call).get("function")).get("arguments") for call in _list(message.get("tool_calls"))]
    if calls:
        return "\n".join(map(_text_in, calls))
    # Some servers take the answer of a model that was told not to think for its thoughts.
    thoughts = _thoughts(choice).lstrip()
    return thoughts if choice.get("finish_reason") == "stop" and thoughts.startswith(("{", "```")) else ""


def _thoughts(choice: dict[str, Any]) -> str:
    message = _table(choice.get("message"))
    return _text_in(message.get("reasoning") or message.get("reasoning_content"))


def _text_in(content: object) -> str:
    if isinstance(content, list):
        parts = [_table(part) for part in content]
        return "".join(str(part["text"]) for part in parts if isinstance(part.get("text"), str))
    if isinstance(content, dict):
        return json.dumps(content)
    return content if isinstance(content, str) else ""


def _count(value: object) -> int:
    return min(value, NUMBER_AT_MOST) if isinstance(value, int) and value > 0 else 0


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
