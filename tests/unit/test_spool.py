"""The place on this machine's disk where a paid take lies until the storage has it."""

import os
import stat
import time
from pathlib import Path

import pytest

from melodify_core.models import RawTake
from melodify_core.storage.spool import Spool

TAKE = RawTake(
    b"sound", "audio/wav", bpm=90, key="E", mode="minor", instruments=("organ", "harp"), midi=b"MThd", meter="3/4"
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "spool"


def test_a_take_comes_back_whole_also_to_another_process(folder: Path) -> None:
    Spool(folder).put("17", TAKE)
    assert Spool(folder).get("17") == TAKE
    assert Spool(folder).get("18") is None


def test_nobody_else_on_the_machine_reads_it(folder: Path) -> None:
    Spool(folder).put("17", TAKE)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert modes == {0o700, 0o600}


@pytest.mark.parametrize("part", ["audio", "json"])
def test_a_take_that_is_not_whole_is_none(folder: Path, part: str) -> None:
    Spool(folder).put("17", TAKE)
    (folder / f"17.{part}").unlink()
    assert Spool(folder).get("17") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"instruments": [], "audio": null, "cost": 1}'])
def test_a_description_that_is_damaged_is_no_take(folder: Path, text: str) -> None:
    Spool(folder).put("17", TAKE)
    (folder / "17.json").write_text(text)
    assert Spool(folder).get("17") is None


def test_a_take_that_the_storage_has_leaves_nothing(folder: Path) -> None:
    spool = Spool(folder)
    spool.put("17", TAKE)
    spool.put("18", TAKE)
    spool.drop("17")
    spool.drop("17")
    assert {path.stem for path in folder.iterdir()} == {"18"}
    assert spool.get("18") == TAKE


def test_what_is_old_is_listed_by_its_job(folder: Path) -> None:
    spool, now = Spool(folder), time.time()
    assert spool.older(now) == {}
    spool.put("17", TAKE)
    spool.put("18", TAKE)
    (folder / ".17.json.1.2").write_bytes(b"cut off")
    for path in (*folder.glob("17.*"), folder / ".17.json.1.2"):
        os.utime(path, (now - 100, now - 100))
    older = spool.older(now - 50)
    assert {job_id: len(paths) for job_id, paths in older.items()} == {"17": 3, "": 1}


def test_a_disk_that_takes_nothing_costs_no_job(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    spool = Spool(tmp_path / "file" / "spool")
    spool.put("17", TAKE)
    assert "job 17: its take is in memory only" in caplog.text
    assert spool.get("17") is None
    spool.drop("17")
    assert "job 17: its take stays on this disk" in caplog.text


def test_an_id_that_is_a_path_leads_nowhere(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"\.\./17"):
        Spool(folder).put("../17", TAKE)
    assert Spool(folder).get("../17") is None
    assert list(folder.parent.rglob("*17*")) == []
