"""Builds the providers that the settings select, checks and closes them. Only the selected packages are imported."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from typing import Literal

from melodify_core.brief import LEAST_SECONDS, MOST_SECONDS
from melodify_core.config.settings import ComposerName, Settings
from melodify_core.errors import Misconfigured, Unavailable
from melodify_core.media.worker_pool import WorkerPool
from melodify_core.models import Abilities
from melodify_core.ports import Captioner, CommissioningComposer, Composer, Memory, Moderator, Provider, Storage

log = logging.getLogger(__name__)
# How long it takes to write a paid result to the spool and to the storage.
STORE_S = 15.0
# What the providers that need one import of their extra.
_EXTRAS = {
    "openai": ("openai", "openai"),
    "gemini": ("gemini", "google.genai"),
    "lyria": ("google", "google.cloud.aiplatform"),
    "pipeline": ("google", "google.cloud.aiplatform"),
    "gcs": ("google", "google.cloud.storage"),
}


@dataclass(frozen=True, slots=True)
class Providers:
    """The selected providers."""

    captioner: Captioner
    composer: Composer | CommissioningComposer
    storage: Storage
    fallbacks: tuple[Composer | CommissioningComposer, ...] = ()  # that play where the composer cannot
    abilities: Mapping[str, Abilities] = field(default_factory=dict)  # of the composers, by name

    @property
    def all(self) -> tuple[Provider, ...]:
        """The captioner, the composers and the storage."""
        return self.captioner, *self.composers, self.storage

    @property
    def composers(self) -> tuple[Composer | CommissioningComposer, ...]:
        """The composers, in the order in which they are tried."""
        return self.composer, *self.fallbacks

    def price_of(self, composer: str, seconds: int) -> float:
        """Return the dollars of a song of the composer."""
        return self.abilities[composer].price(seconds) if composer in self.abilities else 0.0


@asynccontextmanager
async def open_providers(
    settings: Settings, pool: WorkerPool, memory: Memory | None = None
) -> AsyncIterator[Providers]:
    """Yield the selected providers and close them afterwards. Raises Misconfigured when a setting is missing."""
    missing = missing_settings(settings)
    if missing:
        raise Misconfigured(*missing)
    async with AsyncExitStack() as opened:
        first, *others = (_composer(settings, name, pool) for name in settings.players)
        abilities: dict[str, Abilities] = {name: abilities_of(settings, name) for name in settings.players}
        captioner, storage = _captioner(settings, pool, memory), _storage(settings)
        providers = Providers(captioner, first, storage, tuple(others), abilities)
        for provider in providers.all:
            opened.push_async_callback(provider.close)
        yield providers


def modules_of(settings: Settings) -> list[str]:
    """Return the modules that worker processes import for a song of the selected providers."""
    modules = ["melodify_core.media.picture"]
    if settings.captioner == "palette":
        modules.append("melodify_core.captioners.palette.captioner")
        if settings.moderation in (None, "local"):
            modules.append("melodify_core.captioners.eyes.sexual")
    if "arranger" in settings.players:
        modules += ["melodify_core.composers.arranger.composition", "melodify_core.composers.arranger.synthesis"]
    return [*modules, "melodify_core.media.audio.mastering"]


@asynccontextmanager
async def open_storage(settings: Settings) -> AsyncIterator[Storage]:
    """Yield the selected storage, without the other providers. Raises Misconfigured when a setting is missing."""
    chosen = settings.model_copy(update={"captioner": "palette", "composer": "arranger", "composers": ()})
    if missing := missing_settings(chosen):
        raise Misconfigured(*missing)
    storage = _storage(settings)
    try:
        yield storage
    finally:
        await storage.close()


async def check_providers(providers: Providers) -> None:
    """Raise Misconfigured with every mistake of every provider; for an unavailable provider, only log it.

    A composer's mistakes are only logged too, as long as another of the composers may play.
    """
    outcomes = await asyncio.gather(*(provider.check() for provider in providers.all), return_exceptions=True)
    _, *of_composers, _ = outcomes
    others_play = not all(isinstance(outcome, Misconfigured) for outcome in of_composers)
    problems: list[str] = []
    for provider, outcome in zip(providers.all, outcomes, strict=True):
        match outcome:
            case Misconfigured() if others_play and any(outcome is each for each in of_composers):
                log.error("%s cannot play, starting with the other composers: %s", provider.name, outcome)
            case Misconfigured():
                problems += outcome.problems
            case Unavailable():
                log.warning("%s cannot be reached now, starting without this check: %s", provider.name, outcome)
            case BaseException():
                raise outcome
    if problems:
        raise Misconfigured(*problems)


def abilities_of(settings: Settings, name: ComposerName | None = None) -> Abilities:
    """Return what the first selected composer, or another one, can do."""
    match name or settings.players[0]:
        case "arranger":
            from melodify_core.composers.arranger.abilities import ABILITIES

            return ABILITIES
        case "gemini":
            from melodify_core.composers.gemini import models

            return models.abilities_of(settings.gemini)
        case "elevenlabs":
            from melodify_core.composers.elevenlabs import abilities as elevenlabs

            return elevenlabs.abilities_of(settings.elevenlabs)
        case "acestep":
            from melodify_core.composers.acestep import abilities as acestep

            return acestep.abilities_of(settings.acestep)
        case "lyria":
            from melodify_core.composers.lyria import abilities as lyria

            return lyria.abilities_of(settings.lyria)
        case "pipeline":
            from melodify_core.composers.pipeline import abilities as pipeline

            return pipeline.abilities_of(settings.pipeline)


def lengths_of(settings: Settings) -> tuple[int, int]:
    """Return the shortest and the longest song, in seconds, that a member can have of the first composer."""
    can = abilities_of(settings)
    shortest, longest = (min(max(each, LEAST_SECONDS), MOST_SECONDS) for each in (can.shortest_s, can.longest_s))
    return shortest, longest


def price_of(settings: Settings, seconds: int | None = None) -> float:
    """Return the dollars that a song of the selected providers is expected to cost."""
    wanted = settings.song.default_seconds if seconds is None else seconds
    return _price_of_reading(settings) + abilities_of(settings).price(wanted)


def least_price_of(settings: Settings, seconds: int | None = None) -> float:
    """Return the dollars of a song of the cheapest composer that plays without being asked for."""
    wanted = settings.song.default_seconds if seconds is None else seconds
    alone = settings.players[:1] if settings.fallback == "ask" else settings.players
    return _price_of_reading(settings) + min(abilities_of(settings, name).price(wanted) for name in alone)


def _price_of_reading(settings: Settings) -> float:
    if settings.captioner != "openai":
        return 0.0
    from melodify_core.captioners.openai import price_of_reading

    return price_of_reading(settings.openai)


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
    chosen = [deadlines[name] for name in (settings.captioner, *settings.players) if name in deadlines]
    return max(chosen) + STORE_S if chosen else 0.0


def missing_settings(settings: Settings) -> list[str]:
    """Return one sentence for each missing package, or else setting, of a selected provider."""
    if packages := missing_packages(settings):
        return packages
    chosen, by = _chosen(settings), partial(_chosen_by, settings)
    sentences = _missing_for_openai(settings)
    on_vertex = [name for name in settings.players if name in ("lyria", "pipeline")]
    if on_vertex and not settings.vertex.project:
        where = "the id of your Google Cloud project, from https://console.cloud.google.com."
        sentences.append(_lacking("vertex.project", by(on_vertex[0]), where))
    if "lyria" in chosen:
        from melodify_core.composers.lyria import missing_price

        sentences.append(missing_price(settings.lyria))
    if "gemini" in chosen:
        from melodify_core.composers.gemini import models

        if settings.gemini.api_key is None:
            sentences.append(_keyless("gemini", by("gemini"), "https://aistudio.google.com/app/apikey"))
        sentences.append(models.missing_price(settings.gemini))
    if "elevenlabs" in chosen and settings.elevenlabs.api_key is None:
        sentences.append(_keyless("elevenlabs", by("elevenlabs"), "https://elevenlabs.io/app/settings/api-keys"))
    if "pipeline" in chosen and not settings.pipeline.template_uri:
        sentences.append(_lacking("pipeline.template_uri", by("pipeline"), "see deploy/pipeline/README.md."))
    if "pipeline" in chosen and not settings.pipeline.output:
        sentences.append(_lacking("pipeline.output", by("pipeline"), "a folder such as gs://bucket/pipeline."))
    if "gcs" in chosen and not settings.gcs.bucket:
        where = "the name of a bucket from https://console.cloud.google.com/storage."
        sentences.append(_lacking("gcs.bucket", 'storage = "gcs"', where))
    return list(filter(None, sentences))


def _lacking(setting: str, chosen_by: str, how: str) -> str:
    return f"{setting} is missing and {chosen_by} needs it: {how}"


def _keyless(section: str, chosen_by: str, page: str) -> str:
    how = f"set MELODIFY_{section.upper()}__API_KEY or {section}.api_key_file. Keys are made at {page}."
    return _lacking(f"{section}.api_key", chosen_by, how)


def _chosen_by(settings: Settings, composer: ComposerName) -> str:
    """Return the setting that chooses the composer, as the settings' file has it."""
    return f"composers = {json.dumps(settings.composers)}" if settings.composers else f'composer = "{composer}"'


def missing_packages(settings: Settings) -> list[str]:
    """Return one sentence for each missing package of a selected provider."""
    needed = {name: _EXTRAS[name] for name in sorted(_chosen(settings)) if name in _EXTRAS}
    image = " In a container, build the image with --build-arg PROVIDERS=image-full."
    return [
        f'{name} needs a package that is not installed: pip install "melodify[{extra}]". In a checkout: make install.'
        + (image if extra == "google" else "")
        for name, (extra, module) in needed.items()
        if not is_installed(module)
    ]


def _chosen(settings: Settings) -> set[str]:
    return {settings.captioner, *settings.players, settings.storage}


def is_installed(module: str) -> bool:
    """Return whether a module is there, without importing it."""
    try:
        return find_spec(module) is not None
    except ModuleNotFoundError:  # a package above it is missing
        return False


def _missing_for_openai(settings: Settings) -> list[str]:
    sentences = []
    if settings.captioner == "openai" and settings.openai.base_url is None and settings.openai.api_key is None:
        sentences.append(_keyless("openai", 'captioner = "openai"', "https://platform.openai.com/api-keys"))
    openai = settings.openai
    reachable = openai.api_key or openai.base_url or openai.moderation_key or openai.moderation_url
    if settings.moderation == "openai" and not reachable:
        sentences.append(
            'openai.api_key is missing and moderation = "openai" needs it, or openai.moderation_key: set '
            "MELODIFY_OPENAI__API_KEY. Moderation is free. Keys are made at https://platform.openai.com/api-keys."
        )
    return sentences


def moderation_of(settings: Settings) -> Literal["openai", "local", "off"]:
    """Return the chosen moderation; without a choice OpenAI's for its captioner, else the local one where installed."""
    if settings.moderation is not None:
        return settings.moderation
    if settings.captioner == "openai":
        return "openai" if settings.openai.moderation else "off"
    from melodify_core.captioners.eyes.sexual import is_installed

    return "local" if is_installed() else "off"


def _captioner(settings: Settings, pool: WorkerPool, memory: Memory | None) -> Captioner:
    moderation = moderation_of(settings)
    moderator = _moderator(moderation, settings, pool)
    captioner = _unmoderated(settings, pool)
    if moderator is not None:
        from melodify_core.captioners.moderation import ModeratedCaptioner

        captioner = ModeratedCaptioner(captioner, moderator)
    if settings.captioner == "palette" or memory is None or settings.openai.memory_hours == 0:
        return captioner
    from melodify_core.captioners.openai import memory_label
    from melodify_core.captioners.remembering import RememberingCaptioner

    # What one moderation lets through, another may not.
    label = memory_label(settings.openai) + ("" if settings.moderation is None else f" {moderation}")
    return RememberingCaptioner(captioner, memory, label)


def _unmoderated(settings: Settings, pool: WorkerPool) -> Captioner:
    if settings.captioner == "palette":
        from melodify_core.captioners.palette import PaletteCaptioner

        return PaletteCaptioner(pool, settings.song.caption_deadline_s)
    from melodify_core.captioners.openai import OpenAICaptioner

    return OpenAICaptioner(settings.openai, pool)


def _moderator(moderation: str, settings: Settings, pool: WorkerPool) -> Moderator | None:
    if moderation == "openai":
        from melodify_core.captioners.openai import OpenAIModerator

        return OpenAIModerator(settings.openai)
    if moderation == "local":
        from melodify_core.captioners.moderation import LocalModerator

        return LocalModerator(pool, settings.song.caption_deadline_s)
    return None


def _composer(settings: Settings, name: ComposerName, pool: WorkerPool) -> Composer | CommissioningComposer:
    match name:
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
