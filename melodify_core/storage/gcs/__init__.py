"""Storage in a Google Cloud Storage bucket: objects, signed links, and the rules that delete old pictures and takes."""

from melodify_core.storage.gcs.storage import GcsStorage

__all__ = ["GcsStorage"]
