import pickle

from melodify_core.errors import Rejected, Unavailable, from_record, to_record


def test_an_error_crosses_process_borders() -> None:
    error = pickle.loads(pickle.dumps(Rejected("limit.hour", limit=3, retry_at=7)))  # noqa: S301 - our own bytes
    assert isinstance(error, Rejected)
    assert (error.code, error.values) == ("limit.hour", {"limit": 3, "retry_at": 7})


def test_an_error_is_recorded_and_comes_back() -> None:
    error = from_record(to_record(Unavailable("provider.too_slow")))
    assert isinstance(error, Unavailable)
    assert str(error) == "provider.too_slow"


def test_an_error_tells_its_values_to_the_log() -> None:
    assert str(Rejected("picture.too_large", limit_mb=20)) == "picture.too_large limit_mb=20"
