"""Measures what the Cloud Storage adapter adds to the server's time, with the real SDK and a server on loopback."""

import asyncio
import json
import os
import statistics
import time

import requests

from melodify_core.storage.gcs import GcsStorage
from tests.gcs_server import BUCKET, gcs_server, settings_of

JOBS = 30
# One job's files: a picture, Lyria's WAV, the song.
SIZES = {"pictures/{}.jpg": 150_000, "takes/{}.wav": 6_300_000, "songs/{}.mp3": 1_200_000}


async def through_adapter(url: str) -> list[float]:
    """Return the seconds that the three files of each job take to be saved and loaded."""
    storage = GcsStorage(settings_of(url))
    await storage.check()  # connect, as at a start
    times = []
    for job in range(JOBS):
        files = {key.format(job): os.urandom(size) for key, size in SIZES.items()}
        started = time.perf_counter()
        for key, data in files.items():
            await storage.save(key, data, "audio/mpeg")
            await storage.load(key)
        times.append(time.perf_counter() - started)
    await storage.close()
    return times


def bare(url: str) -> list[float]:
    """Return the seconds for the same requests, ready-made and without the SDK."""
    times = []
    with requests.Session() as session:
        for job in range(JOBS):
            bodies = {key.format(job): multipart(f"bare/{key.format(job)}", size) for key, size in SIZES.items()}
            started = time.perf_counter()
            for key, body in bodies.items():
                session.post(
                    f"{url}/upload/storage/v1/b/{BUCKET}/o?uploadType=multipart",
                    data=body,
                    headers={"Content-Type": "multipart/related; boundary=edge"},
                    timeout=30,
                ).raise_for_status()
                path = f"bare/{key}".replace("/", "%2F")
                session.get(f"{url}/download/storage/v1/b/{BUCKET}/o/{path}?alt=media", timeout=30).raise_for_status()
            times.append(time.perf_counter() - started)
    return times


def multipart(name: str, size: int) -> bytes:
    """Return the body of an upload as the SDK sends it."""
    part = b"--edge\r\ncontent-type: %s\r\n\r\n%s\r\n"
    about = json.dumps({"name": name}).encode()
    return part % (b"application/json", about) + part % (b"audio/mpeg", os.urandom(size)) + b"--edge--"


def main() -> None:
    """Print the figure."""
    with gcs_server() as url:
        whole, own = (statistics.median(times) * 1000 for times in (asyncio.run(through_adapter(url)), bare(url)))
    print(
        f"gcs, a job's three files saved and loaded: {whole:.0f} ms, of which the server's own {own:.0f} ms: "
        f"overhead {whole - own:.0f} ms at the median (target: <= 60 ms)"
    )


if __name__ == "__main__":
    main()
