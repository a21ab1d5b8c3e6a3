"""Lyria 2 on Vertex AI over REST: kfp's protobuf is too old for the gRPC client. One clip of about 33 s, 48 kHz WAV."""

import base64
import binascii
import os
from typing import Any

import google.auth
from google.auth.transport.requests import AuthorizedSession

MODEL = "lyria-002"
DEADLINE_S = 180
SCOPE = "https://www.googleapis.com/auth/cloud-platform"


def wav_of(prompt: str, negative_prompt: str, seed: int) -> bytes:
    """Return the clip as WAV; its length is the model's. The container names project and region (see README.md)."""
    credentials, own_project = google.auth.default(scopes=[SCOPE])
    project = os.environ.get("MELODIFY_PROJECT") or os.environ.get("CLOUD_ML_PROJECT_ID") or own_project
    if not project:
        raise ValueError("MELODIFY_PROJECT is not set: Lyria needs the id of the Google Cloud project")
    location = os.environ.get("MELODIFY_LOCATION", "us-central1")
    host = os.environ.get("MELODIFY_VERTEX_ENDPOINT", f"https://{location}-aiplatform.googleapis.com")
    with AuthorizedSession(credentials) as session:  # type: ignore[no-untyped-call]
        return ask(session, f"{host}/v1/projects/{project}/locations/{location}", prompt, negative_prompt, seed)


def ask(session: Any, parent: str, prompt: str, negative_prompt: str, seed: int) -> bytes:
    """Return the clip that one `predict` call gives. Raises RuntimeError with the service's own words."""
    instance = {"prompt": prompt, "negative_prompt": negative_prompt, "seed": seed}
    answer = session.post(
        f"{parent}/publishers/google/models/{MODEL}:predict",
        json={"instances": [instance], "parameters": {}},
        timeout=DEADLINE_S,
    )
    if answer.status_code != 200:
        raise RuntimeError(f"Lyria answered {answer.status_code}: {answer.text[:500]}")
    return _audio_in(answer.json())


def _audio_in(body: Any) -> bytes:
    """Return the first clip; the reference and the notebook disagree on the field's name."""
    predictions = body.get("predictions") or [{}]
    text = predictions[0].get("audioContent") or predictions[0].get("bytesBase64Encoded") or ""
    try:
        audio = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise RuntimeError("Lyria's answer is no Base64") from error
    if not audio:
        raise RuntimeError("Lyria's answer has no audio")
    return audio
