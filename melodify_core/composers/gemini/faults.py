"""What goes wrong at the Gemini API, in our words: what it costs, whether to ask again, what the operator can do.

The codes are those of ai.google.dev/gemini-api/docs/api-errors; other parts of the API answer with Google's older
statuses. No text of Google's reaches a member; the log gets it clipped.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from melodify_core.composers import http_status
from melodify_core.composers.http_status import Ended, error_by_status, was_not_begun
from melodify_core.composers.lyria_3 import error_in, is_offence
from melodify_core.composers.single_take import WORDS, Blocked
from melodify_core.errors import MelodifyError, Unavailable

KEYS = "https://aistudio.google.com/app/apikey"
DOCS = "https://ai.google.dev/gemini-api/docs"
# What the reference lists under "generation blocked".
BLOCKED = frozenset(
    {
        *("safety", "recitation", "language", "prohibited_content", "spii", "blocklist", "content_blocked"),
        *("image_safety", "image_prohibited_content", "image_recitation", "image_other"),
    }
)
Mistake = Literal["key", "permission", "api", "region", "billing", "quota", "model", ""]
# A quota of 0 is what an account without billing has for these models.
_USED_UP = re.compile(r"per[ _-]?day|daily|\blimit: 0\b", re.IGNORECASE)
_KEY = re.compile(r"\bapi[ _]key\b", re.IGNORECASE)
_ENCODED = re.compile(r"[\w+/=-]{64,}")  # a picture: what a service repeats of our request
_BY_STATUS: dict[int, Mistake] = {401: "key", 402: "billing", 404: "model", 410: "model"}
_SENTENCES: dict[Mistake, str] = {
    "key": (
        "gemini.api_key: the Gemini API does not accept the key: make one at {keys}, and set "
        "MELODIFY_GEMINI__API_KEY or gemini.api_key_file."
    ),
    "permission": "gemini.api_key: it may not use the Gemini API: check its restrictions at {keys}, or make another.",
    "api": "gemini.api_key: the Gemini API is disabled in the key's project: enable it at {activation}.",
    "region": "gemini.api_key: the Gemini API is not served where this machine is: see {docs}/available-regions.",
    "billing": "gemini.api_key: the key's project has no billing, or its credit is used up: see {docs}/billing.",
    "quota": (
        'gemini.api_key: the key\'s quota for "{model}" is used up, or without billing it has none: see '
        "{docs}/rate-limits."
    ),
    "model": 'gemini.model: the Gemini API has no model "{model}" for this key: name one of {docs}/music-generation.',
}


@dataclass(eq=False)
class Fault(Ended):
    """A call that brought no answer, or an answer that is an error."""

    code: str = ""  # the reference's, such as "quota_exceeded", or Google's older ones, such as "RESOURCE_EXHAUSTED"
    details: tuple[Mapping[str, Any], ...] = ()  # google.rpc's

    def __str__(self) -> str:
        words = _ENCODED.sub("...", " ".join(self.words.split()))[:WORDS]
        return " ".join(filter(None, [str(self.status or "no answer"), self.code[:60], words]))


def fault_of(status: int, headers: Mapping[str, str], body: Any) -> Fault | Blocked:
    """Return what an answer with an error status says."""
    said = error_in(body)
    code = said["code"] if isinstance(said.get("code"), str) else str(said.get("status") or "")
    words = str(said.get("message") or "")
    listed = said.get("details")
    details = tuple(each for each in listed if isinstance(each, dict)) if isinstance(listed, list) else ()
    fault = Fault(status, words, _wait_s(headers, details), _request_id(headers), code=code, details=details)
    about_us = status != 400 or mistake_of(fault)
    if code.lower() in BLOCKED or (not about_us and is_offence(words)):
        return Blocked(str(fault))
    return fault


def mistake_of(fault: Fault) -> Mistake:
    """Return which of the operator's mistakes it is; empty where there is only to wait, or to ask for another song."""
    reasons = {str(detail.get("reason", "")) for detail in fault.details}
    match fault.status:
        case 403:
            return "api" if "SERVICE_DISABLED" in reasons else "permission"
        case 429:
            return "quota" if _is_used_up(fault) else ""
        case 400 if reasons & {"API_KEY_INVALID", "API_KEY_EXPIRED"} or _KEY.search(fault.words):
            return "key"
        case 400 if fault.code.lower() == "failed_precondition":
            return "region" if "location" in fault.words.lower() else "billing"
    return _BY_STATUS.get(fault.status, "")


def sentence_of(fault: Fault, model: str) -> str:
    """Return what the operator can do about it; empty where that is only to wait."""
    activation = next((url for each in fault.details if (url := _activation(each))), f"{DOCS}/api-key")
    return _SENTENCES.get(mistake_of(fault), "").format(keys=KEYS, docs=DOCS, model=model, activation=activation)


def error_of(fault: Fault) -> MelodifyError:
    """Return our error for it."""
    if mistake := mistake_of(fault):
        return Unavailable("provider.exhausted" if mistake in ("billing", "quota") else "provider.misconfigured")
    return error_by_status(fault)


def is_free(error: BaseException) -> bool:
    """Return whether a call is known not to be billed. Where a redirect leads is not known."""
    is_redirect = isinstance(error, Fault) and 300 <= error.status < 400
    return isinstance(error, Blocked) or (not is_redirect and http_status.is_free(error))


def may_repeat(fault: Fault) -> bool:
    """Return whether it may be asked again: a full house, a service that is away, and nobody who was reached."""
    return not mistake_of(fault) and was_not_begun(fault)


def _is_used_up(fault: Fault) -> bool:
    said = " ".join([fault.words, *map(str, fault.details)])
    return fault.code == "quota_exceeded" or _USED_UP.search(said) is not None


def _activation(detail: Mapping[str, Any]) -> str:
    metadata = detail.get("metadata")
    url = str(metadata.get("activationUrl", "")) if isinstance(metadata, dict) else ""
    return url[:WORDS] if url.startswith("https://") else ""


def _wait_s(headers: Mapping[str, str], details: tuple[Mapping[str, Any], ...]) -> float:
    asked = [headers.get("retry-after", ""), *(str(each.get("retryDelay") or "").removesuffix("s") for each in details)]
    return next((float(each) for each in asked if re.fullmatch(r"\d{1,6}(\.\d*)?", each)), 0.0)


def _request_id(headers: Mapping[str, str]) -> str:
    found = (headers.get(name, "") for name in ("x-goog-request-id", "x-request-id"))
    return next((each[:128] for each in found if each), "unknown")
