"""What the pipeline's container runs, without the pipeline: the prompt's reader, Lyria's answer, where music is put."""

import base64
import importlib
import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests

from melodify_core.brief import music_prompt
from melodify_core.models import Wish
from melodify_core.styles import all_styles
from tests.briefs import a_brief
from tests.gcs_server import BUCKET, gcs_server
from tests.sounds import decoded

HOME = str(Path(__file__).parents[2] / "deploy/pipeline")
# The project installs without it: it lives in the pipeline's image.
sys.path.append(HOME)
generate, lyria, output, prompt, wave_file, weights = (
    importlib.import_module(f"melodify_pipeline.{name}")
    for name in ("generate", "lyria", "output", "prompt", "wave_file", "weights")
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"energy": "intense", "bpm": 151, "mode": "minor", "genre": "dark synthwave", "mood": ("tense", "gloomy")},
        {
            "energy": "calm",
            "bpm": 60,
            "mood": ("serene",),
            "instruments": ("harp",),
            "arrangement": "",
            "soundscape": "",
        },
    ],
)
def test_a_brief_is_read_back_from_its_prompt(changes: dict[str, Any]) -> None:
    brief = a_brief(**changes)
    read, wish = prompt.read(music_prompt(brief, Wish()), 25)
    for name in ("energy", "bpm", "mode", "mood", "genre", "instruments"):
        assert getattr(read, name) == getattr(brief, name)
    assert (wish.seconds, wish.style) == (25, "auto")


@pytest.mark.parametrize("style", all_styles())
def test_a_style_is_read_back_from_its_words(style: str) -> None:
    _, wish = prompt.read(music_prompt(a_brief(), Wish(style=style)), 30)
    assert wish.style == style


def test_mood_and_mode_say_how_pleasant_and_energy_how_excited_it_is() -> None:
    bright, _ = prompt.read("Happy, sunny mood, intense energy. 150 BPM in a major key.", 30)
    dark, _ = prompt.read("Gloomy, lonely mood, calm energy. 60 BPM in a minor key.", 30)
    assert bright.valence > 0.5 > -0.5 > dark.valence
    assert bright.arousal > 0.5 > -0.5 > dark.arousal


@pytest.mark.parametrize(
    "text", ["", " ", "x", ".", "999 bpm", "1 bpm", "featuring .", ", mood", "\x00", "한국 음악", "a" * 9000]
)
def test_any_text_is_read_as_some_music(text: str) -> None:
    read, _ = prompt.read(text, 30)
    assert 40 <= read.bpm <= 220
    assert read.instruments


def test_instruments_are_found_in_free_text() -> None:
    read, _ = prompt.read("A slow waltz, with a lonely cello over an electric piano", 30)
    assert set(read.instruments) == {"cello", "electric piano"}


@pytest.mark.parametrize("form", ["{}", "file://{}"])
def test_music_is_put_into_a_file_whole_and_replaces_what_was_there(tmp_path: Path, form: str) -> None:
    place = tmp_path / "new" / "music.wav"
    for data in (b"first", b"second"):
        output.write(form.format(place), data)
    assert place.read_bytes() == b"second"
    assert [each.name for each in place.parent.iterdir()] == ["music.wav"]


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with gcs_server() as url:
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", url)
        monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "melodify-test")
        yield BUCKET


def test_music_is_put_into_cloud_storage(bucket: str) -> None:
    from google.cloud.storage import Client

    output.write(f"gs://{bucket}/runs/1/music.wav", b"RIFF")
    with Client() as client:
        blob = client.bucket(bucket).get_blob("runs/1/music.wav")
        assert (blob.download_as_bytes(), blob.content_type) == (b"RIFF", "audio/wav")


def test_weights_in_a_bucket_are_downloaded_with_their_folders_and_gone_afterwards(bucket: str) -> None:
    for name in ("config.json", "tokenizer/vocabulary.json"):
        output.write(f"gs://{bucket}/models/small/{name}", name.encode())
    output.write(f"gs://{bucket}/models/small-other/config.json", b"another model")
    with weights.folder_of(f"gs://{bucket}/models/small") as (folder, revision):
        found = {path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file()}
        assert (found, revision) == ({"config.json", "tokenizer/vocabulary.json"}, None)
    assert not Path(folder).exists()


def test_weights_that_are_not_in_the_bucket_fail_by_name(bucket: str) -> None:
    with pytest.raises(FileNotFoundError, match="models/none"), weights.folder_of(f"gs://{bucket}/models/none"):
        pass


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("facebook/musicgen-small@4c8334b", ("facebook/musicgen-small", "4c8334b")),
        ("facebook/musicgen-small", ("facebook/musicgen-small", None)),
        ("/models/mine", ("/models/mine", None)),
    ],
)
def test_weights_of_the_hub_may_be_pinned(text: str, found: tuple[str, str | None]) -> None:
    with weights.folder_of(text) as place:
        assert place == found


def test_samples_become_a_wav_that_is_brought_down_and_not_clipped() -> None:
    sound, rate = decoded(wave_file.wav_bytes(np.array([[0.0, 2.0, -1.0], [0.5, 0.0, 1.0]]), 32_000))
    assert (rate, sound.shape) == (32_000, (3, 2))
    assert np.allclose(sound, np.array([[0, 0.25], [1, 0], [-0.5, 0.5]]), atol=1e-3)


class Predicting(BaseHTTPRequestHandler):
    """Answers each request with the server's `reply`, and keeps what was asked."""

    def do_POST(self) -> None:
        status, body = self.server.reply  # type: ignore[attr-defined]
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append((self.path, json.loads(asked)))  # type: ignore[attr-defined]
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name
        """Say nothing."""


@pytest.fixture
def vertex() -> Iterator[Any]:
    server: Any = HTTPServer(("127.0.0.1", 0), Predicting)
    server.asked = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def asked_of(vertex: Any) -> bytes:
    parent = f"http://127.0.0.1:{vertex.server_port}/v1/projects/p/locations/l"
    with requests.Session() as session:
        return bytes(lyria.ask(session, parent, "jazz", "vocals", 5))


@pytest.mark.parametrize("name", ["audioContent", "bytesBase64Encoded"])
def test_lyrias_clip_is_found_under_either_name(vertex: Any, name: str) -> None:
    vertex.reply = 200, {"predictions": [{name: base64.b64encode(b"RIFF").decode()}]}
    assert asked_of(vertex) == b"RIFF"
    ((path, body),) = vertex.asked
    assert path == "/v1/projects/p/locations/l/publishers/google/models/lyria-002:predict"
    assert body["instances"] == [{"prompt": "jazz", "negative_prompt": "vocals", "seed": 5}]


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (400, {"error": {"message": "blocked by recitation checks"}}, "answered 400: .*blocked by recitation"),
        (200, {}, "no audio"),
        (200, {"predictions": [{}]}, "no audio"),
        (200, {"predictions": [{"audioContent": "?"}]}, "no Base64"),
    ],
)
def test_a_bad_answer_of_lyria_fails_with_its_words(vertex: Any, status: int, body: Any, words: str) -> None:
    vertex.reply = status, body
    with pytest.raises(RuntimeError, match=words):
        asked_of(vertex)
    assert len(vertex.asked) == 1


def test_the_arranger_makes_the_same_sound_of_the_same_prompt_and_seed(tmp_path: Path) -> None:
    order = generate.Order(music_prompt(a_brief(), Wish()), "", 10, 3)
    for name in ("one", "two"):
        generate.run(order, "arranger", "", str(tmp_path / name))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
