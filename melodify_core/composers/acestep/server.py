"""The HTTP API of an ACE-Step 1.5 server: docs/en/API.md of its repository. Every answer is wrapped: {"data": ...}."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from melodify_core.composers.http import Fault, HttpApi
from melodify_core.config.settings import AceStep

MAX_ANSWER_BYTES = 64 * 1024 * 1024  # 120 s of 48 kHz stereo in 32 bits have 46 MB
State = Literal["queued", "running", "succeeded", "failed", "unknown"]
_STATES: dict[int, State] = {1: "succeeded", 2: "failed"}


@dataclass(frozen=True, slots=True)
class Task:
    """What the server says of a task."""

    state: State
    result: Mapping[str, Any]

    @property
    def path(self) -> str:
        """The file's path on the server, empty where there is none."""
        try:
            address = urlsplit(str(self.result.get("file") or ""))
        except ValueError:
            return ""
        # Nothing but the path is taken from the answer: who is asked stays a matter of the settings.
        return (parse_qs(address.query).get("path") or [""])[0]

    @property
    def metas(self) -> Mapping[str, Any]:
        """What the music is like."""
        metas = self.result.get("metas")
        return metas if isinstance(metas, dict) else {}


class AceStepServer:
    """Speaks to one server. All methods raise Fault."""

    def __init__(self, settings: AceStep) -> None:
        key = settings.api_key.get_secret_value() if settings.api_key else ""
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._api = HttpApi(settings.url, headers, MAX_ANSWER_BYTES, proxies=False)

    async def release(self, order: Mapping[str, Any]) -> str:
        """Queue a task and return its id."""
        data = _data(await self._api.post("/release_task", order))
        task_id = data.get("task_id") if isinstance(data, dict) else None
        if not isinstance(task_id, str) or not task_id:
            raise Fault(200, "an answer without task_id")
        return task_id

    async def task(self, task_id: str) -> Task:
        """Return how far a task is. A server that was restarted knows none, and says so by an empty result."""
        listed = _data(await self._api.post("/query_result", {"task_id_list": [task_id]}))
        found = next((each for each in _dicts(listed) if each.get("task_id") == task_id), None)
        if found is None:
            return Task("unknown", {})
        result = next(iter(_dicts(_parsed(found.get("result")))), {})
        status = found.get("status")
        if isinstance(status, int) and status in _STATES:
            return Task(_STATES[status], result)
        if not result:
            return Task("unknown", {})
        return Task("queued" if result.get("stage") == "queued" else "running", result)

    async def audio(self, path: str) -> bytes:
        """Return a file that a task has written."""
        return (await self._api.get("/v1/audio", {"path": path})).body

    async def health(self) -> None:
        """See whether it is there and well."""
        data = _data(await self._api.get("/health"))
        if not isinstance(data, dict) or data.get("status") != "ok":
            raise Fault(200, "an answer that is not ACE-Step's")

    async def models(self) -> list[str]:
        """Return the names of its loaded models; none while it still loads. Needs the key."""
        data = _data(await self._api.get("/v1/models"))
        listed = data.get("models") if isinstance(data, dict) else None
        return [str(each.get("name")) for each in _dicts(listed)]

    async def close(self) -> None:
        """Close the connections."""
        await self._api.close()


def _data(reply: Any) -> Any:
    body = reply.json()
    if not isinstance(body, dict) or "data" not in body:
        raise Fault(200, "an answer that is not ACE-Step's")
    if body.get("code", 200) != 200:
        code = body["code"]
        raise Fault(code if isinstance(code, int) else 500, str(body.get("error") or ""), body=body)
    return body["data"]


def _dicts(listed: Any) -> list[dict[str, Any]]:
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _parsed(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return None
