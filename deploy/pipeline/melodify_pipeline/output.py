"""Where the music goes: a Cloud Storage object (gs://), or a file for runs without a cloud."""

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit

CONTENT_TYPE = "audio/wav"


def check(uri: str) -> None:
    """Raise ValueError unless `write` can understand the address."""
    scheme, _, rest = uri.partition("://")
    if scheme == "gs" and all(rest.partition("/")[::2]) and not rest.endswith("/"):
        return
    if scheme == "file" or uri.startswith("/"):
        return
    raise ValueError(f"output_uri must be gs://bucket/name, file:///path or an absolute path, not {uri}")


def write(uri: str, data: bytes) -> None:
    """Store the whole or nothing; what stood there is replaced."""
    check(uri)
    if uri.startswith("gs://"):
        _upload(uri, data)
        return
    path = Path(unquote(urlsplit(uri).path)) if uri.startswith("file://") else Path(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.write_bytes(data)
    unfinished.replace(path)


def _upload(uri: str, data: bytes) -> None:
    from google.cloud.storage import Client

    bucket, _, name = uri.removeprefix("gs://").partition("/")
    # STORAGE_EMULATOR_HOST leads the client elsewhere in tests.
    with Client() as client:
        client.bucket(bucket).blob(name).upload_from_string(data, content_type=CONTENT_TYPE, checksum="crc32c")
