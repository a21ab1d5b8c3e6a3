"""The answers that are no song: a status and the sentence that goes with it."""


class Notice(Exception):
    """Ends a request with a short page; `key` names its sentence in the catalogue."""

    def __init__(self, status: int, key: str, **headers: str) -> None:
        super().__init__(status, key)
        self.status = status
        self.key = key
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def missing() -> Notice:
    """Return the answer to an unknown id, and to a private song's: nobody can tell them apart."""
    return Notice(404, "missing")


def unavailable() -> Notice:
    """Return the answer while database or storage are away."""
    return Notice(503, "unavailable", Retry_After="5")
