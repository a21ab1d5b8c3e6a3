"""The image, built and run as root without a container engine: debootstrap makes its base, buildah builds it.

What is run sees the image's own variables, command and user, a root that is read-only, and nothing to write to but its
data folder and /tmp. The base is kept in `build/image`.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STORE = ROOT / "build" / "image"
SUITE, BASE = "trixie", "docker.io/library/python:3.13-slim"  # Debian 13 has Python 3.13
PACKAGES = "python3,python3-venv,ca-certificates,passwd"
CERTIFICATES = Path("/etc/ssl/certs")


def missing() -> str:
    """Return a sentence about what keeps the image from being built here; "" when nothing does."""
    absent = [name for name in ("buildah", "debootstrap") if shutil.which(name) is None]
    if absent:
        return f"The image is built with Debian's buildah and debootstrap: apt-get install {' '.join(absent)}."
    return "" if os.getuid() == 0 else "The image can be built without a container engine by root only."


def buildah(*arguments: str | Path) -> str:
    """Return what buildah prints, in a storage of our own. Raises CalledProcessError."""
    storage = ("--storage-driver", "vfs", "--root", STORE / "storage", "--runroot", STORE / "run")
    done = subprocess.run(["buildah", *storage, *arguments], stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.strip()


def make_base() -> None:
    """Make what stands for the Dockerfile's base, once."""
    if BASE in buildah("images", "--format", "{{.Name}}:{{.Tag}}").split():
        return
    STORE.mkdir(parents=True, exist_ok=True)
    folder = STORE / "base"
    subprocess.run(
        ["debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, folder],
        stdout=subprocess.DEVNULL,
        check=True,
    )
    (folder / "usr/bin/python").symlink_to("python3")
    shutil.rmtree(folder / "var/cache/apt")
    shutil.rmtree(folder / "var/lib/apt/lists")
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, folder, "/")
    buildah("config", "--env", "PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", container)
    buildah("commit", "--quiet", container, BASE)
    buildah("rm", container)
    shutil.rmtree(folder)


def build(providers: str) -> str:
    """Return the name of the image that the Dockerfile makes with these providers."""
    tag = f"melodify-{providers}"
    dockerfile = STORE / "Dockerfile"
    dockerfile.write_text(re.sub(r"@sha256:\w+", "", (ROOT / "Dockerfile").read_text()))
    # What an interrupted build has left.
    buildah("rm", "--all")
    buildah("rmi", "--prune")
    shared = [word for source, target in registry().items() for word in ("--volume", f"{source}:{target}:ro")]
    # Docker's format keeps the health check.
    how = ["--quiet", "--format=docker", "--isolation=chroot", "--network=host", "--pull-never", "--layers=false"]
    buildah("bud", *how, *shared, f"--build-arg=PROVIDERS={providers}", f"--tag={tag}", f"--file={dockerfile}", ROOT)
    return tag


def registry() -> dict[Path, str]:
    """Return which files of this machine the installers need to reach its package registry, and where they look."""
    listed = subprocess.run(["python3", "-m", "pip", "config", "list"], capture_output=True, text=True, check=True)
    found = dict(re.findall(r"^(?:global|install|:env:)\.([\w-]+)='(.*)'$", listed.stdout, re.MULTILINE))
    lines = [f"{name} = {value}\n" for name, value in found.items() if name != "disable-pip-version-check"]
    pip, uv = STORE / "pip.conf", STORE / "uv.toml"
    pip.write_text("[global]\n" + "".join(lines))
    uv.write_text("native-tls = true\n")
    words = [word for value in found.values() for word in value.split()]
    # A local index refers to files beside it.
    named = [Path(word[7:]).parent if word.startswith("file://") else Path(word) for word in words]
    local = {path: str(path) for path in named if path.is_absolute() and path.exists()}
    return {pip: "/etc/pip.conf", uv: "/etc/uv/uv.toml", CERTIFICATES: str(CERTIFICATES), **local}


@dataclass(frozen=True, slots=True)
class Image:
    """A built image whose files lie in `folder`."""

    folder: Path
    settings: Mapping[str, Any]

    @property
    def variables(self) -> dict[str, str]:
        """Return the variables of the image."""
        return dict(each.split("=", 1) for each in self.settings["Env"])

    def command(self, data: Path, *words: str) -> list[str]:
        """Return the command that runs words, or the image's own command, as docker's --read-only and --tmpfs do."""
        user = self.settings["User"]
        return [
            *("unshare", "--mount", "sh", "-euc", _ENTER, "enter"),
            *(str(self.folder), str(data), user, *(words or self.settings["Cmd"])),
        ]

    async def start(self, data: Path, *words: str, **variables: str) -> asyncio.subprocess.Process:
        """Start that with the image's variables and these."""
        return await asyncio.create_subprocess_exec(
            *self.command(data, *words),
            env=self.variables | variables,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )


# `exec` throughout, so that a signal reaches the program as it does in a container.
_ENTER = """
root=$1 data=$2 user=$3; shift 3
mount --bind "$root" "$root"
mount --bind "$data" "$root/data"
mount -t tmpfs tmpfs "$root/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -o remount,bind,ro "$root"
exec chroot --userspec "$user:$user" "$root" "$@"
"""


@contextmanager
def opened(tag: str) -> Iterator[Image]:
    """Yield an image with its files."""
    container = buildah("from", "--pull-never", tag)
    try:
        config = json.loads(buildah("inspect", "--type", "image", tag))["OCIv1"]["config"]
        yield Image(Path(buildah("mount", container)), config)
    finally:
        buildah("rm", container)


def forget(tag: str) -> None:
    """Delete a built image, which takes a gigabyte of the disk."""
    buildah("rmi", tag)


def size_mb(folder: Path) -> float:
    """Return the megabytes of all files in a folder; a file with several names counts once."""
    sizes = {(stat.st_dev, stat.st_ino): stat.st_size for stat in (path.lstat() for path in folder.rglob("*"))}
    return sum(sizes.values()) / 1e6
