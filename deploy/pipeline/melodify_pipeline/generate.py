"""From the pipeline's parameters to a WAV file at `output_uri`. The model's own module is imported only when chosen."""

import logging
from dataclasses import dataclass

from melodify_pipeline import output

log = logging.getLogger(__name__)

MODELS = ("acestep", "musicgen", "lyria", "arranger")
LONGEST_S = 300


@dataclass(frozen=True, slots=True)
class Order:
    """What one run is to make."""

    prompt: str
    negative_prompt: str
    seconds: int
    seed: int


def run(order: Order, model: str, weights: str, output_uri: str) -> None:
    """Make the music and store it as WAV. Raises ValueError on parameters that make no sense, before any work."""
    if not order.prompt.strip():
        raise ValueError("prompt is empty")
    if not 1 <= order.seconds <= LONGEST_S:
        raise ValueError(f"seconds must be from 1 to {LONGEST_S}, not {order.seconds}")
    output.check(output_uri)
    wav = _wav(order, model, weights)
    output.write(output_uri, wav)
    log.info("%s: %d bytes to %s", model, len(wav), output_uri)


def _wav(order: Order, model: str, weights: str) -> bytes:
    match model:
        case "acestep":
            from melodify_pipeline import acestep

            # It takes no negative prompt, and is told that nobody sings.
            return acestep.wav_of(order.prompt, order.seconds, order.seed, weights)
        case "arranger":
            from melodify_pipeline import arranger

            return arranger.wav_of(order.prompt, order.seconds, order.seed)
        case "lyria":
            from melodify_pipeline import lyria

            return lyria.wav_of(order.prompt, order.negative_prompt, order.seed)
        case "musicgen":
            from melodify_pipeline import musicgen

            # MusicGen knows no negative prompt: its guidance works against an empty one.
            return musicgen.wav_of(order.prompt, order.seconds, order.seed, weights)
        case _:
            raise ValueError(f"model must be one of {', '.join(MODELS)}, not {model}")
