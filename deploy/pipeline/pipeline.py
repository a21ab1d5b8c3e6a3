# ruff: noqa: INP001  # a script beside its package
"""The Vertex AI pipeline of Melodify: one step that turns a prompt into a WAV file. Compile it with `make pipeline`."""

import argparse
from pathlib import Path

from kfp import compiler, dsl

IMAGE = "us-central1-docker.pkg.dev/YOUR-PROJECT/melodify/music:1"
TEMPLATE = Path(__file__).with_name("melodify_music.yaml")
# Each model's weights, and the memory that loading them takes.
WEIGHTS = {"acestep": "ACE-Step/acestep-v15-xl-turbo-diffusers", "musicgen": "facebook/musicgen-small"}
MEMORY = {"acestep": "32G"}


def compose_music(
    prompt: str, negative_prompt: str, seconds: int, seed: int, output_uri: str, model: str, weights: str
) -> None:
    """Make the music of a prompt and write it to output_uri as WAV."""
    # kfp copies this body into the template: it stands alone, and the rest comes with the image.
    import logging

    from melodify_pipeline.generate import Order, run

    logging.basicConfig(level=logging.INFO)
    run(Order(prompt, negative_prompt, seconds, seed), model, weights, output_uri)


def build(image: str, accelerator: str, model: str, weights: str, template: Path) -> None:
    """Compile the pipeline for one image and one accelerator; an empty accelerator means none."""
    memory = MEMORY.get(model, "16G")
    component = dsl.component(compose_music, base_image=image, install_kfp_package=False)

    @dsl.pipeline(name="melodify-music", description="From a prompt to music in Cloud Storage.")
    def melodify_music(
        prompt: str,
        output_uri: str,
        negative_prompt: str = "",
        seconds: int = 30,
        seed: int = 0,
        model: str = model,
        weights: str = weights,
    ) -> None:
        task = component(
            prompt=prompt,
            negative_prompt=negative_prompt,
            seconds=seconds,
            seed=seed,
            output_uri=output_uri,
            model=model,
            weights=weights,
        )
        # A cached step would write nothing to the new output_uri. With template_uri nobody can switch it off later.
        task.set_caching_options(enable_caching=False)
        task.set_cpu_limit("4").set_memory_limit(memory)
        if accelerator:
            task.set_accelerator_type(accelerator).set_accelerator_limit(1)

    compiler.Compiler().compile(melodify_music, str(template))


def main() -> None:
    """Read the command line and compile."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", default=IMAGE)
    parser.add_argument("--accelerator", default="NVIDIA_L4", help="'' for none")
    parser.add_argument("--model", default="acestep", choices=("acestep", "musicgen", "lyria", "arranger"))
    parser.add_argument("--weights", help="folder, gs://, or hub name@revision")
    parser.add_argument("--output", type=Path, default=TEMPLATE)
    chosen = parser.parse_args()
    weights = WEIGHTS.get(chosen.model, "") if chosen.weights is None else chosen.weights
    build(chosen.image, chosen.accelerator, chosen.model, weights, chosen.output)


if __name__ == "__main__":
    main()
