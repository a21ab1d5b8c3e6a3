"""What is ordered: the run's id, made of the job's, and all that is sent to Vertex AI. The template says the rest."""

import hashlib
import re

from google.cloud.aiplatform_v1.types import PipelineJob

from melodify_core.brief import NEGATIVE_PROMPT, music_prompt
from melodify_core.config.settings import Pipeline
from melodify_core.models import Brief, Wish
from melodify_core.ports import ProviderContext

# Vertex AI's rule is ^[a-z][-a-z0-9]{0,127}$; "melodify-" comes before it.
_PLAIN = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")


def slug(job_id: str) -> str:
    """Return the job's id where names and labels take it as it is, as Discord's; else a hash of it."""
    return job_id if _PLAIN.fullmatch(job_id) else hashlib.sha256(job_id.encode()).hexdigest()[:40]


def run_id(job_id: str) -> str:
    """Return the id of the job's run: a repeat asks for the same, and Vertex AI has it already."""
    return f"melodify-{slug(job_id)}"


def output_uri(settings: Pipeline, job_id: str) -> str:
    """Return where the job's run writes its music."""
    return f"{settings.output}/{slug(job_id)}/music.wav"


def order_of(settings: Pipeline, brief: Brief, wish: Wish, context: ProviderContext) -> PipelineJob:
    """Return the run to be created. No spec: Vertex AI fetches the template, and we need no kfp.

    Caching is off in the template itself, the only place where that is possible then.
    """
    return PipelineJob(
        display_name=run_id(context.job_id),
        template_uri=settings.template_uri,
        labels=settings.labels
        | {"melodify_job": slug(context.job_id), "melodify_guild": str(context.guild_id or "dm")},
        runtime_config=PipelineJob.RuntimeConfig(
            gcs_output_directory=f"{settings.output}/runs",
            parameter_values={
                "prompt": music_prompt(brief, wish),
                "negative_prompt": NEGATIVE_PROMPT,
                "seconds": wish.seconds,
                "seed": context.seed,
                "output_uri": output_uri(settings, context.job_id),
            },
        ),
        service_account=settings.service_account,
        network=settings.network,
    )


def model_of(settings: Pipeline) -> str:
    """Return how the songs name what made them: the template and its version, shortened where it is a hash."""
    parts = settings.template_uri.rstrip("/").split("/")
    return " ".join(parts[-2:]).replace("sha256:", "")[:60]
