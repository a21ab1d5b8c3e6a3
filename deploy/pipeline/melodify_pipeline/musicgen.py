"""MusicGen through transformers. The model hears 30 s at once: longer music goes on from the end of what is there.

The published weights (facebook/musicgen-*) are CC-BY-NC 4.0: see README.md before using them.
"""

from typing import Any

import numpy as np
import torch
from transformers import AutoProcessor, MusicgenForConditionalGeneration

from melodify_pipeline.wave_file import wav_bytes
from melodify_pipeline.weights import folder_of

WINDOW_S = 30.0  # what the model was trained on
OVERLAP_S = 10.0  # of the music so far that a continuation hears
GUIDANCE = 3.0  # the model card's


def wav_of(prompt: str, seconds: int, seed: int, weights: str) -> bytes:
    """Return the music as WAV. `weights` is a folder, gs://bucket/folder, or a name on the hub with @revision."""
    with folder_of(weights) as (name, revision):
        processor = AutoProcessor.from_pretrained(name, revision=revision)
        model = MusicgenForConditionalGeneration.from_pretrained(name, revision=revision)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model = model.to(device).eval()
    text = processor(text=[prompt], padding=True, return_tensors="pt").to(device)
    torch.manual_seed(seed)
    with torch.inference_mode():
        samples = _samples(model, dict(text), seconds)
    return wav_bytes(samples.float().cpu().numpy().astype(np.float64), model.config.audio_encoder.sampling_rate)


def _samples(model: Any, text: dict[str, Any], seconds: int) -> Any:
    """Return (channels, samples) of exactly this length."""
    rate = model.config.audio_encoder.sampling_rate
    wanted = round(seconds * rate)
    sound = _chunk(model, text, min(float(seconds), WINDOW_S))
    while sound.shape[-1] < wanted:
        heard = sound[:, -round(OVERLAP_S * rate) :]
        missing_s = (wanted - sound.shape[-1]) / rate
        more = _chunk(model, text, min(missing_s, WINDOW_S - OVERLAP_S), heard)
        if more.shape[-1] <= heard.shape[-1]:
            raise RuntimeError("MusicGen added nothing to what it heard")
        sound = torch.cat([sound[:, : -heard.shape[-1]], more], dim=-1)
    return sound[:, :wanted]


def _chunk(model: Any, text: dict[str, Any], seconds: float, heard: Any = None) -> Any:
    """Return (channels, samples): what was heard, and so many new seconds."""
    config = model.config
    # The codebooks are written with a delay of one step each: the last ones need that many steps more.
    steps = int(np.ceil(seconds * config.audio_encoder.frame_rate)) + config.decoder.num_codebooks
    start = {} if heard is None else {"input_values": heard[None]}
    made = model.generate(
        **text, **start, do_sample=True, guidance_scale=GUIDANCE, max_new_tokens=steps, min_new_tokens=steps
    )
    return made[0]
