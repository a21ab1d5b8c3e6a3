"""What the production path's stories share: OpenAI and Cloud Storage on loopback, and settings that choose them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client

from melodify_core.config.settings import Settings
from tests.gcs_server import BUCKET, gcs_server
from tests.gcs_server import settings_of as gcs_settings_of
from tests.openai_server import OpenAIServer, openai_server
from tests.stories import story_settings

SECRET = "sk-story-0123456789abcdef"


@pytest.fixture(scope="module")
def bucket() -> Iterator[Client]:
    with gcs_server() as url:
        anybody = AnonymousCredentials()
        client = Client(project="melodify-test", credentials=anybody, client_options={"api_endpoint": url})
        yield client
        client.close()


@pytest.fixture(scope="module")
async def openai() -> AsyncIterator[OpenAIServer]:
    async with openai_server() as server:
        yield server


def production(folder: Path, openai: OpenAIServer, bucket: Client, **tables: Any) -> Settings:
    """Return settings that choose the real captioner and storage, on loopback."""
    storage = gcs_settings_of(str(bucket.api_endpoint), deadline_s=60.0).model_dump()
    chosen = {"captioner": "openai", "storage": "gcs", "gcs": storage}
    reading = {"openai": {"base_url": openai.url, "api_key": SECRET, "tries": 1}}
    return story_settings(folder, **(chosen | reading | tables))


def keys_in(bucket: Client, settings: Settings) -> set[str]:
    """Return the kinds of what is stored, by its first part."""
    names = [str(blob.name) for blob in bucket.list_blobs(BUCKET, prefix=settings.gcs.prefix)]
    return {name.removeprefix(settings.gcs.prefix).partition("/")[0] for name in names}
