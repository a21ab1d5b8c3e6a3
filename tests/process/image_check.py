"""`make image-check`: the image's steps as far as they go without a container engine.

Runs the Dockerfile's own installation in an empty folder, then starts what they installed as a user
who may write to the data folder only, has it make a song on a loopback Discord, and drains it with SIGTERM. Takes
minutes, and needs the package index.
"""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.discord_server import TOKEN, Discord, little_discord
from tests.pictures import sunset

ROOT = Path(__file__).parents[2]
NOBODY = 65534


def first_stage() -> tuple[list[str], str]:
    """Return what the Dockerfile's first stage copies, and the command that it runs."""
    stage = (ROOT / "Dockerfile").read_text().split("FROM ")[1]
    copied = [name for line in re.findall(r"^COPY (.*) \S+$", stage, re.MULTILINE) for name in line.split()]
    (command,) = re.findall(r"^RUN (.*)$", stage, re.MULTILINE)
    return copied, command


def interpreter() -> str:
    """Return a Python that another user can run, too: root's own may lie where nobody else can look."""
    here = Path(sys.executable).resolve()
    if os.getuid() != 0 or all(parent.stat().st_mode & 0o001 for parent in here.parents):
        return str(here)
    others = (shutil.which("python3", path=folder) for folder in ("/usr/local/bin", "/usr/bin"))
    found = next((other for other in others if other and _makes_environments(other)), None)
    return found or sys.exit(f"{here} can be run by root only, and there is no other Python with ensurepip")


def _makes_environments(python: str) -> bool:
    return subprocess.run([python, "-m", "ensurepip", "--version"], capture_output=True, check=False).returncode == 0


def install(source: Path, prefix: Path) -> None:
    """Do what the first stage does in `source`, with the environment at `prefix` instead of /opt/melodify."""
    copied, command = first_stage()
    for name in copied:
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    print(f"$ {command}")
    here = command.replace("/opt/melodify", str(prefix)).replace("python ", f"{interpreter()} ", 1)
    subprocess.run(["bash", "-c", here], cwd=source, check=True)


async def serve(prefix: Path, data: Path, world: Discord) -> None:
    """Start the image's command as somebody else, have a song made, and drain it."""
    environment = {
        "PATH": f"{prefix}/bin:/usr/bin:/bin",
        "HOME": "/nonexistent",
        "PYTHONDONTWRITEBYTECODE": "1",
        "MELODIFY_DATABASE__URL": f"sqlite:///{data}/melodify.db",
        "MELODIFY_FOLDER__PATH": f"{data}/files",
        "MELODIFY_DISCORD__TOKEN": TOKEN,
        "MELODIFY_DISCORD__API_URL": world.api_url,
        "MELODIFY_DISCORD__GATEWAY_URL": world.gateway_url,
    }
    other = os.getuid() == 0
    process = await asyncio.create_subprocess_exec(
        *(f"{prefix}/bin/melodify", "run"),
        cwd="/",
        env=environment,
        stderr=asyncio.subprocess.PIPE,
        user=NOBODY if other else None,
        group=NOBODY if other else None,
        extra_groups=[] if other else None,
    )
    try:
        await world.connected(60)
        await world.post_picture(sunset())
        async with asyncio.timeout(120):
            while not world.songs():
                await asyncio.sleep(0.1)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, log = await asyncio.wait_for(process.communicate(), 30)
    finally:
        if process.returncode is None:
            process.kill()
    if process.returncode != 0:
        sys.exit(f"it ended with {process.returncode}:\n{log.decode()}")
    print(
        f"started as user {NOBODY if other else os.getuid()}, made a song, drained in {time.monotonic() - began:.1f} s"
    )


def main() -> None:
    """Install and serve in a folder of their own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="melodify-image-") as folder:
        root = Path(folder)
        root.chmod(0o755)
        prefix, source, data = root / "opt", root / "src", root / "data"
        source.mkdir()
        data.mkdir()
        install(source, prefix)
        if os.getuid() == 0:
            os.chown(data, NOBODY, NOBODY)
        asyncio.run(_serve_on_loopback(prefix, data))
        # Nothing was written where the image's file system is read-only.
        strays = [path for path in prefix.rglob("*") if path.stat().st_uid == NOBODY]
        if strays:
            sys.exit(f"written outside the data folder: {strays[:5]}")
        size = sum(path.stat().st_size for path in prefix.rglob("*") if path.is_file())
        print(f"the environment has {size / 1e6:.0f} MB")


async def _serve_on_loopback(prefix: Path, data: Path) -> None:
    async with little_discord() as world:
        await serve(prefix, data, world)


if __name__ == "__main__":
    main()
