"""What goes wrong at ElevenLabs, in our words: whether to ask again, what the operator can do.

The codes are those of elevenlabs.io/docs/developers/resources/error-messages and help.elevenlabs.io (API error codes);
newer parts of the API say `code` where older ones say `status`. No text of theirs reaches a member.
"""

from typing import Any, Literal

from melodify_core.composers.http import Fault
from melodify_core.composers.http_status import error_by_status, was_not_begun
from melodify_core.composers.lyria_3 import is_offence
from melodify_core.errors import MelodifyError, Misconfigured, Unavailable

KEYS = "https://elevenlabs.io/app/settings/api-keys"
PLANS = "https://elevenlabs.io/app/subscription"
DOCS = "https://elevenlabs.io/docs/api-reference/music/compose"
Mistake = Literal["key", "permission", "region", "plan", "quota", "model", ""]
_BLOCKED = frozenset({"bad_prompt", "bad_composition_plan", "content_policy_violation"})
_BY_CODE: dict[str, Mistake] = {
    "invalid_api_key": "key",
    "missing_permissions": "permission",
    "quota_exceeded": "quota",
    "insufficient_credits": "quota",
    "limited_access": "plan",
    "payment_required": "plan",
    "paid_plan_required": "plan",
    "only_for_creator+": "plan",
    "model_not_found": "model",
    "invalid_model": "model",
    "model_deprecated": "model",
}
_BY_STATUS: dict[int, Mistake] = {401: "key", 402: "plan", 403: "permission", 404: "model", 410: "model", 451: "region"}
_SENTENCES: dict[Mistake, str] = {
    "key": (
        "elevenlabs.api_key: ElevenLabs does not accept the key: make one at {keys}, and set "
        "MELODIFY_ELEVENLABS__API_KEY or elevenlabs.api_key_file."
    ),
    "permission": "elevenlabs.api_key: it may not make music: allow it Music Generation at {keys}, or make another.",
    "region": "elevenlabs.api_key: ElevenLabs does not serve the place where this machine is.",
    "plan": "elevenlabs.api_key: the key's account has no plan with the Music API: choose one at {plans}.",
    "quota": "elevenlabs.api_key: the credits of the key's account are used up: see {plans}.",
    "model": 'elevenlabs.model: ElevenLabs has no music model "{model}": name one of {docs}.',
}


def code_of(fault: Fault) -> str:
    """Return the service's code for it, such as "quota_exceeded"; empty where it has none."""
    detail = _detail(fault)
    return str(detail.get("code") or detail.get("status") or "") if isinstance(detail, dict) else ""


def is_blocked(fault: Fault) -> bool:
    """Return whether the service took offence at the prompt. Such a call is not billed."""
    if fault.status not in (400, 403, 422) or mistake_of(fault):
        return False
    detail = _detail(fault)
    words = str(detail.get("message", "")) if isinstance(detail, dict) else ""
    return code_of(fault) in _BLOCKED or is_offence(words)


def mistake_of(fault: Fault) -> Mistake:
    """Return which of the operator's mistakes it is; empty where there is only to wait, or to ask for another song."""
    if not 300 <= fault.status < 500 or code_of(fault) in _BLOCKED:
        return ""
    if known := _BY_CODE.get(code_of(fault)):
        return known
    detail = _detail(fault)
    if fault.status == 422 and isinstance(detail, list) and "model_id" in str(detail):
        return "model"
    words = fault.words.lower()
    if fault.status < 400 or (fault.status == 403 and ("country" in words or "region" in words)):
        return "region"  # where it is not served, a page that says so is all that comes
    return _BY_STATUS.get(fault.status, "")


def sentence_of(fault: Fault, model: str) -> str:
    """Return what the operator can do about it; empty where that is only to wait."""
    return _SENTENCES.get(mistake_of(fault), "").format(keys=KEYS, plans=PLANS, docs=DOCS, model=model)


def error_of(fault: Fault) -> MelodifyError:
    """Return our error for it."""
    if mistake := mistake_of(fault):
        return Unavailable("provider.exhausted" if mistake in ("plan", "quota") else "provider.misconfigured")
    return error_by_status(fault)


def may_repeat(fault: Fault) -> bool:
    """Return whether it may be asked again: a full house, a service that is away, and nobody who was reached."""
    return not mistake_of(fault) and was_not_begun(fault)


def check_plan(account: Any) -> None:
    """Raise Misconfigured for an account whose plan has no Music API."""
    if isinstance(account, dict) and account.get("tier") == "free":
        raise Misconfigured(_SENTENCES["plan"].format(plans=PLANS))


def _detail(fault: Fault) -> Any:
    return fault.body.get("detail") if isinstance(fault.body, dict) else None
