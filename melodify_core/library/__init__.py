"""The database: the usage ledger, the songs, and what all processes must agree on.

This package counts and stores; usage decides about limits. The engine's own tables are in jobs.
"""

from melodify_core.library.database import (
    SCHEMA,
    connect,
    connect_jobs,
    database_path,
    lock_file,
    on_sqlite,
    schema_state,
    upgrade,
)
from melodify_core.library.file_watch import FileWatch
from melodify_core.library.gate import Cap, ProviderGate
from melodify_core.library.guilds import Guilds, ServerRules
from melodify_core.library.jobs import JobBook, JobMoney, JobRow, ServerDay
from melodify_core.library.ledger import Library, Owners, RetainedKind
from melodify_core.library.member_data import MemberBook, SongListPage, SortOrder
from melodify_core.library.notes import Notes
from melodify_core.library.pages import LibraryPages
from melodify_core.library.readings import Readings
from melodify_core.library.requests import Change, ClaimedRequest, RequestBook
from melodify_core.library.songbook import Songbook
from melodify_core.library.statements import OPEN_STATES

__all__ = [
    "OPEN_STATES",
    "SCHEMA",
    "Cap",
    "Change",
    "ClaimedRequest",
    "FileWatch",
    "Guilds",
    "JobBook",
    "JobMoney",
    "JobRow",
    "Library",
    "LibraryPages",
    "MemberBook",
    "Notes",
    "Owners",
    "ProviderGate",
    "Readings",
    "RequestBook",
    "RetainedKind",
    "ServerDay",
    "ServerRules",
    "SongListPage",
    "Songbook",
    "SortOrder",
    "connect",
    "connect_jobs",
    "database_path",
    "lock_file",
    "on_sqlite",
    "schema_state",
    "upgrade",
]
