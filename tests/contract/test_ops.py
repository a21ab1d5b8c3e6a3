"""Health, metrics and traces, asked over real loopback connections."""

import asyncio
import json
import socket
import time
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bot.ops.server import operating
from melodify_core.config.settings import Ops
from melodify_core.errors import Misconfigured, Refused, Unavailable
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.observability import health as health_module
from melodify_core.observability.health import Health
from melodify_core.observability.log_context import trace_job
from melodify_core.observability.tracing import LAST_S, exporting, trace_id_of
from tests.fakes import SongBench
from tests.jobs import a_job
from tests.loopback import fetched, free_port, logged, value


async def test_a_process_is_ready_when_all_its_parts_are_well() -> None:
    health, port = Health(), free_port()
    sick = False

    async def database() -> None:
        if sick:
            raise Unavailable("database.unavailable")

    health.add("database", database, every_s=0)
    async with operating(Ops(port=port), health):
        assert await fetched(port, "/livez") == (200, "live\n")
        assert await fetched(port, "/readyz") == (200, "database: well\n")
        sick = True
        assert await fetched(port, "/readyz") == (503, "database: not well\n")
        assert (await fetched(port, "/livez"))[0] == 200
        assert (await fetched(port, "/elsewhere"))[0] == 404


@pytest.mark.parametrize("request_line", [b"GET /x\x1b[31m HTTP/1.1", b"\x16\x03\x01evil", b"GET / HTTP/9.9", b"evil"])
async def test_what_is_no_request_is_neither_logged_nor_sent_back(
    request_line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    port = free_port()
    async with operating(Ops(port=port), Health()):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request_line + b"\r\nHost: h\r\nConnection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.")
    assert answer.split()[1] in (b"400", b"404")
    assert b"Server: Melodify\r\n" in answer
    assert not [word for word in (b"Python", b"aiohttp", b"\x1b", b"evil") if word in answer]
    assert logged(caplog) == []


async def test_an_expectation_is_not_sent_back() -> None:
    port = free_port()
    async with operating(Ops(port=port), Health()):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /livez HTTP/1.1\r\nHost: h\r\nExpect: evil\r\nConnection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"evil" not in answer


async def test_a_head_has_a_bound_in_all() -> None:
    port = free_port()
    async with operating(Ops(port=port), Health()):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /livez HTTP/1.1\r\nHost: h\r\n" + 3 * (b"X: " + b"a" * 8000 + b"\r\n") + b"\r\n")
        answer = await asyncio.wait_for(reader.read(), 10)
        writer.close()
    assert answer.startswith(b"HTTP/1.0 400")


async def test_half_open_connections_keep_nobody_out() -> None:
    port = free_port()
    async with operating(Ops(port=port), Health()):
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(300)]
        for _, writer in held[::2]:
            writer.write(b"GET /livez HTTP/1.1\r\nX: y\r\n")
        async with asyncio.timeout(5):
            assert await fetched(port, "/livez") == (200, "live\n")
        for _, writer in held:
            writer.close()


async def test_every_answer_says_the_same_about_itself() -> None:
    port = free_port()
    async with operating(Ops(port=port), Health()), aiohttp.ClientSession() as session:
        for method, path, status in (
            ("GET", "/livez", 200),
            ("HEAD", "/livez", 200),
            ("GET", "/readyz", 200),
            ("GET", "/metrics", 200),
            ("GET", "/elsewhere", 404),
            ("POST", "/metrics", 405),
        ):
            async with session.request(method, f"http://127.0.0.1:{port}{path}") as answer:
                assert answer.status == status
                assert answer.headers["Server"] == "Melodify"
                assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_nothing_listens_without_a_port_and_a_taken_one_is_a_sentence() -> None:
    async with operating(Ops(), Health()):
        pass
    port = free_port()
    async with operating(Ops(port=port), Health()):
        with pytest.raises(Misconfigured, match=rf"ops\.port: 127\.0\.0\.1:{port} cannot be used"):
            async with operating(Ops(port=port), Health()):
                pass


async def test_a_question_with_a_defect_is_a_bad_answer_and_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    health, port = Health(), free_port()

    async def gateway() -> None:
        raise RuntimeError("a bug")

    health.add("gateway", gateway, every_s=0)
    async with operating(Ops(port=port), health):
        for _ in range(3):
            assert await fetched(port, "/readyz") == (503, "gateway: not well\n")
        assert (await fetched(port, "/metrics"))[0] == 200
    [record] = logged(caplog)
    assert record.exc_info is not None


async def test_a_part_that_hangs_is_not_well_and_is_asked_once_by_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_module, "TIMEOUT_S", 0.05)
    asked = 0

    async def storage() -> None:
        nonlocal asked
        asked += 1
        await asyncio.sleep(60)

    health = Health()
    health.add("storage", storage)
    states = await asyncio.gather(*(health.state() for _ in range(20)))
    assert states == [{"storage": False}] * 20
    assert asked == 1


async def test_a_song_is_counted_with_its_stages_its_providers_and_what_they_were_paid(
    tmp_path: Path, pool: WorkerPool
) -> None:
    port = free_port()
    async with operating(Ops(port=port), Health()):
        before = (await fetched(port, "/metrics"))[1]
        bench = SongBench(tmp_path, pool)
        await bench.run()
        bench.player.error = Refused("music.blocked")
        await bench.run()
        after = (await fetched(port, "/metrics"))[1]

    def grown(name: str, **labels: str) -> float:
        return value(after, name, **labels) - value(before, name, **labels)

    assert grown("melodify_jobs_ended_total", stage="delivering", outcome="song") == 1
    assert grown("melodify_jobs_ended_total", stage="composing", outcome="music.blocked") == 1
    assert grown("melodify_stage_seconds_count", stage="looking") == 2
    assert grown("melodify_stage_seconds_count", stage="composing") == 1
    assert grown("melodify_provider_seconds_count", provider="player") == 1
    assert grown("melodify_provider_errors_total", provider="player", code="music.blocked") == 1
    assert grown("melodify_dollars_total", provider="player") == pytest.approx(1.0)
    assert value(after, "process_resident_memory_bytes") > 0


async def test_a_job_is_one_trace_with_a_span_for_each_stage(tmp_path: Path, pool: WorkerPool) -> None:
    received: list[ExportTraceServiceRequest] = []

    async def collect(request: web.Request) -> web.Response:
        received.append(ExportTraceServiceRequest.FromString(await request.read()))
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", collect)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    bench = SongBench(tmp_path, pool)
    with_trace = exporting(f"http://127.0.0.1:{port}/v1/traces")
    with_trace.__enter__()
    try:
        await bench.run()
        bench.player.error = Refused("music.blocked")
        await bench.run()
    finally:
        # The exporter waits for the answer in the thread that ends it: here that must not be the server's.
        await asyncio.to_thread(with_trace.__exit__, None, None, None)
        await runner.cleanup()
    spans = [
        span
        for batch in received
        for part in batch.resource_spans
        for scope in part.scope_spans
        for span in scope.spans
    ]
    stages = ["looking", "composing", "mastering", "delivering", "job"]
    assert [span.name for span in spans] == [*stages, "looking", "composing", "job"]
    assert {int.from_bytes(span.trace_id) for span in spans} == {trace_id_of("1")}
    jobs = [span.span_id for span in spans if span.name == "job"]
    assert [span.parent_span_id for span in spans if span.name != "job"] == [jobs[0]] * 4 + [jobs[1]] * 2
    assert [span.status.message for span in spans if span.status.code == 2] == ["music.blocked"]
    assert "sunset" not in json.dumps([str(span) for span in spans])


def test_an_endpoint_that_hangs_does_not_hold_up_the_end(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with exporting(f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"), trace_job(a_job("1")):
            pass
        took_s = time.monotonic() - began
    assert LAST_S <= took_s < LAST_S + 30  # without a bound it would be for ever
    assert "the last spans could not be exported within 2 s: they are dropped" in caplog.messages
