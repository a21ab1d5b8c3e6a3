"""The Moderator port without a key: a small network for pictures, a list of words for hints.

It refuses only what it is sure of, and says nothing of the rest. Of violence it knows nothing.
"""

from melodify_core.captioners.eyes.sexual import is_installed, is_sexual
from melodify_core.captioners.moderation.words import is_forbidden
from melodify_core.errors import Misconfigured, Refused
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Picture, Wish
from melodify_core.ports import ProviderContext


class LocalModerator:
    """Refuses sexual pictures, outside places that may see them, and hints with words that nobody uses innocently."""

    name = "local"

    def __init__(self, pool: WorkerPool, deadline_s: float) -> None:
        self._pool = pool
        self._deadline_s = deadline_s

    async def check(self) -> None:
        """Raise Misconfigured without the network."""
        if not is_installed():
            raise Misconfigured(
                'moderation = "local" needs the extra eyes: install melodify[eyes], or set moderation = "off".'
            )

    def describe(self) -> str:
        """Return what it checks."""
        return "sexual pictures and some words are refused (moderation local)"

    async def close(self) -> None:
        """Do nothing: the pool belongs to the caller."""

    async def moderate(self, picture: Picture, wish: Wish, context: ProviderContext) -> None:
        """Raise Refused for what is surely not wanted, and Unavailable when it takes too long."""
        if is_forbidden(wish.hint, adult=context.adult):
            raise Refused("caption.hint_blocked")
        if not context.adult and await self._pool.run(self._deadline_s, is_sexual, picture.jpeg):
            raise Refused("caption.picture_blocked")
