"""ACE-Step 1.5 through diffusers, without its planner, the language model. Code and weights are MIT."""

import numpy as np
import torch
from diffusers import AceStepPipeline

from melodify_pipeline import prompt as prompts
from melodify_pipeline.wave_file import wav_bytes
from melodify_pipeline.weights import folder_of

LEAST_S = 10  # the model's; what was ordered shorter is cut
PROMPT_CHARACTERS = 512  # INFERENCE.md of its repository
STEPS = 8  # the default of all its variants
INSTRUMENTAL = "[Instrumental]"  # INFERENCE.md


def wav_of(prompt: str, seconds: int, seed: int, weights: str) -> bytes:
    """Return the music as WAV. `weights` is a folder, gs://bucket/folder, or a name on the hub with @revision."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    kind = torch.bfloat16 if device == "cuda" else torch.float32
    with folder_of(weights) as (name, revision):
        # Straight to its device: the machine's own memory is smaller than the weights.
        model = AceStepPipeline.from_pretrained(name, revision=revision, dtype=kind, device_map=device)
    model.set_progress_bar_config(disable=True)
    # On the CPU, so that a seed gives the same on every card.
    noise = torch.Generator("cpu").manual_seed(seed)
    made = model(
        prompt=_clipped(prompt),
        lyrics=INSTRUMENTAL,
        vocal_language="unknown",
        audio_duration=float(max(seconds, LEAST_S)),
        num_inference_steps=STEPS,
        bpm=prompts.read(prompt, seconds)[0].bpm,
        generator=noise,
        output_type="np",
    )
    rate = model.sample_rate
    samples = np.asarray(made.audios[0], np.float64)[:, : round(seconds * rate)]
    return wav_bytes(samples, rate)


def _clipped(prompt: str) -> str:
    """Return as many whole sentences as the model reads."""
    if len(prompt) <= PROMPT_CHARACTERS:
        return prompt
    short = prompt[:PROMPT_CHARACTERS]
    return short[: short.rfind(". ") + 1] or short
