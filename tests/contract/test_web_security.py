"""The song page under attack: paths, ids, headers, methods and requests that are none; bounds on what one may ask."""

import asyncio
import logging
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from aiohttp import ClientSession
from aiohttp import web as aiohttp_web
from multidict import CIMultiDict

from bot.ops import http
from bot.ops.http import NAME
from bot.web import responses
from bot.web.visitors import RateLimit
from melodify_core.errors import Misconfigured
from melodify_core.models import Stage
from melodify_core.pages import new_page_id
from tests.contract.web_pages import Site, serve, site_of, web_settings
from tests.loopback import logged

EVIL = "evil\x1b[31m"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with site_of(tmp_path / "files") as site:
        yield site


@pytest.fixture
async def web() -> AsyncIterator[ClientSession]:
    async with ClientSession(timeout=aiohttp.ClientTimeout(20)) as session:
        yield session


async def raw(site: Site, request: bytes) -> bytes:
    """Send bytes, and return all that comes back until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(site.url).port)
    writer.write(request)
    async with asyncio.timeout(20):
        answer = await reader.read()
    writer.close()
    return answer


async def asked(site: Site, line: str) -> tuple[int, CIMultiDict[str], bytes]:
    """Send a request line just as it is; return status, headers and body."""
    answer = await raw(site, f"{line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode("latin-1"))
    head, _, body = answer.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    return int(status.split()[1]), CIMultiDict(tuple(line.split(": ", 1)) for line in lines), body  # type: ignore[misc]


async def test_every_answer_has_the_strict_headers(site: Site) -> None:
    song, making = site.pages.add(), site.pages.add(song=None, stage=Stage.QUEUED)
    gone = site.pages.add(deleted=True)
    lines = [
        *(f"GET /s/{song}", f"HEAD /s/{song}", f"GET /s/{song}/song.mp3", f"GET /s/{song}/picture.jpg"),
        *(f"GET /s/{making}", f"GET /s/{gone}", f"GET /s/{gone}/events", f"GET /s/{new_page_id()}", "GET /", "GET /s/"),
        *(f"POST /s/{song}", "GET /oembed", f"GET /oembed?url=https://songs.example/s/{song}", "NONSENSE", "GET"),
    ]
    for line in lines:
        _, sent, _ = await asked(site, line)
        for name, value in (responses.ALWAYS | {"Server": NAME}).items():
            if name not in ("Cache-Control", "Cross-Origin-Resource-Policy"):
                assert sent.getall(name) == [value], line
        assert sent["Cross-Origin-Resource-Policy"] in ("same-origin", "cross-origin")
        assert "Strict-Transport-Security" in sent or line in ("NONSENSE", "GET")
        assert sent["Server"] == "Melodify"  # and no version
        assert "Set-Cookie" not in sent


def test_the_policy_allows_nothing_but_our_own_files() -> None:
    rules = dict(rule.split(" ", 1) for rule in responses.POLICY.split("; "))
    assert rules.pop("default-src") == "'none'"
    assert set(rules.values()) == {"'self'", "'none'"}
    assert all(rules[name] == "'none'" for name in ("base-uri", "form-action", "frame-ancestors"))


TRAVERSALS = [
    *(
        "/s/../../etc/passwd",
        "/s/%2e%2e/%2e%2e/etc/passwd",
        "/static/../app.py",
        "//etc/passwd",
        "/../../../etc/passwd",
    ),
    *("/static/000000000000/page.css", "/static/000000000000/..%2f..%2fapp.py", "/static/000000000000/../../app.py"),
    *("/s/{id}/..%2f..%2fsongs%2f1.mp3", "/s/{id}/../../songs/1.mp3", "/s/{id}/song.mp3%00.jpg", "/s/{id}/song.mp3/"),
    *("/s/{id}/SONG.MP3", "/s/{id}/.type", "/s/{id}%2fsong.mp3", "/s/{id}%0d%0aSet-Cookie:%20a=b", "/s/{id}%00"),
    *("/s/{id}/song.mp3;x", "/s\\{id}", "/s/{id}x", "/s/%s", "/s/{{id}}", "/s/'%20or%201=1--aaaaaaaaaaa", "/s/%ff%fe"),
    *("/s/" + "가".encode().decode("latin-1") * 22, "/s/" + "a" * 3000, "/songs/1.mp3", "/pictures/1.jpg", "*", "?"),
]


@pytest.mark.parametrize("path", TRAVERSALS)
async def test_no_path_leads_anywhere_else(site: Site, path: str, caplog: pytest.LogCaptureFixture) -> None:
    status, sent, body = await asked(site, f"GET {path.replace('{id}', site.pages.add())}")
    assert 400 <= status < 500
    assert "Set-Cookie" not in sent
    assert b"Traceback" not in body
    assert logged(caplog) == []


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
async def test_other_methods_are_refused_with_those_that_are_allowed(site: Site, method: str) -> None:
    for rest in ("", "/song.mp3", "/events"):
        status, sent, _ = await asked(site, f"{method} /s/{site.pages.add()}{rest}")
        assert status in (400, 405)
        assert status == 400 or {name.strip() for name in sent["Allow"].split(",")} == {"GET", "HEAD"}


@pytest.mark.parametrize(
    "sent", [b"Content-Length: 3\r\n\r\na=1", b"Transfer-Encoding: chunked\r\n\r\n3\r\na=1\r\n0\r\n\r\n"]
)
@pytest.mark.parametrize("path", ["/", "/s/{id}", "/s/{id}/notes.json", "/embed/{id}", "/oembed"])
async def test_another_method_is_refused_as_such_with_a_body_too(site: Site, path: str, sent: bytes) -> None:
    path = path.replace("{id}", site.pages.add())
    answer = await raw(site, f"POST {path} HTTP/1.1\r\nHost: x\r\n".encode() + sent)
    head = answer.partition(b"\r\n\r\n")[0]
    assert head.startswith(b"HTTP/1.1 405 ")
    assert b"\r\nAllow: GET,HEAD" in head
    assert b"\r\nConnection: close" in head


async def test_no_body_is_read_of_any_method(site: Site) -> None:
    for method, status in (("POST", b"405"), ("GET", b"413")):
        # The rest of the body never comes: it is not waited for.
        answer = await raw(site, f"{method} / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000000\r\n\r\na".encode())
        assert answer.split()[1] == status


NO_REQUESTS = [
    *(b"\r\n\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n"),
    *(b"GET / HTTP/1.1\r\nHost: x\r\nA b: c\r\n\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n: c\r\n\r\n"),
    *(b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"GET / HTTP/1.1\r\nA: b\x00c\r\n\r\n"),
    b"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: x\r\n" + b"".join(b"X%d: y\r\n" % number for number in range(200)) + b"\r\n",
    b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /" + EVIL.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n" + b"x" * 1000,
]


@pytest.mark.parametrize("request_", NO_REQUESTS, ids=range(len(NO_REQUESTS)))
async def test_what_is_no_request_is_refused_in_two_words(
    site: Site, request_: bytes, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "IDLE_S", 0.5)  # of nothing nothing can be said: then the connection is closed
    caplog.set_level(logging.INFO)
    answer = await raw(site, request_)
    assert not answer or answer.startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
    assert b"evil" not in answer
    assert b"Traceback" not in answer
    assert b"aaaa" not in answer
    assert logged(caplog) == []


@pytest.mark.parametrize(
    "request_",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nExpect: evil<b>x\r\nConnection: close\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\nevil",
        b"GET / HTTP/1.1\r\nHost: x\r\nevil evil\r\n\r\n",
        b"evil",
    ],
)
async def test_whatever_is_sent_is_counted_and_does_not_come_back(tmp_path: Path, request_: bytes) -> None:
    async with site_of(tmp_path, requests_per_minute=2) as site:
        answers = [await raw(site, request_ + b"\r\n\r\n") for _ in range(4)]
    assert [answer[:12].rpartition(b" ")[2] == b"429" for answer in answers] == [False, False, True, True]
    for answer in answers:
        assert answer.startswith(b"HTTP/1.")
        assert b"evil" not in answer
        assert answer.count(b"\r\nServer: Melodify\r\n") == 1
    assert all(b"\r\nRetry-After: " in answer for answer in answers[2:])


async def test_a_malformed_request_that_a_proxy_of_ours_passes_on_is_refused_in_two_words_too(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with site_of(tmp_path, proxies=["127.0.0.0/8"]) as site:
        assert (await raw(site, b"evil\r\n\r\n")).startswith(b"HTTP/1.0 400")
    assert logged(caplog) == []


async def test_nothing_of_a_request_comes_back_or_decides_where_links_lead(site: Site, web: ClientSession) -> None:
    page = site.page(site.pages.add())
    evil = {"Host": "evil.example", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "evil", "Origin": "evil"}
    params = {"lang": "evil\r\nSet-Cookie: a=b", "q": "<script>evil"}
    async with web.get(page, headers=evil | {"Accept-Language": "evil;q=1"}, params=params) as answer:
        assert answer.status == 200
        assert "evil" not in await answer.text()
        assert "Set-Cookie" not in answer.headers


async def test_our_own_failure_is_one_word_for_them_and_one_line_for_us(
    site: Site, web: ClientSession, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(_page_id: str) -> None:
        raise ZeroDivisionError("a bug")

    page_id = site.pages.add()
    monkeypatch.setattr(site.pages, "page", broken)
    async with web.get(site.page(page_id)) as answer:
        assert (answer.status, await answer.text()) == (500, "Error\n")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    [record] = logged(caplog)
    assert record.getMessage() == "a request failed"
    assert page_id not in record.getMessage()


# --- bounds ---------------------------------------------------------------------------------------------------------


async def statuses(web: ClientSession, url: str, count: int, **sent: str) -> list[int]:
    found = []
    for _ in range(count):
        async with web.get(url, headers={name.replace("_", "-"): value for name, value in sent.items()}) as answer:
            found.append(answer.status)
    return found


async def test_an_address_that_asks_too_much_waits_and_reads_why(tmp_path: Path, web: ClientSession) -> None:
    async with site_of(tmp_path, requests_per_minute=3) as site:
        page = site.page(site.pages.add())
        assert await statuses(web, page, 4) == [200, 200, 200, 429]
        # Who says of himself who he is, is not believed.
        assert await statuses(web, page, 1, X_Forwarded_For="198.51.100.7") == [429]
        async with web.get(page) as answer:
            assert 1 <= int(answer.headers["Retry-After"]) <= 20
            assert "Too many visits" in await answer.text()


async def test_behind_a_proxy_each_visitor_counts_alone(tmp_path: Path, web: ClientSession) -> None:
    async with site_of(tmp_path, requests_per_minute=2, proxies=["127.0.0.0/8", "10.0.0.0/8"]) as site:
        page = site.page(site.pages.add())
        assert await statuses(web, page, 3, X_Forwarded_For="198.51.100.7") == [200, 200, 429]
        assert await statuses(web, page, 1, X_Forwarded_For="198.51.100.8, 10.1.1.1") == [200]
        # The addresses before the first stranger were written by that stranger.
        assert await statuses(web, page, 2, X_Forwarded_For="192.0.2.1, 198.51.100.7") == [429, 429]
        # One household has one IPv6 network.
        assert await statuses(web, page, 2, X_Forwarded_For="2001:db8::1") == [200, 200]
        assert await statuses(web, page, 1, X_Forwarded_For="2001:db8::ffff:1") == [429]
        assert await statuses(web, page, 1, X_Forwarded_For="2001:db8:0:1::1") == [200]
        assert await statuses(web, page, 1, X_Forwarded_For="nonsense") == [200]


def test_an_allowance_fills_up_again_and_forgets_who_was_not_there_for_long() -> None:
    now = [0.0]
    limit = RateLimit(60, clock=lambda: now[0])
    for _ in range(60):
        limit.take("a")
    with pytest.raises(aiohttp_web.HTTPTooManyRequests):
        limit.take("a")
    now[0] = 1.01
    limit.take("a")
    for number in range(30_000):
        limit.take(f"other{number}")
    assert limit._full_at.cache_info().currsize <= 20_000


async def test_a_connection_that_says_nothing_or_too_slowly_is_closed(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "IDLE_S", 0.3)
    assert await raw(site, b"") == b""
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(site.url).port)
    reading = asyncio.create_task(reader.read())
    began, sent = time.monotonic(), 0
    while not reading.done():
        writer.write(b"GET / HTTP/1.1\r\n" if not sent else b"X: y\r\n")
        sent += 1
        await asyncio.sleep(0.05)
        assert time.monotonic() - began < 10
    writer.close()


Line = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def opened(site: Site, count: int, sent: bytes = b"", address: str = "127.0.0.1") -> list[Line]:
    """Open connections from the address, and send the bytes on each; a request waits for its answer's first line."""
    lines = []
    for _ in range(count):
        port = urlsplit(site.url).port
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
        writer.write(sent)
        if sent.endswith(b"\r\n\r\n"):
            assert (await reader.readline()).startswith(b"HTTP/1.1 ")
        lines.append((reader, writer))
    await asyncio.sleep(0.1)
    return lines


def following(site: Site) -> bytes:
    """Return a request that is answered as long as its song is made."""
    page_id = site.pages.add(song=None, stage=Stage.COMPOSING)
    return f"GET /s/{page_id}/events HTTP/1.1\r\nHost: x\r\n\r\n".encode()


async def test_there_is_a_bound_on_connections(tmp_path: Path, web: ClientSession) -> None:
    async with site_of(tmp_path, connections=3) as site:
        held = await opened(site, 3, following(site))
        assert await raw(site, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == b""
        for _, writer in held:
            writer.close()
        await asyncio.sleep(0.1)
        assert await statuses(web, site.page(site.pages.add()), 1) == [200]


UNKNOWN = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nX: y\r\n", UNKNOWN], ids=["silent", "half a head", "idle"])
@pytest.mark.parametrize("addresses", [4, 40])
async def test_connections_that_wait_for_their_visitors_keep_nobody_out(
    tmp_path: Path, web: ClientSession, addresses: int, sent: bytes
) -> None:
    async with site_of(tmp_path, connections=64) as site:
        held: list[Line] = []
        for number in range(addresses):
            held += await opened(site, 64 // min(addresses, 32), sent, f"127.0.1.{number + 1}")
        async with asyncio.timeout(5):
            assert await statuses(web, site.page(site.pages.add()), 1) == [200]
        for _, writer in held:
            writer.close()


async def test_visitors_who_take_nothing_keep_nobody_out(tmp_path: Path, web: ClientSession) -> None:
    async with site_of(tmp_path, connections=2) as site:
        await site.storage.save("songs/1.mp3", bytes(20_000_000), "audio/mpeg")
        page_id = site.pages.add()
        held = await opened(site, 2, f"GET /s/{page_id}/song.mp3 HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert await statuses(web, site.page(page_id), 1) == [200]
        for _, writer in held:
            writer.close()


async def test_of_one_address_few_connections_wait_for_a_request_and_the_oldest_gives_way(site: Site) -> None:
    held = await opened(site, 40)
    assert [reader.at_eof() for reader, _ in held] == [True] * 24 + [False] * 16
    for reader, writer in held[-16:]:
        writer.write(UNKNOWN)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
    for _, writer in held:
        writer.close()


async def test_a_connection_that_is_answered_does_not_give_way(site: Site) -> None:
    [(reader, writer)] = busy = await opened(site, 1, following(site))
    held = await opened(site, 40)
    site.pages.stages.put_nowait(Stage.DONE)
    async with asyncio.timeout(5):
        assert b"event: end" in await reader.readuntil(b"event: end")
    # The next request on it waits for the visitor again.
    held += await opened(site, 40)
    async with asyncio.timeout(5):
        await reader.read()
    for _, writer in [*busy, *held]:
        writer.close()


async def test_one_address_gets_a_share_of_the_connections(tmp_path: Path, web: ClientSession) -> None:
    async with site_of(tmp_path, connections=64, streams_per_address=16) as site:
        port = urlsplit(site.url).port
        held = await opened(site, 16, following(site))
        assert await raw(site, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n") == b""
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0))
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        for _, other in [*held, (reader, writer)]:
            other.close()
        await asyncio.sleep(0.1)
        assert await statuses(web, site.page(site.pages.add()), 1) == [200]


async def test_a_proxy_of_ours_may_have_all_connections(tmp_path: Path, web: ClientSession) -> None:
    async with site_of(tmp_path, connections=64, proxies=["127.0.0.0/8"]) as site:
        held = await opened(site, 63)
        assert await statuses(web, site.page(site.pages.add()), 1) == [200]
        assert not any(reader.at_eof() for reader, _ in held)
        # Beyond that, they give way to one another as others do.
        held += await opened(site, 64)
        assert (await statuses(web, site.page(site.pages.add()), 1)) == [200]
        for _, writer in held:
            writer.close()


FIELD = b"X: " + b"a" * 8000 + b"\r\n"


@pytest.mark.parametrize("pause_s", [0, 0.01], ids=["at once", "in pieces"])
async def test_a_head_has_a_bound_in_all(site: Site, pause_s: float) -> None:
    start = f"GET /s/{site.pages.add()} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode()
    assert (await raw(site, start + FIELD + b"\r\n")).startswith(b"HTTP/1.1 200")
    assert (await raw(site, start + 3 * FIELD + b"\r\n")).startswith(b"HTTP/1.0 400")
    with suppress(ConnectionResetError):  # which may overtake the answer
        assert (await raw(site, start + 60 * FIELD + b"\r\n")).startswith(b"HTTP/1.0 400")
    # It is broken off where it becomes too long, not where it ends.
    reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(site.url).port)
    writer.write(start)
    for _ in range(3):
        writer.write(FIELD)
        await asyncio.sleep(pause_s)
    async with asyncio.timeout(5):
        assert (await reader.read()).startswith(b"HTTP/1.0 400")
    writer.close()


async def test_requests_one_behind_the_other_are_no_long_head(site: Site) -> None:
    line = f"GET /s/{site.pages.add()} HTTP/1.1\r\nHost: x\r\n".encode()
    field = b"X: " + b"a" * 1000 + b"\r\n"
    answer = await raw(site, 12 * (line + field + b"\r\n") + line + b"Connection: close\r\n\r\n")
    assert answer.count(b"HTTP/1.1 200") == 13


async def test_whoever_asks_and_asks_and_takes_no_answer_is_hung_up_on(tmp_path: Path) -> None:
    async with site_of(tmp_path, stall_s=0.3) as site:
        _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(site.url).port, limit=1024)
        line = f"GET /s/{site.pages.add()} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        async with asyncio.timeout(15):
            with suppress(ConnectionError):
                while not writer.is_closing():
                    writer.write(100 * line)
                    await writer.drain()
        writer.close()


async def test_an_unknown_id_takes_as_long_whatever_it_shares_with_a_known_one(site: Site, web: ClientSession) -> None:
    known = site.pages.add()
    other = "A" if known[-1] != "A" else "Q"
    private = [site.pages.add(private=True) for _ in range(200)]
    kinds = {
        "random": [new_page_id() for _ in range(200)],
        "alike": [known[:18] + new_page_id()[:3] + other for _ in range(200)],
        "private": private,
    }
    times: dict[str, list[float]] = {kind: [] for kind in kinds}
    for ids in zip(*kinds.values(), strict=True):
        for kind, page_id in zip(kinds, ids, strict=True):
            began = time.perf_counter()
            async with web.get(site.page(page_id)) as answer:
                assert answer.status == 404
                await answer.read()
            times[kind].append(time.perf_counter() - began)
    medians = {kind: statistics.median(values) for kind, values in times.items()}
    print(", ".join(f"{kind} {1000 * median:.2f} ms" for kind, median in medians.items()))
    assert max(medians.values()) < 1.5 * min(medians.values())


async def test_a_port_in_use_is_a_sentence(site: Site) -> None:
    port = urlsplit(site.url).port
    with pytest.raises(Misconfigured, match=rf"web\.port: 127\.0\.0\.1, port {port} cannot be listened on \(.*\): set"):
        async with serve(site.pages, site.storage, web_settings(port=port)):
            pass
