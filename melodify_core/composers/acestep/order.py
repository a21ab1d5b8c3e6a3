"""What is asked of ACE-Step, and what it says of its music: docs/en/API.md and INFERENCE.md of its repository."""

from collections.abc import Mapping
from typing import Any

from melodify_core.brief import music_prompt
from melodify_core.config.settings import AceStep
from melodify_core.models import Brief, Mode, Wish

PROMPT_CHARACTERS = 512  # "caption" in INFERENCE.md
_TONICS = ("C", "D", "E", "F", "G", "A", "Bb", "Eb")
_SIGNS = {"#": " sharp", "b": " flat", "\u266f": " sharp", "\u266d": " flat", "": ""}


def order_of(settings: AceStep, brief: Brief, wish: Wish, seed: int) -> dict[str, Any]:
    """Return the body of a task. What is left out, the server's language model would fill in."""
    order = {
        "prompt": _clipped(music_prompt(brief, wish)),
        "lyrics": "[inst]",
        "audio_duration": wish.seconds,
        "bpm": brief.bpm,
        "key_scale": f"{_TONICS[seed % len(_TONICS)]} {brief.mode}",
        "time_signature": "4",
        "seed": seed,
        "use_random_seed": False,
        "batch_size": 1,
        "audio_format": "flac",  # written without FFmpeg, and without loss
        "inference_steps": settings.steps,
        "thinking": settings.thinking,
        "use_cot_caption": settings.thinking,
        "use_cot_language": False,
    }
    return order | ({"model": settings.model} if settings.model else {})


def tempo_of(metas: Mapping[str, Any]) -> int | None:
    """Return the tempo that was played, None where it is not told."""
    bpm = metas.get("bpm")
    return round(bpm) if isinstance(bpm, int | float) and 30 <= bpm <= 300 else None


def key_of(metas: Mapping[str, Any]) -> tuple[str | None, Mode | None]:
    """Return tonic and mode of "Bb minor" as ("B flat", "minor"); None where they are not told."""
    tonic, _, mode = str(metas.get("keyscale") or "").partition(" ")
    if tonic[:1] not in tuple("ABCDEFG") or tonic[1:] not in _SIGNS:
        return None, None
    match mode.lower():
        case "major":
            return tonic[0] + _SIGNS[tonic[1:]], "major"
        case "minor":
            return tonic[0] + _SIGNS[tonic[1:]], "minor"
        case _:
            return None, None


def _clipped(prompt: str) -> str:
    """Return as many whole sentences as the model reads."""
    if len(prompt) < PROMPT_CHARACTERS:
        return prompt
    short = prompt[: PROMPT_CHARACTERS - 1]
    return short[: short.rfind(". ") + 1] or short
