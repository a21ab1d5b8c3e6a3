"""Which composers may play a job, in which order, and who follows one that cannot. Nothing is paid for twice."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from melodify_core.errors import NO_MUSIC, MelodifyError, Unavailable
from melodify_core.models import Brief, Commission, Job, RawTake, Wish
from melodify_core.ports import CommissioningComposer, Composer, ProviderContext
from melodify_core.providers import Providers

Player = Composer | CommissioningComposer


@dataclass(slots=True)
class Gone:
    """A composer that the settings do not name any more: it plays nothing, and what its steps have recorded counts."""

    name: str

    async def check(self) -> None:
        """Do nothing."""

    async def close(self) -> None:
        """Do nothing."""

    async def compose(self, brief: Brief, wish: Wish, context: ProviderContext) -> RawTake:
        """Raise Unavailable."""
        del brief, wish, context
        raise _gone()


class GoneElsewhere(Gone):
    """A commissioning composer that the settings do not name any more."""

    async def commission(self, brief: Brief, wish: Wish, context: ProviderContext) -> Commission:
        """Raise Unavailable."""
        del brief, wish, context
        raise _gone()

    async def collect(self, commission: Commission, context: ProviderContext) -> RawTake:
        """Raise Unavailable."""
        del commission, context
        raise _gone()

    async def cancel(self, commission: Commission) -> None:
        """Raise Unavailable."""
        del commission
        raise _gone()


def _gone() -> MelodifyError:
    return Unavailable("provider.misconfigured", gone=1)


def names_of(job: Job) -> tuple[str, ...]:
    """Return the names of the composers that were chosen when the job was queued; none for one of earlier versions."""
    return job.composers or ((job.composer,) if job.composer else ())


def are_known(job: Job, providers: Providers) -> bool:
    """Return whether the settings still name all the job's composers."""
    return {composer.name for composer in providers.composers}.issuperset(names_of(job))


def players_of(job: Job, providers: Providers, recorded: Collection[str] = ()) -> tuple[Player, ...]:
    """Return the job's composers; the first of the settings where they name none of them any more.

    Those that the settings do not name any more are among them only if they have `recorded` steps: the steps of a
    job that continues must be the same.
    """
    known = {composer.name: composer for composer in providers.composers}
    players = [known.get(name) or _in_place_of(name, job, recorded) for name in names_of(job)]
    # After the apology of its last composer, nobody else plays.
    if known.keys().isdisjoint(names_of(job)) and "apologise" not in recorded:
        players.append(providers.composer)
    return tuple(player for player in players if player)


def _in_place_of(name: str, job: Job, recorded: Collection[str]) -> Player | None:
    gone = Gone(name)
    if step_of("commission", gone, job) in recorded:
        return GoneElsewhere(name)
    return gone if step_of("compose", gone, job) in recorded else None


def step_of(kind: str, player: Player, job: Job) -> str:
    """Return the name of the player's step: recorded steps are told apart by it, also when the settings change."""
    names = names_of(job)
    number = names.index(player.name) if player.name in names else len(names)
    return f"{kind} {number + 1}" if number else kind


def has_steps(player: Player, job: Job, recorded: Collection[str]) -> bool:
    """Return whether a step of the player is among the recorded ones."""
    return any(step_of(kind, player, job) in recorded for kind in ("commission", "compose"))


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
    """Return whether the player costs nothing, as one that plays nothing."""
    return not providers.price_of(player.name, job.wish.seconds)
