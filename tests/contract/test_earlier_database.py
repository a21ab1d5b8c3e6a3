"""This program finishes what an earlier one left in its database.

Commit 7b42462 was killed with two finished songs, one that waited to be posted, two in the making and six that waited.
database_7b42462.sql is what sqlite3's `iterdump` said of its file.
"""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from melodify_core.bootstrap import open_services
from melodify_core.config.settings import Settings
from melodify_core.models import Job, Link, Posted, Song
from melodify_core.providers import Providers
from melodify_core.storage.folder import FolderStorage
from melodify_core.storage.layout import picture_key, song_key
from tests.fakes import RecordingDelivery
from tests.pictures import sunset
from tests.process.crash_worker import SOUND, Player, Reader, Threads

DUMP = Path(__file__).with_name("database_7b42462.sql")
FINISHED, NOT_POSTED, RUNNING = ["2", "3"], "1", ["4", "5"]
WAITING = ["6", "7", "9", "10", "11", "12"]
OPEN = [NOT_POSTED, *RUNNING, *WAITING]


class Posting(RecordingDelivery):
    """Counts what is posted for each job."""

    async def deliver(self, job: Job, song: Song, audio: bytes | Link, picture: bytes) -> Posted:
        assert song.job_id == job.job_id
        assert (job.place.guild_id, job.place.status_id) == (20, 5)
        return await super().deliver(job, song, audio, picture)


async def test_every_job_of_an_earlier_program_is_finished_and_its_songs_are_still_listed(tmp_path: Path) -> None:
    path, log, storage = tmp_path / "melodify.db", tmp_path / "calls.log", FolderStorage(tmp_path / "files")
    log.touch()
    with closing(sqlite3.connect(path)) as database:
        database.executescript(DUMP.read_text())
    for job_id in FINISHED + OPEN:
        await storage.save(picture_key(job_id), sunset(), "image/jpeg")
    for job_id in [NOT_POSTED, *FINISHED]:
        await storage.save(song_key(job_id), SOUND, "audio/mpeg")
    tables = {"database": {"url": f"sqlite:///{path}"}, "folder": {"path": str(tmp_path / "files")}}
    settings = Settings.model_validate({**tables, "work": {"poll_s": 0.1}})
    providers = Providers(Reader(log), Player(log), storage)
    delivery = Posting()
    async with open_services(settings, delivery, Threads(), providers=providers) as services:
        await services.studio.idle(90)
        lists = await asyncio.gather(*(services.members.own_songs(int(each), "newest", 0) for each in FINISHED + OPEN))
    assert sorted(song.job_id for song in delivery.songs) == sorted(OPEN)
    assert delivery.apologies == []
    assert [page.total for page in lists] == [1] * len(FINISHED + OPEN)
    with closing(sqlite3.connect(path)) as database:
        states = dict(database.execute("SELECT job_id, state FROM usage"))
        paid = dict(database.execute("SELECT job_id, count(*) FROM costs WHERE provider = 'player' GROUP BY job_id"))
    assert states == dict.fromkeys(FINISHED + OPEN, "charged")
    # What was in the making is paid again where the kill left no take; nothing else is.
    assert {job_id: times for job_id, times in paid.items() if job_id not in RUNNING} == dict.fromkeys(
        [*FINISHED, NOT_POSTED, *WAITING], 1
    )
