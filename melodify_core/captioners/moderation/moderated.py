"""A captioner that reads only what a moderation lets through."""

from melodify_core.models import Brief, Picture, Wish
from melodify_core.ports import Captioner, Describable, Moderator, ProviderContext


class ModeratedCaptioner:
    """Wraps a captioner. What is refused is never read, and so never paid for."""

    def __init__(self, captioner: Captioner, moderator: Moderator) -> None:
        self.name = captioner.name
        self._captioner = captioner
        self._moderator = moderator

    async def check(self) -> None:
        """Check both. Raises Misconfigured and Unavailable."""
        await self._moderator.check()
        await self._captioner.check()

    def describe(self) -> str:
        """Return what both use here."""
        both = (self._captioner, self._moderator)
        return "; ".join(each.describe() for each in both if isinstance(each, Describable))

    async def close(self) -> None:
        """Close both."""
        await self._moderator.close()
        await self._captioner.close()

    async def caption(self, picture: Picture, wish: Wish, context: ProviderContext) -> Brief:
        """Return the captioner's reading. Raises what both raise."""
        await self._moderator.moderate(picture, wish, context)
        return await self._captioner.caption(picture, wish, context)
