"""`make image-check`: build the image for real, and have it run as in a container.

Each variant is built from the Dockerfile, measured against its base, and asked `check`; then it makes a song on a
loopback Discord and is drained with SIGTERM. Needs root, Debian's buildah and debootstrap, and the package index.
"""

import asyncio
import os
import re
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.discord_server import TOKEN, little_discord
from tests.pictures import sunset
from tests.process.container import BASE, Image, build, make_base, missing, opened, size_mb

# How many MB an image may have over its base.
LIMITS_MB = {"image": 450, "image-full": 700}
DRAIN_S = 30.0


def main() -> None:
    """Check both variants, or those that the command line names."""
    if sentence := missing():
        sys.exit(sentence)
    make_base()
    for providers in sys.argv[1:] or LIMITS_MB:
        print("\n".join(check(providers)))


def check(providers: str) -> list[str]:
    """Return what is to be said of a variant. Raises AssertionError for one that does not do its work."""
    began = time.monotonic()
    tag = build(providers)
    built_s = time.monotonic() - began
    with opened(BASE) as base, opened(tag) as image, tempfile.TemporaryDirectory() as name:
        size = size_mb(image.folder) - size_mb(base.folder)
        assert size <= LIMITS_MB[providers], f"{tag} has {size:.0f} MB over its base"
        data = Path(name)
        uid = int(image.settings["User"])
        os.chown(data, uid, uid)
        checked, sentence = asyncio.run(_used(image, data))
        return [
            f"{tag}: built in {built_s:.0f} s, {size:.0f} MB over its base (target: <= {LIMITS_MB[providers]} MB)",
            *(line for line in checked.splitlines() if "midirenderer" in line),
            sentence,
        ]


async def _used(image: Image, data: Path) -> tuple[str, str]:
    async with little_discord() as world:
        variables = {
            "MELODIFY_DISCORD__TOKEN": TOKEN,
            "MELODIFY_DISCORD__API_URL": world.api_url,
            "MELODIFY_DISCORD__GATEWAY_URL": world.gateway_url,
        }
        checking = await image.start(data, "melodify", "check", **variables)
        checked, errors = await asyncio.wait_for(checking.communicate(), 120)
        assert checking.returncode == 0, (checked + errors).decode()
        await _cannot_write(image, data)
        process = await image.start(data, **variables)
        try:
            await world.connected(60)
            (user,) = {status.split()[0] for status in _users_of(process.pid)}
            assert user == image.settings["User"]
            await world.post_picture(sunset())
            async with asyncio.timeout(120):
                while not world.songs():
                    await asyncio.sleep(0.1)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            _, log = await asyncio.wait_for(process.communicate(), DRAIN_S)
        finally:
            if process.returncode is None:
                process.kill()
        assert process.returncode == 0, log.decode()
        drained_s = time.monotonic() - began
    return checked.decode(), f"as user {user}: checked, made a song, drained in {drained_s:.1f} s"


async def _cannot_write(image: Image, data: Path) -> None:
    script = "import pathlib; pathlib.Path('/opt/melodify/here').touch()"
    writing = await image.start(data, "python", "-c", script)
    _, errors = await writing.communicate()
    assert b"Read-only file system" in errors, errors.decode()


def _users_of(pid: int) -> list[str]:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return re.findall(r"Uid:\s+(\d+)", status)


if __name__ == "__main__":
    main()
