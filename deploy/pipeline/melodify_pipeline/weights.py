"""Where the weights of a model are: a folder, a bucket, or the Hugging Face hub."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def folder_of(weights: str) -> Iterator[tuple[str, str | None]]:
    """Yield where transformers finds the weights, and their revision; those of a bucket are downloaded first."""
    if not weights.startswith("gs://"):
        name, _, revision = weights.partition("@")
        yield name, revision or None
        return
    with tempfile.TemporaryDirectory(prefix="weights-") as folder:
        _download(weights, Path(folder))
        yield folder, None


def _download(uri: str, folder: Path) -> None:
    from google.cloud.storage import Client

    bucket, _, prefix = uri.removeprefix("gs://").partition("/")
    prefix = prefix.rstrip("/") + "/"
    blobs = [blob for blob in Client().list_blobs(bucket, prefix=prefix) if not blob.name.endswith("/")]
    if not blobs:
        raise FileNotFoundError(f"no weights at {uri}")
    for blob in blobs:
        path = (folder / blob.name.removeprefix(prefix)).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise ValueError(f"{blob.name} leads out of its folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        blob.download_to_filename(path)
