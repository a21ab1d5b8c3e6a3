"""Builds the providers that the settings select, checks and closes them. Only the selected packages are imported."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured, Unavailable
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.ports import Captioner, CommissioningComposer, Composer, Memory, Provider, Storage

log = logging.getLogger(__name__)
# How long it takes to write a paid result to the spool and to the storage.
STORE_S = 15.0


@dataclass(frozen=True, slots=True)
class Providers:
    """The selected providers."""

    captioner: Captioner
    composer: Composer | CommissioningComposer
    storage: Storage

    @property
    def all(self) -> tuple[Provider, ...]:
        """The captioner, the composer and the storage."""
        return self.captioner, self.composer, self.storage


@asynccontextmanager
async def open_providers(
    settings: Settings, pool: WorkerPool, memory: Memory | None = None
) -> AsyncIterator[Providers]:
    """Yield the selected providers and close them afterwards. Raises Misconfigured when a setting is missing."""
    missing = missing_settings(settings)
    if missing:
        raise Misconfigured(*missing)
    async with AsyncExitStack() as opened:
        providers = Providers(_captioner(settings, pool, memory), _composer(settings, pool), _storage(settings))
        for provider in providers.all:
            opened.push_async_callback(provider.close)
        yield providers


@asynccontextmanager
async def open_storage(settings: Settings) -> AsyncIterator[Storage]:
    """Yield the selected storage, without the other providers. Raises Misconfigured when a setting is missing."""
    chosen = settings.model_copy(update={"captioner": "palette", "composer": "arranger"})
    if missing := missing_settings(chosen):
        raise Misconfigured(*missing)
    storage = _storage(settings)
    try:
        yield storage
    finally:
        await storage.close()


async def check_providers(providers: Providers) -> None:
    """Raise Misconfigured with every mistake of every provider; for an unavailable provider, only log it."""
    outcomes = await asyncio.gather(*(provider.check() for provider in providers.all), return_exceptions=True)
    problems: list[str] = []
    for provider, outcome in zip(providers.all, outcomes, strict=True):
        match outcome:
            case Misconfigured():
                problems += outcome.problems
            case Unavailable():
                log.warning("%s cannot be reached now, starting without this check: %s", provider.name, outcome)
            case BaseException():
                raise outcome
    if problems:
        raise Misconfigured(*problems)


def price_of(settings: Settings) -> float:
    """Return the dollars that a song of the selected providers is expected to cost."""
    dollars = 0.0
    if settings.captioner == "openai":
        from melodify_core.captioners.openai import price_of_reading

        dollars += price_of_reading(settings.openai)
    match settings.composer:
        case "lyria":
            from melodify_core.composers.lyria import price_of_take

            dollars += price_of_take(settings.lyria)
        case "gemini":
            from melodify_core.composers.gemini.models import price_of_take as price_of_song

            dollars += price_of_song(settings.gemini)
        case "elevenlabs":
            from melodify_core.composers.elevenlabs.price import price_of_take as price_of_length

            dollars += price_of_length(settings.elevenlabs, settings.song.default_seconds)
        case "acestep":
            dollars += settings.acestep.dollars_per_take
        case "pipeline":
            dollars += settings.pipeline.dollars_per_take
        case "arranger":
            pass
    return dollars


def longest_call_s(settings: Settings) -> float:
    """Return how many seconds a stop waits for calls whose repetition would be paid for again; 0 without such calls.

    A pipeline's run, or a task of ACE-Step, continues by itself, and the next start collects it.
    """
    deadlines = {
        "openai": settings.openai.deadline_s,
        "lyria": settings.lyria.deadline_s,
        "gemini": settings.gemini.deadline_s,
        "elevenlabs": settings.elevenlabs.deadline_s,
    }
    chosen = [deadlines[name] for name in (settings.captioner, settings.composer) if name in deadlines]
    return max(chosen) + STORE_S if chosen else 0.0


def missing_settings(settings: Settings) -> list[str]:
    """Return one sentence for each missing setting of a selected provider."""
    chosen = {settings.captioner, settings.composer, settings.storage}
    sentences = []
    if "openai" in chosen and settings.openai.base_url is None and settings.openai.api_key is None:
        sentences.append(
            'openai.api_key is missing and captioner = "openai" needs it: set MELODIFY_OPENAI__API_KEY or '
            "openai.api_key_file. Keys are made at https://platform.openai.com/api-keys."
        )
    if chosen & {"lyria", "pipeline"} and not settings.vertex.project:
        sentences.append(
            f'vertex.project is missing and composer = "{settings.composer}" needs it: the id of your Google Cloud '
            "project, from https://console.cloud.google.com."
        )
    if "gemini" in chosen:
        sentences += _missing_for_gemini(settings)
    if "elevenlabs" in chosen and settings.elevenlabs.api_key is None:
        sentences.append(
            'elevenlabs.api_key is missing and composer = "elevenlabs" needs it: set MELODIFY_ELEVENLABS__API_KEY or '
            "elevenlabs.api_key_file. Keys are made at https://elevenlabs.io/app/settings/api-keys."
        )
    if "pipeline" in chosen and not settings.pipeline.template_uri:
        sentences.append(
            'pipeline.template_uri is missing and composer = "pipeline" needs it: see deploy/pipeline/README.md.'
        )
    if "pipeline" in chosen and not settings.pipeline.output:
        sentences.append(
            'pipeline.output is missing and composer = "pipeline" needs it: a folder such as gs://bucket/pipeline.'
        )
    if "gcs" in chosen and not settings.gcs.bucket:
        sentences.append(
            'gcs.bucket is missing and storage = "gcs" needs it: the name of a bucket from '
            "https://console.cloud.google.com/storage."
        )
    return sentences


def _missing_for_gemini(settings: Settings) -> list[str]:
    from melodify_core.composers.gemini.models import missing_price

    sentences = []
    if settings.gemini.api_key is None:
        sentences.append(
            'gemini.api_key is missing and composer = "gemini" needs it: set MELODIFY_GEMINI__API_KEY or '
            "gemini.api_key_file. Keys are made at https://aistudio.google.com/app/apikey."
        )
    if sentence := missing_price(settings.gemini):
        sentences.append(sentence)
    return sentences


def _captioner(settings: Settings, pool: WorkerPool, memory: Memory | None) -> Captioner:
    if settings.captioner == "palette":
        from melodify_core.captioners.palette import PaletteCaptioner

        return PaletteCaptioner(pool, settings.song.caption_deadline_s)
    from melodify_core.captioners.openai import OpenAICaptioner, memory_label
    from melodify_core.captioners.remembering import RememberingCaptioner

    captioner = OpenAICaptioner(settings.openai)
    if memory is None or settings.openai.memory_hours == 0:
        return captioner
    return RememberingCaptioner(captioner, memory, memory_label(settings.openai))


def _composer(settings: Settings, pool: WorkerPool) -> Composer | CommissioningComposer:
    match settings.composer:
        case "arranger":
            from melodify_core.composers.arranger.composer import ArrangerComposer

            return ArrangerComposer(pool, settings.song.compose_deadline_s)
        case "lyria":
            from melodify_core.composers.lyria import LyriaComposer

            return LyriaComposer(settings.lyria, settings.vertex)
        case "gemini":
            from melodify_core.composers.gemini.composer import GeminiComposer

            return GeminiComposer(settings.gemini)
        case "elevenlabs":
            from melodify_core.composers.elevenlabs.composer import ElevenLabsComposer

            return ElevenLabsComposer(settings.elevenlabs)
        case "acestep":
            from melodify_core.composers.acestep.composer import AceStepComposer

            return AceStepComposer(settings.acestep)
        case "pipeline":
            from melodify_core.composers.pipeline import PipelineComposer

            return PipelineComposer(settings.pipeline, settings.vertex, settings.gcs)


def _storage(settings: Settings) -> Storage:
    if settings.storage == "folder":
        from melodify_core.storage.folder import FolderStorage

        return FolderStorage(settings.folder.path)
    from melodify_core.storage.gcs import GcsStorage

    return GcsStorage(settings.gcs)
