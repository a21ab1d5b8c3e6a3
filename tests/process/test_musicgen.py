"""ACE-Step's and MusicGen's loading and generating code on tiny models of random weights, in an environment with torch.

torch has gigabytes and stays out of the project's environments. `make test-musicgen` builds one for this test.
"""

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sounds import decoded

ROOT = Path(__file__).parents[2]
PYTHON = Path(os.environ.get("MELODIFY_MUSICGEN_PYTHON") or ROOT / ".venv-musicgen/bin/python")
PROMPT = "Warm jazz. 84 BPM in a major key."

# Models with all the parts of the real ones, 3200 samples and 25 frames a second.
MUSICGEN = """
import sys
import torch
from transformers import (
    EncodecConfig, EncodecFeatureExtractor, MusicgenConfig, MusicgenDecoderConfig, MusicgenForConditionalGeneration,
    MusicgenProcessor, T5Config, T5Tokenizer,
)

torch.manual_seed(0)
model = MusicgenForConditionalGeneration(MusicgenConfig(
    text_encoder=T5Config(vocab_size=64, d_model=16, d_kv=8, d_ff=32, num_layers=1, num_heads=2),
    audio_encoder=EncodecConfig(
        sampling_rate=3200, hidden_size=16, num_filters=4, upsampling_ratios=[16, 8], codebook_size=32,
        codebook_dim=16, target_bandwidths=[0.5], num_lstm_layers=1,
    ),
    decoder=MusicgenDecoderConfig(
        vocab_size=32, num_hidden_layers=1, ffn_dim=32, num_attention_heads=2, hidden_size=16, num_codebooks=4,
        bos_token_id=32, pad_token_id=32,
    ),
))
for layer in model.audio_encoder.quantizer.layers:
    layer.codebook.embed.normal_()  # fresh ones are zero: every code would sound alike
model.save_pretrained(sys.argv[1])
letters = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("\\u2581", -1.0)]
letters += [(letter, -2.0) for letter in "abcdefghijklmnopqrstuvwxyz"]
tokenizer = T5Tokenizer(vocab=letters, extra_ids=0)
MusicgenProcessor(EncodecFeatureExtractor(feature_size=1, sampling_rate=3200), tokenizer).save_pretrained(sys.argv[1])
"""

ACESTEP = """
import sys
import torch
from diffusers import AceStepPipeline, AceStepTransformer1DModel, AutoencoderOobleck, FlowMatchEulerDiscreteScheduler
from diffusers.pipelines.ace_step import AceStepConditionEncoder
from tokenizers.pre_tokenizers import ByteLevel
from transformers import Qwen2Tokenizer, Qwen3Config, Qwen3Model

torch.manual_seed(0)
small = dict(hidden_size=16, intermediate_size=32, num_attention_heads=2, num_key_value_heads=1, head_dim=8)
letters = [*sorted(ByteLevel.alphabet()), "<|endoftext|>"]
AceStepPipeline(
    vae=AutoencoderOobleck(
        encoder_hidden_size=8, downsampling_ratios=[8, 16], channel_multiples=[1, 2], decoder_channels=8,
        decoder_input_channels=8, audio_channels=2, sampling_rate=3200,
    ),
    text_encoder=Qwen3Model(Qwen3Config(vocab_size=len(letters), num_hidden_layers=1, **small)),
    tokenizer=Qwen2Tokenizer(vocab={letter: place for place, letter in enumerate(letters)}, merges=[]),
    transformer=AceStepTransformer1DModel(
        num_hidden_layers=2, in_channels=24, audio_acoustic_hidden_dim=8, is_turbo=True, **small
    ),
    condition_encoder=AceStepConditionEncoder(
        text_hidden_dim=16, timbre_hidden_dim=8, num_lyric_encoder_hidden_layers=1,
        num_timbre_encoder_hidden_layers=1, **small,
    ),
    scheduler=FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0),
).save_pretrained(sys.argv[1])
"""
TINY = {"acestep": ACESTEP, "musicgen": MUSICGEN}

GENERATE = """
import sys
from melodify_pipeline.generate import Order, run

model, weights, prompt, seconds, seed, place = sys.argv[1:]
run(Order(prompt, "", int(seconds), int(seed)), model, weights, place)
"""


def run(script: str, *arguments: str | Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    environment |= {"PYTHONPATH": f"{ROOT}:{ROOT}/deploy/pipeline", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [str(PYTHON), "-c", script, *map(str, arguments)], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@dataclass
class Model:
    """A tiny model and its weights."""

    name: str
    weights: Path

    def wav(self, place: Path, seconds: int = 3, seed: int = 1) -> bytes:
        run(GENERATE, self.name, self.weights, PROMPT, str(seconds), str(seed), place)
        return place.read_bytes()


@pytest.fixture(scope="module", params=TINY)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    if not PYTHON.exists():
        pytest.skip("torch, transformers and diffusers are not installed: `make test-musicgen`")
    folder = tmp_path_factory.mktemp("weights")
    run(TINY[request.param], folder)
    return Model(request.param, folder)


def test_music_has_the_asked_length_and_the_models_rate(model: Model, tmp_path: Path) -> None:
    sound, rate = decoded(model.wav(tmp_path / "a.wav"))
    assert (len(sound), rate) == (3 * 3200, 3200)
    assert sound.std() > 0


def test_the_same_seed_gives_the_same_sound_and_another_one_another(model: Model, tmp_path: Path) -> None:
    first, second, other = (model.wav(tmp_path / f"{n}.wav", seed=seed) for n, seed in enumerate((1, 1, 2)))
    assert first == second != other


def test_music_longer_than_a_model_hears_goes_on(model: Model, tmp_path: Path) -> None:
    sound, rate = decoded(model.wav(tmp_path / "long.wav", seconds=35))
    assert len(sound) == 35 * rate
    assert sound[31 * rate :].std() > 0
