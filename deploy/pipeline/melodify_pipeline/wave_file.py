"""Samples as a WAV file."""

import io
import wave

import numpy as np
import numpy.typing as npt


def wav_bytes(samples: npt.NDArray[np.floating], rate: int) -> bytes:
    """Return 16-bit WAV of (channels, samples) in full scale 1; louder sound is brought down, never clipped."""
    loudest = float(np.abs(samples).max(initial=0.0))
    whole = np.round(samples / max(1.0, loudest) * 32767).astype("<i2")
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(len(whole))
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(whole.T.tobytes())
    return out.getvalue()
