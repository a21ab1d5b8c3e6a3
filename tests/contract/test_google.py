"""What the Google adapters share: the real credentials, and each error of the SDKs as one of ours."""

import asyncio
import json
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path
from typing import Any

import grpc
import pytest
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.api_core import exceptions as api
from google.auth import exceptions as auth
from google.auth.credentials import AnonymousCredentials
from google.rpc import error_details_pb2

from melodify_core.errors import Misconfigured, Refused, Unavailable
from melodify_core.google import Service, credentials, google_errors, grpc_channel, refresh, start_errors, wait_asked_s


@cache
def pem() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return key.private_bytes(*form).decode()


def a_service(key_file: Path | None = None) -> Service:
    return Service(
        "Vertex AI",
        "aiplatform.googleapis.com",
        "Vertex AI User",
        "vertex",
        "melodify-test",
        "moon1",
        key_file,
        "lyria-9",
        "lyria.model",
    )


@pytest.fixture
async def token_server() -> AsyncIterator[dict[str, Any]]:
    """Google's token endpoint: answers with the content of "answer"."""
    said: dict[str, Any] = {"answer": (200, {"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})}

    async def token(request: web.Request) -> web.Response:
        await request.read()
        status, body = said["answer"]
        return web.json_response(body, status=status)

    app = web.Application()
    app.router.add_post("/token", token)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    said["url"] = f"http://127.0.0.1:{runner.addresses[0][1]}/token"
    yield said
    await runner.cleanup()


def key_file(folder: Path, token_url: str) -> Path:
    path = folder / "key.json"
    fields = {"type": "service_account", "client_email": "bot@melodify-test.iam.gserviceaccount.com"}
    path.write_text(json.dumps(fields | {"private_key": pem(), "private_key_id": "1", "token_uri": token_url}))
    return path


async def test_a_key_file_gives_a_token_once(tmp_path: Path, token_server: dict[str, Any]) -> None:
    key = await asyncio.to_thread(credentials, key_file(tmp_path, token_server["url"]), None)
    await refresh(key)
    token_server["answer"] = (500, {})
    await refresh(key)

    assert key.token == "t"


async def test_a_key_that_google_refuses_is_the_operators(tmp_path: Path, token_server: dict[str, Any]) -> None:
    token_server["answer"] = (400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
    path = key_file(tmp_path, token_server["url"])
    key = credentials(path, None)
    refused = r"^vertex\.key_file: Google does not accept the key in"
    with pytest.raises(Misconfigured, match=refused) as caught, start_errors(a_service(path)):
        await refresh(key)
    with pytest.raises(Unavailable, match=r"^provider\.misconfigured$"), google_errors("lyria", "1"):
        await refresh(key)

    assert "PRIVATE KEY" not in str(caught.value)


async def test_a_token_server_that_is_away_is_no_mistake_of_the_operators(tmp_path: Path) -> None:
    path = key_file(tmp_path, "http://127.0.0.1:9/token")
    error = auth.TransportError("no connection")  # what `refresh` ends in after many tries
    with pytest.raises(Unavailable, match=r"^provider\.unavailable$"), start_errors(a_service(path)):
        raise error


@pytest.mark.parametrize(
    "text", [None, "", "no JSON", "{}", '{"type": "authorized_user"}', '{"private_key": "secret!"}']
)
def test_a_key_file_that_is_none_is_named_and_not_quoted(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "key.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(Misconfigured) as caught, start_errors(a_service(path)):
        credentials(path, None)

    what = "is not a service account key" if text is not None else "cannot be read (No such file or directory)"
    assert str(caught.value).startswith(f"vertex.key_file: {path} {what}")
    assert "secret!" not in str(caught.value)


def test_without_any_credentials_the_operator_learns_of_both_ways(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(Misconfigured, match="gcloud auth application-default login"), start_errors(a_service()):
        credentials(None, None)


async def test_a_server_without_tls_takes_no_credentials() -> None:
    key = credentials(Path("none.json"), "http://127.0.0.1:9")
    await refresh(key)
    channel = grpc_channel("http://127.0.0.1:9", "aiplatform.googleapis.com", key)
    await channel.close()

    assert isinstance(key, AnonymousCredentials)


async def test_google_itself_is_spoken_to_over_tls() -> None:
    for endpoint in (None, "https://127.0.0.1:9", "https://127.0.0.1:9/"):
        channel = grpc_channel(endpoint, "127.0.0.1:9", AnonymousCredentials())
        assert isinstance(channel, grpc.aio.Channel)
        await channel.close()


def with_details(kind: Any, words: str, *details: Any) -> Exception:
    error: Exception = kind(words, details=details)
    return error


QUOTA = error_details_pb2.QuotaFailure(
    violations=[error_details_pb2.QuotaFailure.Violation(subject="x", description="GenerateRequestsPerDayPerProject")]
)
KINDS = [
    (api.InvalidArgument("x"), Refused, "provider.refused"),
    (api.FailedPrecondition("x"), Refused, "provider.refused"),
    (api.Unauthenticated("x"), Unavailable, "provider.misconfigured"),
    (api.PermissionDenied("x"), Unavailable, "provider.misconfigured"),
    (api.NotFound("x"), Unavailable, "provider.misconfigured"),
    (api.MethodNotImplemented("x"), Unavailable, "provider.misconfigured"),
    (api.ResourceExhausted("x"), Unavailable, "provider.busy"),
    (with_details(api.ResourceExhausted, "x", QUOTA), Unavailable, "provider.exhausted"),
    (api.ResourceExhausted("CLIENT: Received message larger than max"), Unavailable, "provider.unavailable"),
    (api.InternalServerError("x"), Unavailable, "provider.unavailable"),
    (api.ServiceUnavailable("x"), Unavailable, "provider.unavailable"),
    (api.Aborted("x"), Unavailable, "provider.unavailable"),
    (api.Cancelled("x"), Unavailable, "provider.unavailable"),
    (api.DeadlineExceeded("x"), Unavailable, "provider.too_slow"),
    (TimeoutError(), Unavailable, "provider.too_slow"),
    (ConnectionResetError(), Unavailable, "provider.unavailable"),
    (api.RetryError("x", cause=api.NotFound("x")), Unavailable, "provider.misconfigured"),
    (auth.RefreshError("x"), Unavailable, "provider.misconfigured"),
    (auth.RefreshError("x", retryable=True), Unavailable, "provider.unavailable"),
    (
        api.ServiceUnavailable("Getting metadata from plugin failed with error: ('invalid_grant: x',)"),
        Unavailable,
        "provider.misconfigured",
    ),
    (
        api.ServiceUnavailable("Getting metadata from plugin failed with error: HTTPSConnectionPool"),
        Unavailable,
        "provider.unavailable",
    ),
]


@pytest.mark.parametrize(("error", "kind", "code"), KINDS, ids=lambda value: repr(value)[:60])
def test_each_error_of_the_sdks_is_one_of_ours(error: Exception, kind: type[Refused | Unavailable], code: str) -> None:
    with pytest.raises(kind) as caught, google_errors("lyria", "1"):
        raise error

    assert caught.value.code == code
    assert caught.value.__cause__ is error


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyError("ours"), Refused("music.blocked")])
def test_what_is_not_the_sdks_goes_through(error: BaseException) -> None:
    with pytest.raises(type(error)) as caught, google_errors("lyria", "1"):
        raise error

    assert caught.value is error


SENTENCES = [
    (api.ServiceUnavailable("DNS resolution failed for moon1-aiplatform: Domain name not found"), "vertex.location"),
    (api.MethodNotImplemented("Received http2 header with status: 404"), "vertex.location"),
    (api.InvalidArgument("Unsupported region for Vertex AI."), "vertex.location"),
    (api.NotFound("Project melodify-test was not found."), "vertex.project"),
    (api.InvalidArgument("Model lyria-9 is not supported."), "lyria.model"),
]


@pytest.mark.parametrize(("error", "setting"), SENTENCES)
def test_a_wrong_place_project_or_model_is_named_by_its_setting(error: Exception, setting: str) -> None:
    with pytest.raises(Misconfigured) as caught, start_errors(a_service()):
        raise error

    assert caught.value.problems[0].startswith(f"{setting}: ")
    assert "https://" in caught.value.problems[0]


def test_how_long_to_wait_is_read_over_grpc_and_over_http() -> None:
    detail = error_details_pb2.RetryInfo()
    detail.retry_delay.FromMilliseconds(1500)

    assert wait_asked_s(with_details(api.TooManyRequests, "x", detail)) == 1.5
    assert wait_asked_s(with_details(api.TooManyRequests, "x", {"retryDelay": "7.5s"})) == 7.5
    assert wait_asked_s(with_details(api.TooManyRequests, "x", {"retryDelay": "soon"})) == 0.0
    assert wait_asked_s(TimeoutError()) == 0.0
