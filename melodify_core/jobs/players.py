"""Which composers may play a job, in which order, and who follows one that cannot. Nothing is paid for twice."""

from collections.abc import Sequence

from melodify_core.errors import NO_MUSIC, MelodifyError
from melodify_core.models import Job
from melodify_core.ports import CommissioningComposer, Composer
from melodify_core.providers import Providers

Player = Composer | CommissioningComposer


def players_of(job: Job, providers: Providers) -> tuple[Player, ...]:
    """Return the job's composers, without those that the settings do not name any more."""
    known = {composer.name: composer for composer in providers.composers}
    return tuple(known[name] for name in job.composers if name in known) or (providers.composer,)


def step_of(kind: str, player: Player, job: Job) -> str:
    """Return the name of the player's step: recorded steps are told apart by it, also when the settings change."""
    number = job.composers.index(player.name) if player.name in job.composers else 0
    return f"{kind} {number + 1}" if number else kind


def followers(others: Sequence[Player], error: MelodifyError, job: Job, providers: Providers) -> tuple[Player, ...]:
    """Return those of the other players who may play after the error.

    After a call that was paid for, or perhaps was, only those that cost nothing.
    """
    if error.code not in NO_MUSIC:
        return ()
    return tuple(each for each in others if "paid" not in error.values or is_free(each, job, providers))


def may_be_free(job: Job, providers: Providers) -> bool:
    """Return whether a composer that plays the job without being asked for costs nothing."""
    players = players_of(job, providers)
    return bool(job.composers) and any(is_free(each, job, providers) for each in (players[:1] if job.asks else players))


def noted(error: MelodifyError, **values: str | int) -> MelodifyError:
    """Return the error with more values: "paid" where a call may be billed, "instead" for a composer to be offered.

    The values are recorded with the error, so they survive a restart.
    """
    return type(error)(error.code, **(error.values | values))


def is_free(player: Player, job: Job, providers: Providers) -> bool:
    """Return whether the composer's song of the job's length costs nothing."""
    return not providers.price_of(player.name, job.wish.seconds)
