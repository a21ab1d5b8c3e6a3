"""The delivery of the bot in a simulated Discord, for `melodify demo` and the tests."""

from dataclasses import dataclass

from discord.webhook.async_ import AsyncWebhookAdapter, async_context

from melodify_core.errors import MelodifyError
from melodify_core.models import Forecast, Job, Language, Link, Place, Posted, Progress, Song, Stage
from melodify_core.ports import Delivery


@dataclass(frozen=True, slots=True)
class Simulated:
    """The bot's delivery, whose webhooks speak to the simulator too.

    discord.py keeps in a context variable how webhooks are sent, and jobs begin in contexts of the engine's own.
    """

    delivery: Delivery
    adapter: AsyncWebhookAdapter

    async def show_stage(self, job: Job, stage: Stage, progress: Progress | None = None) -> None:
        """Show the stage."""
        async_context.set(self.adapter)
        await self.delivery.show_stage(job, stage, progress)

    async def show_position(
        self, job_id: str, place: Place, language: Language, forecast: Forecast, page_id: str | None = None
    ) -> None:
        """Show the position in the queue."""
        async_context.set(self.adapter)
        await self.delivery.show_position(job_id, place, language, forecast, page_id)

    async def deliver(self, job: Job, song: Song, audio: bytes | Link, picture: bytes) -> Posted:
        """Post the song."""
        async_context.set(self.adapter)
        return await self.delivery.deliver(job, song, audio, picture)

    async def close_line(self, job: Job, song: Song, posted: Posted) -> None:
        """Close the status message."""
        async_context.set(self.adapter)
        await self.delivery.close_line(job, song, posted)

    async def delete_posted_song(self, job: Job) -> None:
        """Delete the posted song."""
        async_context.set(self.adapter)
        await self.delivery.delete_posted_song(job)

    async def apologise(self, job: Job, error: MelodifyError) -> None:
        """Post the apology."""
        async_context.set(self.adapter)
        await self.delivery.apologise(job, error)
