import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa

from melodify_core.config.settings import Work
from melodify_core.errors import MelodifyError, Misconfigured, Rejected, Unavailable
from melodify_core.jobs.context import Nothing, Step
from melodify_core.jobs.engine import Engine, JobHandler
from melodify_core.jobs.paid_calls import UnrepeatableCalls
from melodify_core.jobs.workers import only_process
from melodify_core.library import Library, connect
from melodify_core.models import Job, PendingPost, Stage
from melodify_core.observability.log_context import LogContext, current
from tests.jobs import a_job, a_song

WORK = Work(poll_s=0.05)


@dataclass
class Diary:
    """A job of two steps that writes down what it does."""

    lines: list[str] = field(default_factory=list)
    second: Callable[[Job], Awaitable[None]] | None = None
    tries: int = 1
    errors: list[MelodifyError] = field(default_factory=list)

    def handler(self) -> JobHandler:
        return JobHandler(self.make, self.post, self.fail_unreadable)

    async def post(self, pending: PendingPost, step: Step) -> None:
        await step.pause(0.01)
        self.lines.append(f"{pending.job.job_id} posted")

    async def fail_unreadable(self, job_id: str) -> None:
        self.lines.append(f"{job_id} buried")

    async def make(self, job: Job, step: Step) -> None:
        async def first() -> Nothing:
            self.lines.append(f"{job.job_id} first")
            return Nothing()

        async def second() -> Nothing:
            self.lines.append(f"{job.job_id} second")
            if self.second is not None:
                await self.second(job)
            return Nothing()

        await step("first", Nothing, first)
        try:
            await step("second", Nothing, second, tries=self.tries)
        except MelodifyError as error:
            self.errors.append(error)
        self.lines.append(f"{job.job_id} end")

    async def wait_for(self, line: str) -> None:
        async with asyncio.timeout(20):
            while line not in self.lines:
                await asyncio.sleep(0.02)


@dataclass(frozen=True)
class Queueing:
    """Queues jobs as the studio does."""

    library: Library
    engine: Engine

    def __call__(self, job: Job) -> None:
        with self.library.transaction() as connection:
            self.engine.enqueue(connection, job, self.library.reserve(connection, job, time.time()))


@asynccontextmanager
async def engine_on(folder: Path, diary: Diary, work: Work = WORK, drain_s: float = 5.0) -> AsyncIterator["Queueing"]:
    database = connect(f"sqlite:///{folder}/melodify.db")
    library = Library(database)
    library.create_schema()
    engine = Engine(database, work)

    enqueue = Queueing(library, engine)

    await engine.launch(diary.handler())
    try:
        yield enqueue
    finally:
        await engine.drain(drain_s)
        database.dispose()


async def test_a_queued_job_runs_its_steps_in_order(tmp_path: Path) -> None:
    diary = Diary()
    async with engine_on(tmp_path, diary) as enqueue:
        enqueue(a_job("1"))
        await diary.wait_for("1 end")
    assert diary.lines == ["1 first", "1 second", "1 end"]


async def test_what_is_done_for_a_job_and_for_its_late_post_is_logged_as_the_job_s(tmp_path: Path) -> None:
    contexts: list[LogContext | None] = []

    class Late(Diary):
        async def make(self, job: Job, step: Step) -> None:
            contexts.append(current.get())
            await step.defer_post(PendingPost(job=job, song=a_song(job.job_id)))

        async def post(self, pending: PendingPost, step: Step) -> None:
            contexts.append(current.get())
            await super().post(pending, step)

    diary = Late()
    async with engine_on(tmp_path, diary) as enqueue:
        enqueue(a_job("1"))
        await diary.wait_for("1 posted")
    assert contexts == [LogContext("1", 20, Stage.QUEUED), LogContext("1", 20, Stage.DELIVERING)]
    assert current.get() is None


async def test_whoever_cancels_a_song_that_waits_to_be_posted_ends_the_wait(tmp_path: Path) -> None:
    class Waiting(Diary):
        async def make(self, job: Job, step: Step) -> None:
            await step.defer_post(PendingPost(job=job, song=a_song(job.job_id)))
            self.lines.append("handed over")

        async def post(self, pending: PendingPost, step: Step) -> None:
            self.lines.append(f"{pending.job.job_id} waits")
            await step.pause(600)
            await super().post(pending, step)

    diary = Waiting()
    async with engine_on(tmp_path, diary) as enqueue:
        enqueue(a_job("1"))
        await diary.wait_for("1 waits")
        assert enqueue.engine.active == {"1"}
        enqueue.engine.interrupt("1")
        await diary.wait_for("1 posted")
        assert enqueue.engine.active <= {"1"}


async def test_a_song_that_is_given_up_late_is_apologised_for(tmp_path: Path) -> None:
    class Late(Diary):
        async def make(self, job: Job, step: Step) -> None:
            await step.defer_post(PendingPost(job=job, song=a_song(job.job_id)))

        async def post(self, pending: PendingPost, step: Step) -> None:
            if pending.song is None:
                self.lines.append("apologised")
                return
            assert await step.defer_post(PendingPost(job=pending.job, error={"code": "discord.unavailable"}))
            self.lines.append("given up")

    diary = Late()
    async with engine_on(tmp_path, diary) as enqueue:
        enqueue(a_job("1"))
        await diary.wait_for("apologised")
        assert "given up" in diary.lines
        assert await enqueue.engine.dead(["1"]) <= {"1"}


async def test_an_interrupted_job_goes_on_at_the_next_launch_without_repeating_recorded_steps(tmp_path: Path) -> None:
    async def for_ever(_job: Job) -> None:
        await asyncio.sleep(3600)

    before = Diary(second=for_ever)
    async with engine_on(tmp_path, before, drain_s=0.0) as enqueue:
        enqueue(a_job("1"))
        await before.wait_for("1 second")
    assert before.lines == ["1 first", "1 second"]
    after = Diary()
    async with engine_on(tmp_path, after):
        await after.wait_for("1 end")
    assert after.lines == ["1 second", "1 end"]


async def test_a_job_that_goes_on_knows_which_steps_were_recorded_before(tmp_path: Path) -> None:
    class Curious(Diary):
        async def make(self, job: Job, step: Step) -> None:
            self.lines.append(f"recorded {sorted(await step.recorded())}")
            await super().make(job, step)

    async def for_ever(_job: Job) -> None:
        await asyncio.sleep(3600)

    before = Curious(second=for_ever)
    async with engine_on(tmp_path, before, drain_s=0.0) as enqueue:
        enqueue(a_job("1"))
        await before.wait_for("1 second")
    after = Curious()
    async with engine_on(tmp_path, after):
        await after.wait_for("1 end")
    assert (before.lines[0], after.lines) == ("recorded []", ["recorded ['first']", "1 second", "1 end"])


async def test_interrupted_jobs_go_on_however_slow_the_database_is_to_connect_to(tmp_path: Path) -> None:
    async def for_ever(_job: Job) -> None:
        await asyncio.sleep(3600)

    before, after = Diary(second=for_ever), Diary()
    names = [str(number) for number in range(1, 9)]
    async with engine_on(tmp_path, before, drain_s=0.0) as enqueue:
        for name in names:
            enqueue(a_job(name))
        for name in names:
            await before.wait_for(f"{name} second")
    database, jobs = (connect(f"sqlite:///{tmp_path}/melodify.db") for _ in range(2))
    sa.event.listen(database, "engine_connect", lambda *_: time.sleep(0.7))
    engine = Engine(database, WORK, "local", jobs)
    await engine.launch(after.handler())
    try:
        for name in names:
            await after.wait_for(f"{name} end")
        assert await engine.dead(names) == set(names)  # ended, not failed
        assert "ERROR" not in {each.status for each in await engine._open_client.list_workflows_async()}
    finally:
        await engine.drain(5)
        database.dispose()
        jobs.dispose()


async def test_what_was_taken_off_the_queue_and_never_begun_is_queued_again(tmp_path: Path) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def waits(job: Job) -> None:
        if job.job_id == "1":
            begun.set()
            await go_on.wait()

    diary = Diary(second=waits)
    async with engine_on(tmp_path, diary, Work(poll_s=0.05, jobs=1)) as enqueue:
        enqueue(a_job("1"))
        await begun.wait()
        enqueue(a_job("2"))
        # What is left when the answer to the taking is lost.
        state = "SET status = 'PENDING', executor_id = 'local'"
        taken = sa.text(f"UPDATE workflow_status {state} WHERE workflow_uuid = '2'")
        with enqueue.library.transaction() as connection:
            assert connection.execute(taken).rowcount == 1
        assert await enqueue.engine.requeue_unstarted() == 0
        go_on.set()
        await diary.wait_for("1 end")
        await asyncio.sleep(0.5)
        assert "2 first" not in diary.lines
        assert await enqueue.engine.requeue_unstarted() == 1
        await diary.wait_for("2 end")
        assert await enqueue.engine.requeue_unstarted() == 0
    assert diary.lines == ["1 first", "1 second", "1 end", "2 first", "2 second", "2 end"]


async def test_a_drain_lets_running_jobs_end(tmp_path: Path) -> None:
    async def a_moment(_job: Job) -> None:
        await asyncio.sleep(0.3)

    diary = Diary(second=a_moment)
    async with engine_on(tmp_path, diary) as enqueue:
        enqueue(a_job("1"))
        await diary.wait_for("1 second")
    assert diary.lines[-1] == "1 end"


async def test_a_drain_waits_longer_for_a_paid_call_that_cannot_be_asked_for_again(tmp_path: Path) -> None:
    unrepeatable, answered = UnrepeatableCalls(), asyncio.Event()

    async def pay(job: Job) -> None:
        with unrepeatable.until_recorded(job.job_id):
            unrepeatable.begin(job.job_id)
            await asyncio.sleep(0.8)
            answered.set()

    diary = Diary(second=pay)
    async with engine_on(tmp_path, diary) as enqueue:
        enqueue(a_job("1"))
        await diary.wait_for("1 second")
        await enqueue.engine.drain(0.2, unrepeatable, 5.0)
        assert answered.is_set()
        with pytest.raises(asyncio.CancelledError):
            unrepeatable.begin("2")


@pytest.mark.parametrize("paid_s", [0.0, 0.4])
async def test_a_drain_waits_for_a_paid_call_no_longer_than_it_may_take(tmp_path: Path, paid_s: float) -> None:
    unrepeatable = UnrepeatableCalls()

    async def pay(job: Job) -> None:
        with unrepeatable.until_recorded(job.job_id):
            unrepeatable.begin(job.job_id)
            await asyncio.sleep(3600)

    diary = Diary(second=pay)
    async with engine_on(tmp_path, diary) as enqueue:
        enqueue(a_job("1"))
        await diary.wait_for("1 second")
        began = time.monotonic()
        await enqueue.engine.drain(0.1, unrepeatable, paid_s)
        assert max(paid_s, 0.1) <= time.monotonic() - began < 60  # the call itself would take an hour


async def test_a_paid_call_that_would_begin_during_a_drain_begins_at_the_next_start(tmp_path: Path) -> None:
    unrepeatable, arrived, go_on = UnrepeatableCalls(), asyncio.Event(), asyncio.Event()
    paid: list[str] = []

    async def pay(job: Job) -> None:
        arrived.set()
        await go_on.wait()
        with unrepeatable.until_recorded(job.job_id):
            unrepeatable.begin(job.job_id)
            paid.append(job.job_id)

    async with engine_on(tmp_path, Diary(second=pay)) as enqueue:
        enqueue(a_job("1"))
        await arrived.wait()
        draining = asyncio.create_task(enqueue.engine.drain(20.0, unrepeatable, 20.0))
        await asyncio.sleep(0.1)
        go_on.set()
        async with asyncio.timeout(10):
            await draining
    assert paid == []
    unrepeatable = UnrepeatableCalls()
    diary = Diary(second=pay)
    async with engine_on(tmp_path, diary):
        await diary.wait_for("1 end")
    assert paid == ["1"]
    assert diary.errors == []


async def test_our_errors_keep_their_kind_through_the_record(tmp_path: Path) -> None:
    async def refuse(_job: Job) -> None:
        raise Rejected("discord.forbidden")

    diary = Diary(second=refuse)
    async with engine_on(tmp_path, diary) as enqueue:
        enqueue(a_job("1"))
        await diary.wait_for("1 end")
    (error,) = diary.errors
    assert isinstance(error, Rejected)
    assert error.code == "discord.forbidden"


async def test_what_is_away_for_a_moment_is_tried_again_and_what_is_rejected_is_not(tmp_path: Path) -> None:
    calls: list[str] = []

    async def away_once(job: Job) -> None:
        calls.append(job.job_id)
        if calls == ["1"]:
            raise Unavailable("discord.unavailable")
        if job.job_id == "2":
            raise Rejected("discord.forbidden")

    diary = Diary(second=away_once, tries=2)
    async with engine_on(tmp_path, diary) as enqueue:
        enqueue(a_job("1"))
        await diary.wait_for("1 end")
        enqueue(a_job("2"))
        await diary.wait_for("2 end")
    assert calls == ["1", "1", "2"]


async def test_one_member_s_fifty_orders_do_not_delay_another_s_first(tmp_path: Path) -> None:
    async def slow(_job: Job) -> None:
        await asyncio.sleep(0.05)

    diary = Diary(second=slow)
    async with engine_on(tmp_path, diary, Work(poll_s=0.05, jobs=1)) as enqueue:
        for number in range(50):
            enqueue(a_job(f"a{number}", 1))
        await diary.wait_for("a0 first")
        enqueue(a_job("b", 2))
        await diary.wait_for("b end")
        ended = [line for line in diary.lines if line.startswith("a") and line.endswith(" end")]
    # The one that ran, and one that started while the order was written.
    assert len(ended) <= 2


async def test_second_songs_wait_for_first_ones_and_equals_keep_their_order(tmp_path: Path) -> None:
    diary = Diary()
    async with engine_on(tmp_path, diary, Work(poll_s=0.05, jobs=1)) as enqueue:
        for job_id, user_id in (("a1", 1), ("a2", 1), ("b1", 2), ("c1", 3), ("b2", 2)):
            enqueue(a_job(job_id, user_id))
        await diary.wait_for("b2 end")
    order = [line.split()[0] for line in diary.lines if line.endswith(" end")]
    assert order.index("a2") > order.index("c1")
    assert order.index("b1") < order.index("c1")


def test_a_second_process_on_one_database_is_told_so(tmp_path: Path) -> None:
    lock = tmp_path / "melodify.lock"
    with only_process(lock), pytest.raises(Misconfigured, match="Another Melodify process"), only_process(lock):
        pass
    with only_process(lock):
        pass
