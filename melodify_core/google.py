"""What the adapters of Google's services share: credentials, channels, and what goes wrong, in our words.

What only one service says is in its adapter. No text of Google's reaches a user; the log gets it clipped.
"""

import asyncio
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import google.auth
import grpc
import requests
from google.api_core import exceptions as api
from google.api_core import grpc_helpers_async
from google.auth import exceptions as auth
from google.auth.credentials import AnonymousCredentials, Credentials
from google.auth.transport.requests import Request
from google.oauth2 import service_account
from google.rpc import error_details_pb2

from melodify_core.config.files import read_text
from melodify_core.config.settings import Vertex
from melodify_core.errors import Code, MelodifyError, Misconfigured, Refused, Unavailable

log = logging.getLogger(__name__)

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
CONSOLE = "https://console.cloud.google.com"
REQUEST_ID_HEADERS = ("x-request-id", "x-goog-request-id", "x-guploader-uploadid")
WORDS = 300  # characters of a service's own words in the log
# A clip of Lyria's is 8.4 MB as Base64; gRPC's own limit, 4 MiB, would turn that good and paid answer into an error.
MAX_ANSWER_BYTES = 64 * 1024 * 1024
# Everything the SDKs raise. grpc's own errors only where a channel is used without a client.
FAULTS = (api.GoogleAPIError, auth.GoogleAuthError, grpc.RpcError, OSError)

# Where Google has no short name for a mistake, its words must do.
_TOO_LARGE = "larger than max"  # gRPC's own: the answer, not the quota
_PER_DAY = re.compile(r"per[ _-]?day|daily", re.IGNORECASE)
_UNKNOWN_HOST = re.compile(r"domain name not found|name or service not known|nodename nor servname", re.IGNORECASE)
_ENCODED = re.compile(r"[\w+/=-]{64,}")  # a picture, a token: what a service repeats of our request
_LOCATION = re.compile(r"locations/|\b(?:location|region)\b", re.IGNORECASE)
_MODEL = re.compile(r"\bmodels?\b", re.IGNORECASE)
# gRPC asks for the token itself and reports a failure as UNAVAILABLE.
_BAD_KEY = re.compile(
    r"Getting metadata from plugin failed"
    r".*(?:invalid_grant|invalid_client|unauthorized_client|account_not_found|access_denied)",
    re.DOTALL,
)
_CODES: tuple[tuple[Any, Code], ...] = (
    ((api.Unauthorized, api.Forbidden, api.NotFound, api.MethodNotImplemented), "provider.misconfigured"),
    ((api.GatewayTimeout, TimeoutError, requests.Timeout), "provider.too_slow"),
    ((api.Conflict, api.Cancelled), "provider.unavailable"),
    (api.ClientError, "provider.refused"),
)
# What the operator can do, by what is wrong.
_SENTENCES = {
    "api": '{section}.project: the {title} API is disabled in "{project}": enable it at {activation}.',
    "billing": '{section}.project: "{project}" has no billing: see {console}/billing?project={project}.',
    "role": (
        '{section}.key_file: the account may not use {title} in "{project}": grant it the role {role} at '
        "{console}/iam-admin/iam?project={project}."
    ),
    "project": (
        '{section}.project: there is no project "{project}", or the account may not see it: its id is at '
        "{console}/cloud-resource-manager."
    ),
    "location": (
        '{section}.location: {title} does not answer in "{location}": name a region of '
        "https://cloud.google.com/vertex-ai/docs/general/locations, and leave {section}.endpoint empty."
    ),
    "model": (
        '{model_setting}: there is no model "{model}" for "{project}" in {location}: see '
        "{console}/vertex-ai/model-garden, or name another model."
    ),
    "no credentials": (
        "{section}.key_file is not set and this machine has no Google credentials: name a service account's key file, "
        "made at {accounts}, or run `gcloud auth application-default login`."
    ),
    "unreadable key": "{section}.key_file: {key_file} cannot be read ({reason}).",
    "no key": "{section}.key_file: {key_file} is not a service account key: make one at {accounts}.",
    "bad key": "{section}.key_file: Google does not accept {whose}: make a new key at {accounts}.",
}


@dataclass(frozen=True, slots=True)
class Service:
    """A service as an adapter asks for it, with the settings that fix what is wrong."""

    title: str  # "Vertex AI"
    host: str  # "aiplatform.googleapis.com", the API's name in the console
    role: str  # what the account needs
    section: str  # of the settings that hold project, location, endpoint and key_file
    project: str
    location: str
    key_file: Path | None = None
    model: str = ""
    model_setting: str = ""  # "lyria.model"


def vertex_service(vertex: Vertex, location: str = "", model: str = "", model_setting: str = "") -> Service:
    """Return Vertex AI in the settings' region, or in `location`."""
    return Service(
        title="Vertex AI",
        host="aiplatform.googleapis.com",
        role="Vertex AI User (roles/aiplatform.user)",
        section="vertex",
        project=vertex.project,
        location=location or vertex.location,
        key_file=vertex.key_file,
        model=model,
        model_setting=model_setting,
    )


def credentials(key_file: Path | None, endpoint: str | None) -> Credentials:
    """Return the key file's credentials, else the machine's own; none for a server without TLS.

    Reads files and may look for a metadata server: to be called in a thread. Raises GoogleAuthError.
    """
    if is_plain(endpoint):
        return AnonymousCredentials()
    if key_file is None:
        return google.auth.default(scopes=[SCOPE])[0]
    try:
        return service_account.Credentials.from_service_account_info(  # type: ignore[no-any-return]
            dict(json.loads(read_text(key_file))), scopes=[SCOPE]
        )
    except (OSError, ValueError, TypeError, RecursionError) as error:
        # The error's own text may quote the file.
        raise auth.DefaultCredentialsError(f"{key_file} cannot be read as a key file") from error


def is_plain(endpoint: str | None) -> bool:
    """Return whether it is a server without TLS, which takes no credentials: a test's or a local one."""
    return (endpoint or "").startswith("http://")


def grpc_channel(endpoint: str | None, default_host: str, key: Credentials) -> grpc.aio.Channel:
    """Return a channel of the running loop to the endpoint, else to the host. It takes answers as large as music."""
    target = (endpoint or default_host).partition("://")[2] or default_host
    # Retries are the adapter's alone.
    options = [("grpc.max_receive_message_length", MAX_ANSWER_BYTES), ("grpc.enable_retries", 0)]
    if is_plain(endpoint):
        return grpc.aio.insecure_channel(target.rstrip("/"), options=options)
    return grpc_helpers_async.create_channel(target.rstrip("/"), credentials=key, options=options)


async def refresh(key: Credentials) -> None:
    """Fetch a token unless there is a good one, without holding up the loop. Raises GoogleAuthError.

    The SDKs would do it by themselves, but some of them inside the loop, and gRPC reports a bad key and a bad network
    as the same error.
    """
    if not key.valid:
        await asyncio.to_thread(key.refresh, Request())


@contextmanager
def google_errors(what: str, job_id: str) -> Iterator[None]:
    """Turn what the SDKs raise while a job runs into ours, and log it with the request id."""
    try:
        yield
    except FAULTS as error:
        ours = error_of(error)
        log.warning("job %s: %s: %s (%s), request id %s", job_id, what, ours, described(error), request_id(error))
        raise ours from error


@contextmanager
def start_errors(service: Service) -> Iterator[None]:
    """Turn what the operator can fix into Misconfigured, the rest into Unavailable."""
    try:
        yield
    except FAULTS as error:
        log.warning("check: %s: %s, request id %s", service.title, described(error), request_id(error))
        sentence = sentence_of(error, service)
        if sentence:
            raise Misconfigured(sentence) from error
        raise error_of(error) from error


def error_of(error: BaseException) -> MelodifyError:
    """Return our error for one of the SDKs'."""
    code = _code(_inner(error))
    return Refused(code) if code == "provider.refused" else Unavailable(code)


def is_too_large(error: api.TooManyRequests) -> bool:
    """Return whether the answer was too large for gRPC; else the service has too much to do."""
    return _TOO_LARGE in error.message


def _code(error: BaseException) -> Code:
    if isinstance(error, api.TooManyRequests):
        if is_too_large(error):
            return "provider.unavailable"
        words = " ".join([error.message, *(str(detail) for detail in error.details)])
        return "provider.exhausted" if _PER_DAY.search(words) else "provider.busy"
    if _is_bad_key(error):
        return "provider.misconfigured"
    return next((code for kinds, code in _CODES if isinstance(error, kinds)), "provider.unavailable")


def sentence_of(error: BaseException, service: Service) -> str:
    """Return what the operator can do about it; empty where that is only to wait."""
    error = _inner(error)
    mistake = _mistake(error, service)
    if mistake == "location" and service.location == "global":  # the adapter's choice: what is missing is the model
        mistake = "model"
    project = f"?project={service.project}" if service.project else ""
    metadata = (isinstance(error, api.GoogleAPICallError) and error.metadata) or {}
    return _SENTENCES.get(mistake, "").format(
        **asdict(service),
        console=CONSOLE,
        accounts=f"{CONSOLE}/iam-admin/serviceaccounts{project}",
        activation=str(metadata.get("activationUrl") or f"{CONSOLE}/apis/library/{service.host}{project}")[:WORDS],
        whose=f"the key in {service.key_file}" if service.key_file else "this machine's credentials",
        reason=getattr(error.__cause__, "strerror", None),
    )


def _mistake(error: BaseException, service: Service) -> str:
    match error:
        case auth.DefaultCredentialsError():
            return _key_mistake(error, service)
        case _ if isinstance(error, api.Unauthorized) or _is_bad_key(error):
            return "bad key"
        case api.Forbidden():
            return _refusal(error)
        case api.NotFound() | api.BadRequest():
            return _unknown(error, service)
        case api.MethodNotImplemented() | api.ServiceUnavailable() if _is_wrong_host(error):
            return "location"
    return ""


def _key_mistake(error: auth.DefaultCredentialsError, service: Service) -> str:
    if service.key_file is None:
        return "no credentials"
    return "unreadable key" if isinstance(error.__cause__, OSError) else "no key"


def _refusal(error: api.GoogleAPICallError) -> str:
    if error.reason == "SERVICE_DISABLED" or "has not been used in project" in error.message:
        return "api"
    if error.reason == "BILLING_DISABLED":
        return "billing"
    if error.reason in ("CONSUMER_INVALID", "USER_PROJECT_DENIED"):
        return "project"
    return "location" if "'locations/" in error.message else "role"


def _unknown(error: api.GoogleAPICallError, service: Service) -> str:
    """Return what does not exist; empty for a request that is wrong in itself, which is not the operator's."""
    words = error.message.lower()
    if service.model and _MODEL.search(words) and not isinstance(error, api.FailedPrecondition):
        return "model"
    if "project" in words and "projects/" not in words:
        return "project"
    return "location" if _LOCATION.search(words) or isinstance(error, api.NotFound) else ""


def request_id(error: BaseException) -> str:
    """Return the id by which Google finds the call (google.rpc.RequestInfo, or a header); "unknown" without."""
    error = _inner(error)
    details = error.details if isinstance(error, api.GoogleAPICallError) else ()
    found = [str(_field(detail, "request_id") or _field(detail, "requestId") or "") for detail in details]
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    found += [str(headers.get(name, "")) for name in REQUEST_ID_HEADERS]
    return next((each for each in found if each), "unknown")[:128]


def wait_asked_s(error: BaseException) -> float:
    """Return for how many seconds the service wants to be left alone (google.rpc.RetryInfo, Retry-After); 0 without."""
    error = _inner(error)
    if not isinstance(error, api.GoogleAPICallError):
        return 0.0
    for detail in error.details:
        if isinstance(detail, error_details_pb2.RetryInfo):
            return float(detail.retry_delay.ToTimedelta().total_seconds())
    asked = [str(_field(detail, "retryDelay") or "").removesuffix("s") for detail in error.details]
    asked.append((getattr(error.response, "headers", None) or {}).get("retry-after", ""))
    return next((float(each) for each in asked if re.fullmatch(r"\d{1,6}(\.\d*)?", each)), 0.0)


def described(error: BaseException) -> str:
    """Return kind and, of a service's answer, its own words, in one line and not too many."""
    error = _inner(error)
    if not isinstance(error, api.GoogleAPICallError):
        return type(error).__name__
    words = _ENCODED.sub("...", " ".join([error.reason or "", *str(error.message).split()]))[:WORDS]
    return f"{type(error).__name__}: {words.strip()}"


def _inner(error: BaseException) -> BaseException:
    """Return the error inside the SDK's wrapping."""
    if isinstance(error, api.RetryError) and error.cause is not None:
        return _inner(error.cause)
    if isinstance(error, grpc.RpcError):
        return api.from_grpc_error(error)  # type: ignore[no-any-return]
    return error


def _is_bad_key(error: BaseException) -> bool:
    """Return whether Google rejects the credentials; else the network may be back soon."""
    if isinstance(error, auth.GoogleAuthError):
        return not (isinstance(error, auth.TransportError) or error.retryable)
    return isinstance(error, api.ServiceUnavailable) and _BAD_KEY.search(error.message) is not None


def _is_wrong_host(error: api.GoogleAPICallError) -> bool:
    # Google answers some wrong addresses with a page, "404", which gRPC calls UNIMPLEMENTED.
    return isinstance(error, api.MethodNotImplemented) or _UNKNOWN_HOST.search(error.message) is not None


def _field(detail: object, name: str) -> Any:
    """Return a field of a google.rpc detail: a message over gRPC, a dict over HTTP."""
    return detail.get(name) if isinstance(detail, dict) else getattr(detail, name, None)
