"""A real bot, with its gateway, that serves members until it is killed. Only the providers are small.

`python -m tests.process.asking_worker PLAN` where PLAN is JSON.
"""

import asyncio
import json
import sys
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from bot.client import MelodifyClient
from melodify_core.bootstrap import Services, open_services
from melodify_core.config.settings import Settings
from melodify_core.observability.health import Health
from melodify_core.ports import Delivery
from melodify_core.providers import Providers
from melodify_core.storage.folder import FolderStorage
from tests.discord_server import TOKEN
from tests.process.crash_worker import Player, Reader, Threads


async def main(plan: dict[str, Any]) -> None:
    """Serve until somebody ends the process."""
    settings = Settings.model_validate(plan["settings"] | {"discord": plan["discord"] | {"token": TOKEN}})
    log, threads = Path(plan["log"]), Threads()
    providers = Providers(Reader(log), Player(log), FolderStorage(settings.folder.path))

    def opened(delivery: Delivery, *, health: Health) -> AbstractAsyncContextManager[Services]:
        return open_services(settings, delivery, threads, providers=providers, health=health)

    client = MelodifyClient(settings, opened)
    async with client:
        await client.start(TOKEN)


if __name__ == "__main__":
    asyncio.run(main(json.loads(sys.argv[1])))
