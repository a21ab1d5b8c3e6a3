"""Whether the settings can work, found out without spending anything: forms, permission, API, bucket."""

import re
from collections.abc import Awaitable, Callable

from google.api_core import exceptions

from melodify_core.composers.pipeline.faults import FAULTS, error_of
from melodify_core.composers.pipeline.music import Music
from melodify_core.composers.pipeline.service import PipelineService
from melodify_core.config.settings import Pipeline, Vertex
from melodify_core.errors import Misconfigured
from melodify_core.google import CONSOLE, described, sentence_of, vertex_service

# A version is a hash; with a tag Vertex AI has answered 500 (googleapis/python-aiplatform, issue 2181), and tags move.
_TEMPLATE = re.compile(r"https://[\w-]+-kfp\.pkg\.dev/[\w.:-]+/[\w-]+/[\w-]+/sha256:[0-9a-f]{64}")
_LOCATION = re.compile(r"[a-z]+(-[a-z]+)+\d{1,2}")
# cloud.google.com/resource-manager/docs/labels-overview
_LABEL_KEY = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_LABEL_VALUE = re.compile(r"[a-z0-9_-]{0,63}")


async def check_settings(settings: Pipeline, vertex: Vertex, service: PipelineService, music: Music) -> None:
    """Raise Misconfigured with a sentence for each mistake; errors that may pass go through."""
    found = [
        *_wrong_forms(settings, vertex),
        await _problem(service.look(), lambda error: _vertex_problem(error, vertex)),
    ]
    if settings.output:
        found.append(
            await _problem(
                music.look(settings.output + "/"), lambda error: _bucket_problem(error, settings.output, vertex)
            )
        )
    problems = [problem for problem in dict.fromkeys(found) if problem]
    if problems:
        raise Misconfigured(*problems)


def _wrong_forms(settings: Pipeline, vertex: Vertex) -> list[str]:
    problems = []
    if not _TEMPLATE.fullmatch(settings.template_uri):
        problems.append(
            "pipeline.template_uri: expected an address in Artifact Registry that is pinned by its hash, "
            "https://REGION-kfp.pkg.dev/PROJECT/REPOSITORY/melodify-music/sha256:...; deploy/pipeline/README.md says "
            "how to get it."
        )
    if not settings.output:
        problems.append("pipeline.output is missing: a folder in Cloud Storage such as gs://bucket/pipeline.")
    if not _LOCATION.fullmatch(vertex.location):
        problems.append(f'vertex.location: "{vertex.location}" is no region of Vertex AI such as us-central1.')
    bad = [
        key
        for key, value in settings.labels.items()
        if not (_LABEL_KEY.fullmatch(key) and _LABEL_VALUE.fullmatch(value))
    ]
    if bad:
        problems.append(
            f"pipeline.labels: {', '.join(bad)} cannot be a label: lower-case letters, digits, _ and -, at most 63."
        )
    return problems


async def _problem(looking: Awaitable[None], sentence: Callable[[Exception], str]) -> str:
    """Return what is wrong, if anything is. What may be gone with the next look goes through."""
    try:
        await looking
    except FAULTS as error:
        if error_of(error).code != "provider.misconfigured":
            raise
        return sentence(error)
    return ""


def _vertex_problem(error: Exception, vertex: Vertex) -> str:
    # Project or region: Vertex AI does not say which of them it does not know.
    sentence = "" if isinstance(error, exceptions.NotFound) else sentence_of(error, vertex_service(vertex))
    return sentence or (
        f"vertex.project, vertex.location: Vertex AI knows no pipelines in {vertex.project}, {vertex.location} "
        f"({described(error)})."
    )


def _bucket_problem(error: Exception, output: str, vertex: Vertex) -> str:
    bucket = output.removeprefix("gs://").partition("/")[0]
    page = f"{CONSOLE}/storage/browser/{bucket}"
    match error:
        case exceptions.NotFound():
            return f'pipeline.output: there is no bucket "{bucket}"; make it at {CONSOLE}/storage.'
        case exceptions.Forbidden() | exceptions.Unauthorized():
            return (
                f'pipeline.output: the account may not read the bucket "{bucket}"; give it the role Storage Object '
                f"Viewer at {page}."
            )
        case exceptions.ClientError():
            return f"pipeline.output: {output} cannot be used ({described(error)})."
        case _:
            return _vertex_problem(error, vertex)
