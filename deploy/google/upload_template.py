"""upload_template.py FILE REGISTRY TAG: uploads a compiled pipeline and prints its address, pinned by version.

Runs in `.venv-pipeline` (kfp), with the credentials of its caller.
"""

import sys

from kfp.registry import RegistryClient


def main(path: str, registry: str, tag: str) -> str:
    """Return the address for `pipeline.template_uri`."""
    package, version = RegistryClient(host=registry).upload_pipeline(file_name=path, tags=[tag])
    return f"{registry}/{package}/{version}"


if __name__ == "__main__":
    print(main(*sys.argv[1:4]))
