"""What only Cloud Storage has: a network that fails, generations, links, lifecycle rules, permissions."""

import asyncio
import json
import logging
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.credentials import Credentials

from melodify_core.errors import Misconfigured, Unavailable
from melodify_core.storage.file_names import disposition
from melodify_core.storage.gcs import GcsStorage
from tests.gcs_server import BUCKET, SIGNATURE, GcsProxy, Kind, gcs_proxy, gcs_server, settings_of

KEY = "songs/123.mp3"
SONG = b"a song" * 1000


@pytest.fixture(scope="module")
def gcs() -> Iterator[str]:
    with gcs_server() as url:
        yield url


@pytest.fixture
async def proxy(gcs: str) -> AsyncIterator[GcsProxy]:
    async with gcs_proxy(gcs) as proxy:
        yield proxy


@pytest.fixture
async def storage(proxy: GcsProxy) -> AsyncIterator[GcsStorage]:
    storage = GcsStorage(settings_of(proxy.url, deadline_s=1.5, prefix="melody/"), max_bytes=100_000)
    await storage.delete(KEY)
    proxy.asked.clear()
    yield storage
    await storage.close()


def stored(proxy: GcsProxy) -> dict[str, Any]:
    """Return what the server itself says of the key."""
    found = requests.get(f"{proxy.target}/storage/v1/b/{BUCKET}/o/melody%2Fsongs%2F123.mp3", timeout=5)
    found.raise_for_status()
    return dict(found.json())


# --- what is written ------------------------------------------------------------------------------------------------


async def test_an_object_tells_its_type_its_owner_and_how_long_it_may_be_kept(
    storage: GcsStorage, proxy: GcsProxy
) -> None:
    labels = {"job": "123", "guild": "7", "user": "ab" * 32}
    await storage.save(KEY, SONG, "audio/mpeg", labels)
    found = stored(proxy)
    assert (found["contentType"], found["metadata"]) == ("audio/mpeg", labels)
    assert found["cacheControl"].startswith("private")


async def test_a_new_key_costs_one_request_and_so_does_each_reading(storage: GcsStorage, proxy: GcsProxy) -> None:
    await storage.save(KEY, SONG, "audio/mpeg")
    await storage.load(KEY)
    await storage.find(KEY)
    await storage.delete(KEY)
    assert [asked.split()[0] for asked in proxy.asked] == ["POST", "GET", "GET", "DELETE"]


async def test_a_repeat_of_a_save_writes_nothing_again(storage: GcsStorage, proxy: GcsProxy) -> None:
    await storage.save(KEY, SONG, "audio/mpeg")
    generation = stored(proxy)["generation"]
    await storage.save(KEY, SONG, "audio/mpeg")
    assert stored(proxy)["generation"] == generation


async def test_the_same_bytes_are_written_again_where_they_are_old(proxy: GcsProxy) -> None:
    # Somebody may be about to delete them, as nobody's.
    storage = GcsStorage(settings_of(proxy.url), fresh_s=0.0)
    await storage.save(KEY, SONG, "audio/mpeg")
    [[old]] = [page async for page in storage.listed("songs")]
    await storage.save(KEY, SONG, "audio/mpeg")
    await storage.delete(KEY, old.version)
    assert await storage.load(KEY) == SONG
    await storage.close()


async def test_a_page_of_a_list_costs_one_request(proxy: GcsProxy) -> None:
    storage = GcsStorage(settings_of(proxy.url), page=2)
    for number in range(5):
        await storage.save(f"songs/{number}.mp3", SONG, "audio/mpeg")
    proxy.asked.clear()
    proxy.fail("cut after", "GET", times=1, spared=1)
    pages = [len(page) async for page in storage.listed("songs")]
    assert (pages, proxy.count("GET"), len(proxy.asked)) == ([2, 2, 1], 4, 4)
    await storage.close()


async def test_a_list_that_fails_is_unavailable(storage: GcsStorage, proxy: GcsProxy) -> None:
    proxy.fail("answer", "GET", status=403, reason="forbidden")
    with pytest.raises(Unavailable):
        await anext(storage.listed("songs"))


async def test_what_checks_left_is_cleared(storage: GcsStorage, proxy: GcsProxy) -> None:
    proxy.fail("answer", "DELETE", status=403, reason="forbidden", times=1)
    with pytest.raises(Misconfigured):
        await storage.check()
    before = [filed.key async for page in storage.listed("checks") for filed in page]
    await storage.clear(time.time() - 60)
    assert [filed.key async for page in storage.listed("checks") for filed in page] == before != []
    await storage.clear(time.time() + 60)
    assert [filed async for page in storage.listed("checks") for filed in page] == []


async def test_nine_mebibytes_are_saved_and_loaded_whole(proxy: GcsProxy) -> None:
    storage = GcsStorage(settings_of(proxy.url))
    data = bytes(range(256)) * 36 * 1024
    await storage.save(KEY, data, "audio/wav")
    assert await storage.load(KEY) == data
    await storage.close()


# --- faults ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["cut before", "cut after"])
async def test_a_save_whose_connection_was_cut_succeeds_and_is_written_once(
    storage: GcsStorage, proxy: GcsProxy, kind: Kind
) -> None:
    proxy.fail(kind, "POST", times=1)
    await storage.save(KEY, SONG, "audio/mpeg")
    # After the effect the repeat is refused with 412 and the look finds the same bytes.
    assert (proxy.count("POST"), proxy.count("GET")) == (2, 1 if kind == "cut after" else 0)
    assert proxy.written == 1
    assert stored(proxy)["size"] == str(len(SONG))


async def test_a_replacement_whose_answer_was_lost_is_not_written_again(storage: GcsStorage, proxy: GcsProxy) -> None:
    await storage.save(KEY, b"old", "audio/mpeg")
    proxy.fail("cut after", "POST", times=1, spared=1)  # the first try is refused: something is there
    await storage.save(KEY, SONG, "audio/mpeg")
    assert (proxy.written, proxy.count("POST")) == (2, 4)
    assert await storage.load(KEY) == SONG


PASSING = [(408, ""), (429, "rateLimitExceeded"), (500, "backendError"), (502, ""), (503, "backendError"), (504, "")]
LASTING = [(400, "invalid"), (401, "authError"), (403, "forbidden"), (404, "notFound")]
ERROR_NAMES = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound"}
CALLS = {"save": "POST", "load": "GET", "find": "GET", "delete": "DELETE"}


def call(storage: GcsStorage, name: str) -> Any:
    return storage.save(KEY, SONG, "audio/mpeg") if name == "save" else getattr(storage, name)(KEY)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(("status", "reason"), PASSING)
async def test_a_passing_failure_is_outlived(
    storage: GcsStorage, proxy: GcsProxy, name: str, status: int, reason: str
) -> None:
    await storage.save(KEY, SONG, "audio/mpeg")
    if name == "save":
        await storage.delete(KEY)
    proxy.asked.clear()
    proxy.fail("answer", CALLS[name], status=status, reason=reason, times=1)
    await call(storage, name)
    assert proxy.count(CALLS[name]) == 2


@pytest.mark.parametrize(
    ("name", "status", "reason"),
    # To find and to delete, "not there" is an answer.
    [(name, *each) for name in CALLS for each in LASTING if each[0] != 404 or name in ("save", "load")],
)
async def test_a_lasting_failure_is_unavailable_at_once(
    storage: GcsStorage, proxy: GcsProxy, name: str, status: int, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    proxy.fail("answer", CALLS[name], status=status, reason=reason)
    with pytest.raises(Unavailable, match=r"^storage\.unavailable$"):
        await call(storage, name)
    assert proxy.count(CALLS[name]) == 1
    assert [record.getMessage() for record in caplog.records if "gcs" in record.name] == [
        f"job 123: gcs: {name} {KEY}: {ERROR_NAMES[status]} {status} {reason}, request id request-7"
    ]


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize(("kind", "status"), [("answer", 503), ("answer", 429), ("cut before", 0)])
async def test_a_failure_that_does_not_pass_is_unavailable_after_several_tries(
    storage: GcsStorage, proxy: GcsProxy, name: str, kind: Kind, status: int
) -> None:
    proxy.fail(kind, CALLS[name], status=status)
    with pytest.raises(Unavailable):
        await call(storage, name)
    assert 2 <= proxy.count(CALLS[name]) <= 12


@pytest.mark.parametrize("name", CALLS)
async def test_a_server_that_does_not_answer_is_given_up_at_the_deadline(
    storage: GcsStorage, proxy: GcsProxy, name: str
) -> None:
    proxy.fail("stall", CALLS[name])
    started = time.monotonic()
    with pytest.raises(Unavailable):
        await call(storage, name)
    assert time.monotonic() - started < 15  # deadline_s is 1.5; the server stalls until the test ends
    assert proxy.count(CALLS[name]) >= 2


@pytest.mark.parametrize("kind", ["truncate", "corrupt"])
async def test_a_spoiled_download_is_repeated_whole_and_compared(
    storage: GcsStorage, proxy: GcsProxy, kind: Kind
) -> None:
    await storage.save(KEY, SONG, "audio/mpeg")
    proxy.fail(kind, "GET", times=1)
    assert await storage.load(KEY) == SONG
    assert proxy.count("GET") == 2


@pytest.mark.parametrize("kind", ["truncate", "corrupt"])
async def test_a_download_that_stays_spoiled_is_unavailable(storage: GcsStorage, proxy: GcsProxy, kind: Kind) -> None:
    await storage.save(KEY, SONG, "audio/mpeg")
    proxy.fail(kind, "GET")
    with pytest.raises(Unavailable):
        await storage.load(KEY)


async def test_what_is_too_large_to_be_ours_is_not_loaded(storage: GcsStorage, proxy: GcsProxy) -> None:
    await storage.save(KEY, bytes(100_001), "audio/mpeg")
    with pytest.raises(Unavailable):
        await storage.load(KEY)
    assert proxy.count("GET") == 1


async def test_no_more_calls_run_at_once_than_the_settings_allow(proxy: GcsProxy) -> None:
    storage = GcsStorage(settings_of(proxy.url, calls=2, deadline_s=60.0))
    await storage.save(KEY, SONG, "audio/mpeg")
    proxy.fail("slow", "GET")
    assert await asyncio.gather(*(storage.load(KEY) for _ in range(8))) == [SONG] * 8
    assert proxy.most_open == 2
    await storage.close()


async def test_calls_that_wait_for_a_place_until_their_deadline_are_unavailable(proxy: GcsProxy) -> None:
    storage = GcsStorage(settings_of(proxy.url, calls=2, deadline_s=1.0))
    proxy.fail("stall", "GET")
    outcomes = await asyncio.gather(*(storage.load(KEY) for _ in range(8)), return_exceptions=True)
    assert all(isinstance(outcome, Unavailable) for outcome in outcomes)
    await storage.close()


async def test_a_cancelled_call_is_cancelled_at_once(storage: GcsStorage, proxy: GcsProxy) -> None:
    proxy.fail("stall", "GET")
    loading = asyncio.create_task(storage.load(KEY))
    while not proxy.count("GET"):
        await asyncio.sleep(0.01)
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading


STALLED = """
import asyncio, sys
from melodify_core.config.settings import Gcs
from melodify_core.storage.gcs import GcsStorage
async def run():
    storage = GcsStorage(Gcs(bucket="b", endpoint=sys.argv[1], deadline_s=60))
    loading = asyncio.create_task(storage.load("songs/1"))
    await asyncio.sleep(0.5)
    loading.cancel()
    await asyncio.wait([loading])
    await storage.close()
asyncio.run(run())
"""


async def test_a_call_that_hangs_holds_up_neither_the_loop_nor_the_process(proxy: GcsProxy) -> None:
    proxy.fail("stall", "GET")
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", STALLED, proxy.url)
    assert await asyncio.wait_for(process.wait(), 15) == 0
    assert proxy.count("GET") == 1


# --- links ----------------------------------------------------------------------------------------------------------


class MachineCredentials(Credentials):
    """What a machine of Google's has: a token and an address, no key."""

    service_account_email = "bot@project.iam.gserviceaccount.com"

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]

    def refresh(self, request: object) -> None:
        del request
        self.token = "secret-token"


class PersonCredentials(MachineCredentials):
    """What `gcloud auth application-default login` leaves: no account that could sign."""

    service_account_email = ""


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    fields = {
        "type": "service_account",
        "client_email": "bot@project.iam.gserviceaccount.com",
        "token_uri": "http://127.0.0.1:9/token",
        "private_key": key.decode(),
        "private_key_id": "1",
        "project_id": "project",
    }
    path = tmp_path_factory.mktemp("key") / "key.json"
    path.write_text(json.dumps(fields))
    return path


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


async def test_a_key_file_signs_without_a_request_and_for_as_long_as_asked(key_file: Path) -> None:
    storage = GcsStorage(settings_of("https://storage.googleapis.com", key_file=key_file, prefix="a/", link_hours=168))
    now = time.time()
    link = await storage.link(KEY, "밤의 노래.mp3")
    assert link
    query = query_of(link.url)
    assert urlsplit(link.url)._replace(query="").geturl() == f"https://storage.googleapis.com/{BUCKET}/a/{KEY}"
    assert query["X-Goog-Expires"] == str(168 * 3600)
    assert abs(link.expires_at - (now + 168 * 3600)) < 60
    assert query["response-content-disposition"] == disposition("밤의 노래.mp3")
    assert len(bytes.fromhex(query["X-Goog-Signature"])) == 256
    await storage.close()


@pytest.mark.parametrize(("hours", "lives"), [(168, 12), (3, 3)])
async def test_without_a_key_file_iam_signs_and_the_link_lives_twelve_hours_at_most(
    proxy: GcsProxy, hours: int, lives: int
) -> None:
    storage = GcsStorage(settings_of(proxy.url, link_hours=hours), credentials=MachineCredentials(), iam=proxy.url)
    now = time.time()
    link = await storage.link(KEY, "song.mp3")
    assert link
    assert query_of(link.url)["X-Goog-Signature"] == SIGNATURE.hex()
    assert abs(link.expires_at - (now + lives * 3600)) < 60
    assert proxy.asked == [f"POST /v1/projects/-/serviceAccounts/{MachineCredentials.service_account_email}:signBlob"]
    await storage.close()


async def test_a_passing_failure_of_the_signer_is_outlived_and_a_lasting_one_is_unavailable(proxy: GcsProxy) -> None:
    storage = GcsStorage(settings_of(proxy.url), credentials=MachineCredentials(), iam=proxy.url)
    proxy.fail("answer", "POST", status=503, times=1)
    assert await storage.link(KEY, "song.mp3")
    proxy.fail("answer", "POST", status=403)
    with pytest.raises(Unavailable):
        await storage.link(KEY, "song.mp3")
    assert proxy.count("POST") == 3
    await storage.close()


async def test_a_persons_login_has_no_links_and_says_so_in_its_advice(proxy: GcsProxy) -> None:
    storage = GcsStorage(settings_of(proxy.url), credentials=PersonCredentials(), iam=proxy.url)
    await storage.fix()
    assert await storage.link(KEY, "song.mp3") is None
    assert [sentence.split(",")[0] for sentence in await storage.advice()] == [
        "gcs.key_file: a person's login cannot sign links"
    ]
    await storage.close()


async def test_a_machine_that_may_not_sign_is_told_so_in_its_advice(proxy: GcsProxy) -> None:
    storage = GcsStorage(settings_of(proxy.url), credentials=MachineCredentials(), iam=proxy.url)
    await storage.fix()
    assert await storage.advice() == []
    proxy.fail("answer", "POST", status=403, reason="forbidden")
    (sentence,) = await storage.advice()
    assert "roles/iam.serviceAccountTokenCreator" in sentence
    await storage.close()


async def test_the_link_of_a_local_server_downloads_the_song(storage: GcsStorage) -> None:
    await storage.save(KEY, SONG, "audio/mpeg")
    link = await storage.link(KEY, "song.mp3")
    assert link
    assert (await asyncio.to_thread(requests.get, link.url, timeout=5)).content == SONG


@pytest.mark.parametrize(
    ("file_name", "plain", "whole"),
    [
        ("Night Song.mp3", "Night Song.mp3", "Night Song.mp3"),
        ("밤의 노래.mp3", "__ __.mp3", "밤의 노래.mp3"),
        ('a"; filename="evil.exe\r\nSet-Cookie: x.mp3', "a _ filename= evil.exeSet-Cookie x.mp3", None),
        ("../../etc/passwd.mp3", "etc passwd.mp3", "etc passwd.mp3"),
        ("gpj\u202e3pm.mp3", "gpj3pm.mp3", "gpj3pm.mp3"),
        ("\udc80.mp3", "melodify.mp3", "melodify.mp3"),
        ("x" * 300 + ".mp3", "x" * 100 + ".mp3", "x" * 100 + ".mp3"),
    ],
)
def test_the_name_of_a_download_is_harmless_in_every_browser(file_name: str, plain: str, whole: str | None) -> None:
    header = disposition(file_name)
    quoted, encoded = header.removeprefix('attachment; filename="').split("\"; filename*=UTF-8''")
    assert quoted == plain
    assert header.isascii()
    assert header.isprintable()
    if whole is not None:
        assert unquote(encoded) == whole


async def test_no_log_holds_a_signed_link_or_a_token(proxy: GcsProxy, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    storage = GcsStorage(
        settings_of(proxy.url, deadline_s=1.0, prefix=""), credentials=MachineCredentials(), iam=proxy.url
    )
    link = await storage.link(KEY, "song.mp3")
    proxy.fail("answer", "POST", status=403)
    with pytest.raises(Unavailable):
        await storage.link(KEY, "song.mp3")
    proxy.fail("cut before", "GET")
    with pytest.raises(Unavailable):
        await storage.load(KEY)
    assert link
    assert SIGNATURE.hex() not in repr(link)
    for secret in (SIGNATURE.hex(), "X-Goog-Signature", "secret-token"):
        assert secret not in caplog.text
    await storage.close()


# --- checks ---------------------------------------------------------------------------------------------------------


async def test_a_check_leaves_nothing_behind(storage: GcsStorage, proxy: GcsProxy) -> None:
    async def checks() -> set[str]:
        address = f"{proxy.target}/storage/v1/b/{BUCKET}/o?prefix=melody/checks"
        found = await asyncio.to_thread(requests.get, address, timeout=5)
        return {item["name"] for item in found.json().get("items", [])}

    before = await checks()
    await storage.check()
    assert [asked.split()[0] for asked in proxy.asked] == ["POST", "GET", "DELETE"]
    assert await checks() == before


@pytest.mark.parametrize(
    ("method", "status", "reason", "sentence"),
    [
        ("POST", 404, "notFound", r"^gcs\.bucket: there is no bucket"),
        ("POST", 400, "invalid", r"^gcs\.bucket: Cloud Storage does not take"),
        ("POST", 401, "authError", r"^gcs\.key_file: Google does not accept"),
        ("POST", 403, "forbidden", r"^gcs\.bucket: the credentials lack storage\.objects\.create on the bucket"),
        ("GET", 403, "forbidden", r"^gcs\.bucket: the credentials lack storage\.objects\.get on the bucket"),
        ("DELETE", 403, "forbidden", r"^gcs\.bucket: the credentials lack storage\.objects\.delete on the bucket"),
        ("POST", 403, "accessNotConfigured", r"^gcs\.project: the Cloud Storage API is disabled"),
        ("POST", 403, "billingDisabled", r"^gcs\.bucket: the project of .+ has no billing"),
    ],
)
async def test_a_check_says_which_setting_or_page_fixes_it(
    storage: GcsStorage, proxy: GcsProxy, method: str, status: int, reason: str, sentence: str
) -> None:
    proxy.fail("answer", method, status=status, reason=reason)
    with pytest.raises(Misconfigured, match=sentence) as caught:
        await storage.check()
    assert len(caught.value.problems) == 1
    assert len(proxy.asked) <= 3


async def test_a_bucket_that_is_not_there_is_named(gcs: str) -> None:
    storage = GcsStorage(settings_of(gcs, bucket="nowhere"))
    with pytest.raises(Misconfigured, match=r'^gcs\.bucket: there is no bucket "nowhere".+console\.cloud\.google\.com'):
        await storage.check()
    await storage.close()


async def test_a_name_that_no_bucket_can_have_is_named(gcs: str) -> None:
    with pytest.raises(Misconfigured, match=r'^gcs\.bucket: "-x-" is no name of a bucket'):
        await GcsStorage(settings_of(gcs, bucket="-x-")).check()


@pytest.mark.parametrize(("kind", "status"), [("answer", 503), ("answer", 429), ("stall", 0), ("cut before", 0)])
async def test_a_server_that_is_away_is_unavailable_at_the_start(
    storage: GcsStorage, proxy: GcsProxy, kind: Kind, status: int
) -> None:
    proxy.fail(kind, "POST", status=status)
    with pytest.raises(Unavailable):
        await storage.check()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, r"cannot be read \(No such file or directory\)"),
        ("{", "is not a service account key"),
        ('{"type": "authorized_user"}', "is not a service account key"),
        ('{"client_email": "a", "token_uri": "b", "private_key": "c"}', "is not a service account key"),
    ],
)
async def test_a_key_file_of_no_use_is_named(tmp_path: Path, content: str | None, sentence: str) -> None:
    path = tmp_path / "key.json"
    if content is not None:
        path.write_text(content)
    storage = GcsStorage(settings_of("https://127.0.0.1:9", key_file=path))
    with pytest.raises(Misconfigured, match=rf"^gcs\.key_file: .+key\.json {sentence}"):
        await storage.check()
    with pytest.raises(Unavailable):
        await storage.load(KEY)


async def test_a_key_that_google_has_withdrawn_is_named(tmp_path: Path, key_file: Path, proxy: GcsProxy) -> None:
    path = tmp_path / "key.json"
    path.write_text(json.dumps(json.loads(key_file.read_text()) | {"token_uri": f"{proxy.url}/token"}))
    proxy.fail("answer", "POST", status=400, reason="invalid_grant")
    storage = GcsStorage(settings_of("https://127.0.0.1:9", key_file=path))
    with pytest.raises(Misconfigured, match=r"^gcs\.key_file: Google does not accept the key in .+key\.json"):
        await storage.check()
    await storage.close()


# --- lifecycle rules ------------------------------------------------------------------------------------------------

OTHERS: list[dict[str, Any]] = [
    {"action": {"type": "Delete"}, "condition": {"age": 9, "matchesPrefix": ["melody/pictures/", "other/"]}},
    {"action": {"type": "SomethingNew"}, "condition": {"numNewerVersions": 3}},
]


def ours(pictures: int, takes: int) -> list[dict[str, Any]]:
    return [
        {"action": {"type": "Delete"}, "condition": {"age": pictures, "matchesPrefix": ["melody/pictures/"]}},
        {"action": {"type": "Delete"}, "condition": {"age": takes, "matchesPrefix": ["melody/takes/"]}},
    ]


async def test_fixing_installs_our_rules_beside_those_of_others(storage: GcsStorage, proxy: GcsProxy) -> None:
    proxy.rules = [*OTHERS, *ours(99, 7)]
    assert await storage.fix() == [
        f"Objects under gs://{BUCKET}/melody/pictures/ are now deleted after 30 days; before: after 99 days."
    ]
    assert proxy.rules == [*OTHERS, *ours(30, 7)]


async def test_fixing_twice_changes_nothing_the_second_time(storage: GcsStorage, proxy: GcsProxy) -> None:
    assert len(await storage.advice()) == 2
    assert len(await storage.fix()) == 2
    assert await storage.fix() == []
    assert await storage.advice() == []
    assert (proxy.rules, proxy.count("PATCH")) == (ours(30, 7), 1)


async def test_fixing_looks_again_when_somebody_else_has_changed_the_bucket(
    storage: GcsStorage, proxy: GcsProxy
) -> None:
    proxy.fail("answer", "PATCH", status=412, reason="conditionNotMet", times=1)
    assert len(await storage.fix()) == 2
    assert (proxy.count("GET"), proxy.count("PATCH")) == (2, 2)


async def test_credentials_that_may_not_see_the_rules_are_told_so_and_may_not_fix(
    storage: GcsStorage, proxy: GcsProxy
) -> None:
    proxy.fail("answer", "GET", status=403, reason="forbidden")
    assert [sentence for sentence in await storage.advice() if "storage.buckets.get" in sentence]
    with pytest.raises(Misconfigured, match=r"^gcs\.bucket: the credentials lack"):
        await storage.fix()


def test_importing_the_adapter_brings_nothing_of_vertex() -> None:
    code = "import sys, melodify_core.storage.gcs; print([name for name in sys.modules if 'aiplatform' in name])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
