"""How long it is remembered why a video could not be made."""

import pytest

from melodify_core.errors import MelodifyError, Rejected, Unavailable
from melodify_core.services.video_failures import VideoFailures


def failed(failures: VideoFailures, error: MelodifyError, job_id: str = "1") -> None:
    with pytest.raises(type(error)), failures.remember(job_id, 10):
        raise error


@pytest.mark.parametrize(
    ("error", "seconds"),
    [
        (Rejected("song.too_large", limit_mb=10.0), 3600),
        (Unavailable("provider.too_slow"), 600),
        (Unavailable("internal"), 600),
        (Unavailable("storage.unavailable"), 30),
        (Unavailable("database.unavailable"), 0),
        (Rejected("song.gone"), 0),
    ],
    ids=lambda value: str(value).split()[0],
)
def test_a_failure_is_remembered_as_long_as_it_lasts(error: MelodifyError, seconds: int) -> None:
    now = [100.0]
    failures = VideoFailures(lambda: now[0])
    failed(failures, error)
    failures.check("1", 50)
    failures.check("2", 10)
    if seconds:
        now[0] += seconds - 1
        with pytest.raises(type(error), match=str(error)):
            failures.check("1", 10)
        now[0] += 1
    failures.check("1", 10)


def test_the_oldest_failure_makes_room_for_a_new_one() -> None:
    failures = VideoFailures()
    for number in range(2100):
        failed(failures, Unavailable("internal"), str(number))
    failures.check("0", 10)
    with pytest.raises(Unavailable):
        failures.check("2099", 10)
