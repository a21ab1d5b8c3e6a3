"""Breaks things for tests, at the ports where the outside begins."""

import sqlite3


def sqlite_error(code: int = sqlite3.SQLITE_BUSY, text: str = "database is locked") -> sqlite3.OperationalError:
    """Return the error as SQLite raises it, with its code."""
    error = sqlite3.OperationalError(text)
    error.sqlite_errorcode = code
    return error
