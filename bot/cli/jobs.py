"""`melodify jobs`: the host lists, shows, cancels and retries jobs from the shell, beside the running process."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.table import Table

from melodify_core.config.settings import Settings
from melodify_core.services.job_admin import JobAdmin, JobDetails, open_job_admin


async def jobs(settings: Settings, action: str, job_id: str | None, state: str | None, *, as_json: bool) -> int:
    """Do the action and print its result. Raises Misconfigured, with the reason as a sentence."""
    async with open_job_admin(settings) as admin:
        if job_id is None:
            await _print_list(admin, state, as_json=as_json)
        elif action == "show":
            _print_details(await admin.show(job_id), as_json=as_json)
        else:
            print(await (admin.cancel(job_id) if action == "cancel" else admin.retry(job_id)))
    return 0


async def _print_list(admin: JobAdmin, state: str | None, *, as_json: bool) -> None:
    rows = await admin.jobs(state)
    if as_json:
        print(json.dumps([asdict(row) for row in rows]))
        return
    table = Table("job", "state", "asked", "took", "member", "server", "why")
    for row in rows:
        table.add_row(
            row.job_id,
            row.state,
            _time(row.created_at),
            f"{row.ended_at - (row.queued_at or row.created_at):.0f} s" if row.ended_at else "",
            str(row.user_id),
            str(row.guild_id or "DM"),
            row.outcome or "",
        )
    # In a pipe no line is folded, so that each line is one job.
    console = Console()
    Console(width=None if console.is_terminal else 200).print(table if rows else "No jobs.")
    money = await admin.money()
    if money.spent or money.reserved:
        print(f"Last 24 hours: ${money.spent:.2f} spent, ${money.reserved:.2f} reserved for open jobs.")


def _print_details(details: JobDetails, *, as_json: bool) -> None:
    money = {name: round(value, 6) for name, value in asdict(details.money).items()}
    facts: dict[str, Any] = asdict(details.row) | money | {"steps": list(details.steps)}
    if as_json:
        print(json.dumps(facts))
        return
    for name, value in facts.items():
        shown = _time(value) if name.endswith("_at") and value else value
        print(f"{name:12} {', '.join(shown) if isinstance(shown, list) else shown if shown is not None else ''}")


def _time(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
