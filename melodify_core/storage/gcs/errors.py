"""What goes wrong with a bucket, in our words: for a running job, and for the operator at the start.

No text of the SDK's is shown or logged: it holds addresses, and that of an upload is as good as a key.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import requests
import urllib3
from google.api_core import exceptions as api
from google.auth.exceptions import GoogleAuthError
from google.cloud.storage.exceptions import DataCorruption

from melodify_core.config.settings import Gcs
from melodify_core.errors import Misconfigured, Unavailable
from melodify_core.google import CONSOLE, Service, request_id, sentence_of
from melodify_core.observability.log_context import provider_span

log = logging.getLogger(__name__)

NAME = "gcs"
ACCOUNTS = f"{CONSOLE}/iam-admin/serviceaccounts"
BUCKET_ROLE = "Storage Legacy Bucket Owner (roles/storage.legacyBucketOwner)"
ROLE = "Storage Object User (roles/storage.objectUser)"
_DISABLED = {"accessNotConfigured", "SERVICE_DISABLED"}
_UNPAID = {"accountDisabled", "billingDisabled", "BILLING_DISABLED"}
# OSError holds requests' errors and our own deadline too.
FAILURES = (api.GoogleAPIError, GoogleAuthError, DataCorruption, urllib3.exceptions.HTTPError, OSError)


@contextmanager
def storage_errors(job_id: str, what: str) -> Iterator[None]:
    """Count the call, and turn every failure into Unavailable, logged with Google's request id."""
    with provider_span(NAME):
        try:
            yield
        except (*FAILURES, Misconfigured) as error:
            log.warning("job %s: gcs: %s: %s, request id %s", job_id, what, _described(error), request_id(error))
            raise Unavailable("storage.unavailable") from error


@contextmanager
def start_errors(settings: Gcs) -> Iterator[None]:
    """Count the call, and turn what the operator can fix into Misconfigured, the rest into Unavailable."""
    with provider_span(NAME):
        try:
            yield
        except FAILURES as error:
            log.warning("gcs: check: %s, request id %s", _described(error), request_id(error))
            sentence = _sentence(error, settings)
            if sentence:
                raise Misconfigured(sentence) from error
            raise Unavailable("storage.unavailable") from error


def lacking(settings: Gcs, permissions: list[str], role: str = ROLE) -> str:
    """Return the sentence about permissions that the credentials lack on the bucket."""
    return (
        f'gcs.bucket: the credentials lack {", ".join(permissions)} on the bucket "{settings.bucket}": grant them the '
        f"role {role} at {CONSOLE}/storage/browser/{settings.bucket};tab=permissions."
    )


def is_denied(error: api.Forbidden) -> bool:
    """Return whether a permission is lacking; else the project may do nothing at all."""
    return not _reasons(error) & (_DISABLED | _UNPAID)


def _sentence(error: Exception, settings: Gcs) -> str:
    match error:
        case api.NotFound():
            return (
                f'gcs.bucket: there is no bucket "{settings.bucket}": make it at {CONSOLE}/storage/create-bucket or '
                "name another."
            )
        case api.Forbidden():
            return _forbidden(error, settings)
        case api.BadRequest():
            return f'gcs.bucket: Cloud Storage does not take "{settings.bucket}" as the name of a bucket.'
        case api.Unauthorized() | GoogleAuthError():
            host = "storage.googleapis.com"
            return sentence_of(
                error, Service("Cloud Storage", host, ROLE, "gcs", settings.project, "", settings.key_file)
            )
    return ""


def _forbidden(error: api.Forbidden, settings: Gcs) -> str:
    if _reasons(error) & _DISABLED:
        return (
            "gcs.project: the Cloud Storage API is disabled: enable it at "
            f"{CONSOLE}/apis/library/storage.googleapis.com."
        )
    if _reasons(error) & _UNPAID:
        return f'gcs.bucket: the project of "{settings.bucket}" has no billing: see {CONSOLE}/billing.'
    return lacking(settings, ["storage.buckets.get and storage.buckets.update"], BUCKET_ROLE)


def _described(error: Exception) -> str:
    if isinstance(error, Misconfigured):
        return str(error)
    if isinstance(error, api.GoogleAPICallError):
        return " ".join([type(error).__name__, str(int(error.code or 0)), *sorted(_reasons(error))])
    return type(error).__name__


def _reasons(error: api.GoogleAPICallError) -> set[str]:
    """Return Google's short names for what is wrong; its sentences are not looked at."""
    response = error.response
    if not isinstance(response, requests.Response):
        return set()
    try:
        # The SDK's errors of uploads and downloads have no details: they are in the answer only.
        body = response.json()["error"]
        found = [item["reason"] for item in [*body.get("errors", []), *body.get("details", [])] if "reason" in item]
    except (ValueError, KeyError, TypeError, AttributeError):
        return set()
    return {str(reason)[:60] for reason in found}
