"""Every command of every document, carried out: the host's ones in the folder of a bot that has made a song.

What cannot run here (containers, Google's cloud, installers, what takes minutes) is checked as far as it can be; its
function says why, and what runs it really. A command that has no way below fails the test.
"""

import asyncio
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest

from deploy.install import ENVIRONMENTS
from quality.__main__ import PARTS
from tests.discord_server import TOKEN, Discord, little_discord
from tests.pictures import sunset
from tests.process.prepared import ROOT, Prepared
from tests.process.running import melodify, until
from tests.unit.test_documents import NAMES, text_of

TOOLS = Path(sys.executable).parent
PATIENCE_S = 120.0
PROGRAMS = (
    *("make", "melodify", "python", "python3", "pip", "pipx", "uvx", "docker", "gcloud", "git", "install", "ulimit"),
    *("systemctl", "pg_dump", "curl", "sudo", "apt-get", "kubectl", "promtool"),
)


def commands() -> dict[str, str]:
    """Return each command with the first document that has it, as one line."""
    found: dict[str, str] = {}
    for name in sorted({*NAMES} - {"CHANGELOG.md"}):  # which tells and does not instruct
        fences = re.findall(r"^ *```(?:bash|console)?\n(.*?)^ *```", text_of(name), re.MULTILINE | re.DOTALL)
        lines = [line for fence in fences for line in _whole(re.sub(r"\\\n\s*", "", fence))]
        prose = re.sub(r"^ *```.*?^ *```", "", text_of(name), flags=re.MULTILINE | re.DOTALL)
        for text in (*lines, *re.findall(r"`([^`]+)`", prose)):
            line = " ".join(text.replace("\\|", "|").split())
            program, _, rest = re.sub(r"^([A-Z_]+=\S+ )+", "", line).partition(" ")
            if (program in PROGRAMS and rest) or program.startswith(".venv"):
                found.setdefault(line, name)
    return {line: name for line, name in found.items() if not re.fullmatch(r"\.venv[\w-]*(/bin/melodify)?", line)}


def _whole(fence: str) -> list[str]:
    """Return the fence's lines; a line break between quotation marks is none."""
    lines: list[str] = []
    for line in fence.splitlines():
        if lines and lines[-1].count("'") % 2:
            lines[-1] += f" {line.strip()}"
        else:
            lines.append(line)
    return lines


@dataclass(frozen=True, slots=True)
class Host:
    """The folder of a bot that has made a song, with what a host has beside it."""

    folder: Path
    world: Discord
    job_id: str

    @property
    def environment(self) -> dict[str, str]:
        mine = {name: value for name, value in os.environ.items() if not name.startswith("MELODIFY_")}
        return mine | {
            "MELODIFY_DISCORD__TOKEN": TOKEN,
            "MELODIFY_DISCORD__API_URL": self.world.api_url,
            "MELODIFY_DISCORD__GATEWAY_URL": self.world.gateway_url,
            "PYTHONPATH": str(ROOT),
            "XDG_CONFIG_HOME": str(self.folder / "home"),
        }

    async def says(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `melodify` with the arguments; the world answers meanwhile."""
        process = Prepared(("bot", *arguments), self.folder, self.environment)
        done = await asyncio.to_thread(process.finish, PATIENCE_S)
        assert "Traceback" not in done.stderr
        return done


@pytest.fixture(scope="module")
async def host(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Host]:
    folder = tmp_path_factory.mktemp("host")
    (folder / "photo.jpg").write_bytes(sunset())
    (folder / "token.txt").write_text(f"{TOKEN}\n")
    (folder / "key.txt").write_text("k-1234567\n")
    async with little_discord() as world:
        async with melodify(world, folder) as process:
            await world.connected()
            await world.post_picture(sunset())
            await until(world.songs)
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 40) == 0
        host = Host(folder, world, "")
        [job] = json.loads((await host.says("jobs", "list", "--json")).stdout)
        assert (await host.says("backup", "copy.db")).returncode == 0
        yield Host(folder, world, str(job["job_id"]))


# What ends by itself

# A finished job can be neither cancelled nor tried again, and several processes want PostgreSQL.
# tests/process/test_job_admin.py and test_worker_process.py see these succeed.
REFUSED = {
    "jobs cancel": "has ended already",
    "jobs retry": "only a failed job",
    "worker": "PostgreSQL",
    "run --no-work": "PostgreSQL",
}


async def _melodify(host: Host, line: str) -> None:
    """Run it as it stands, with a picture, a job and a file for their names."""
    words = shlex.split(line)[1:]
    given = {"ID": host.job_id, "PICTURE": "photo.jpg", "NAME": "jazz"}
    given["FILE"] = "copy.db" if {"--verify", "restore"} & {*words} else f"{abs(hash(line))}.db"
    done = await host.says(*(given.get(word, word) for word in words))
    refusal = next((said for start, said in REFUSED.items() if " ".join(words).startswith(start)), None)
    assert done.returncode == (2 if refusal else 0), done.stdout + done.stderr
    assert (refusal or "") in done.stderr


async def _synopsis(host: Host, line: str) -> None:
    """Ask for the help of the command whose options the line lists; tests/unit/test_documents.py compares the two."""
    done = await host.says(line.split()[1], "--help")
    assert done.returncode == 0
    assert "usage" in done.stdout


async def _set_up(host: Host, line: str) -> None:
    """Have it show what it would write; tests/process/test_setup.py answers what it asks."""
    words = shlex.split(line)[1:]
    done = await host.says(
        *words, "--check", "--offline", *([] if "--token-file" in words else ["--yes", "--token-file", "token.txt"])
    )
    assert done.returncode == 0, done.stderr
    assert "Nothing was written" in done.stdout


async def _shell(host: Host, line: str) -> None:
    """Run it in a shell, as this user and without his copy."""
    line = line.replace("-o melodify FILE", f"-o {os.getuid()} copy.db")
    done = await asyncio.to_thread(
        subprocess.run, ["bash", "-c", line], cwd=host.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


# What runs until it is stopped


async def _until_stopped(host: Host, line: str) -> None:
    """Start it in a folder of its own, see it connect, and stop it."""
    folder = host.folder / re.sub(r"\W", "-", line)
    folder.mkdir()
    before = len(host.world.sockets)
    async with melodify(host.world, folder, line.partition("melodify ")[2]) as process:
        await until(lambda: len(host.world.sockets) > before)
        await host.world.connected()
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 40) == 0


async def _demo(host: Host, line: str) -> None:
    """Start it on any port, see its address, and stop it."""
    del line
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--port", "0"),
        cwd=host.folder,
        env=host.environment,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(PATIENCE_S):
        while b"http://127.0.0.1:" not in await process.stdout.readline():
            assert process.returncode is None
        process.send_signal(signal.SIGINT)
        await process.communicate()
    assert process.returncode == 0


# What is not carried out here


async def _make(host: Host, line: str) -> None:
    """Let make say what it would do: the targets fetch packages or take minutes. What they run is there."""
    del host
    recipe = await _printed("make", "-n", *shlex.split(re.sub(r"^([A-Z_]+=\S+ )*make ", "", line)))
    target = shlex.split(line.partition("make ")[2])[0]
    assert recipe.strip()
    for module in re.findall(r"-m ((?:benchmarks|quality|docs|tests)[\w.]*)", recipe):
        assert any((ROOT / module.replace(".", "/")).with_suffix(suffix).exists() for suffix in ("", ".py")), module
    if target in ("demo", "samples") and "ARGS" in line:
        [program] = re.findall(r"^\.venv/bin/((?:melodify demo|python -m docs).*)$", recipe, re.MULTILINE)
        assert "usage" in await _printed(*shlex.split(f"{TOOLS}/{program}"), "--help")
    if target == "quality" and (named := re.search(r'ARGS="?(\w+)', line)):
        assert named[1] in PARTS


async def _tests(host: Host, line: str) -> None:
    """Collect the tests that it would run."""
    del host
    words = shlex.split(line.replace("N ...", "1"))[1:]
    if not any(word.startswith("tests/") for word in words):
        words.append("tests/unit/test_limits.py")
    assert "::" in await _printed(str(TOOLS / "pytest"), *words, "--collect-only", "-q", "-n", "0")


async def _benchmark(host: Host, line: str) -> None:
    """See that it exists: each measures for half a minute."""
    del host
    benchmarks = import_module("benchmarks.__main__")
    assert line.rsplit(maxsplit=1)[-1] in benchmarks.ALL | benchmarks.LONG


async def _site(host: Host, line: str) -> None:
    """Ask for its help; tests/process/test_docs_site.py builds the site."""
    del host
    program, *words = line.split()
    if not (ROOT / program).exists():
        pytest.skip("no .venv-docs: `make docs` makes it")
    assert "Usage" in await _printed(str(ROOT / program), *words, "--help")


async def _installer(host: Host, line: str) -> None:
    """See that the environment exists; tests/process/test_install.py installs one from an index on loopback."""
    del host
    assert line.rsplit(maxsplit=1)[-1] in ENVIRONMENTS
    assert "usage" in await _printed(sys.executable, "deploy/install.py", "--help")


async def _wheel(host: Host, line: str) -> None:
    """Compare version and extras; `make wheel-check` installs the wheel. pre-commit is nothing of ours."""
    del host
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for version in re.findall(r"melodify-([\d.]+)-py3-none-any\.whl", line):
        assert version == project["version"]
    for extras in re.findall(r"\[([\w,]+)\]", line):
        assert set(extras.split(",")) <= set(project["optional-dependencies"])
    assert "melodify" in line or (ROOT / ".pre-commit-config.yaml").exists()


async def _version(host: Host, line: str) -> None:
    """See that it is part of a recipe; tests/process/test_recipes.py updates and rolls back with two checkouts."""
    del host
    assert f"`{line}` and `make install`" in text_of("docs/operations.md")


async def _pipeline(host: Host, line: str) -> None:
    """Compile the template, where its environment is. Registering it needs Google's cloud: its words must be Python."""
    python = ROOT / ".venv-pipeline/bin/python"
    words = shlex.split(line)
    if words[1] == "-c":
        compile(words[2], line, "exec")
        return
    if not python.exists():
        pytest.skip("no .venv-pipeline: `make pipeline` makes it")
    out = str(host.folder / "pipeline.yaml")
    await _printed(str(python), *(out if word.startswith("/tmp/") else word for word in words[1:]))  # noqa: S108
    assert Path(out).stat().st_size


# As docs.docker.com/reference and cloud.google.com/sdk/gcloud/reference have them. Neither program is here.
OPTIONS = {
    "docker build": "-t -f",
    "docker push": "",
    "docker run": "--init --read-only --tmpfs -e -v --stop-timeout",
    "docker compose": "-f -d --pull --username --rm",
    "gcloud builds submit": "--config --substitutions --gcs-source-staging-dir --service-account",
    "gcloud run deploy": "--image --region --command --args --min-instances --max-instances --no-cpu-throttling --port "
    "--timeout --allow-unauthenticated --set-env-vars",
    "gcloud services enable": "",
    "gcloud sql instances create": "--database-version --region --tier --edition",
    "gcloud artifacts repositories create": "--repository-format --location",
}  # fmt: skip
YOURS = "yours.yaml"


async def _cloud(host: Host, line: str) -> None:
    """See that options and files exist.

    tests/process/test_deploy.py reads the files, and runs setup.sh with a gcloud that only records.
    """
    del host
    [known] = [options for start, options in OPTIONS.items() if line.startswith(f"{start} ")]
    words = shlex.split(line)
    used = {word.partition("=")[0] for word in words if word.startswith("-")}
    assert used <= set(known.split())
    files = [after for word, after in pairwise(words) if word in ("-f", "--config")]
    assert all((ROOT / name).is_file() for name in files if name != YOURS)


Way = Callable[[Host, str], Awaitable[None]]
PLAIN = r"(?:\.venv/bin/)?melodify"
# The first that fits the whole command.
WAYS: tuple[tuple[str, Way], ...] = (
    (rf"{PLAIN} [a-z]+ .*\[.*", _synopsis),
    # Parts of commands, and the rules of a bucket.
    (rf"{PLAIN} (?:render --json|backup|restore|check --fix)", _synopsis),
    (rf"{PLAIN} run", _until_stopped),
    (rf"{PLAIN} demo", _demo),
    (rf"{PLAIN} setup(?: --.*)?", _set_up),
    (rf"{PLAIN} (?:render photo.*|run --no-work|worker|migrate|--version|check(?: --live)?)", _melodify),
    (rf"{PLAIN} (?:jobs|backup|restore).*", _melodify),
    (r"(?:[A-Z_]+=\S+ )?make [a-z-]+(?: ARGS=.*)?", _make),
    (r"\.venv/bin/pytest .*", _tests),
    (r"(?:\.venv/bin/)?python -m benchmarks \w+", _benchmark),
    (r"\.venv-docs/bin/mkdocs serve", _site),
    (r"python3 deploy/install\.py \w+", _installer),
    (r"(?:pip|pipx|uvx) .*", _wheel),
    (r"\.venv-pipeline/bin/python .*", _pipeline),
    (r"(?:docker|gcloud) .*", _cloud),
    (r"git pull|git checkout v[\d.]+", _version),
    (r"install -m .*|ulimit -Hn", _shell),
)


async def _printed(*command: str) -> str:
    done = await asyncio.to_thread(
        subprocess.run,
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@cache
def way_of(line: str) -> Way | None:
    return next((way for form, way in WAYS if re.fullmatch(form, line)), None)


@pytest.mark.parametrize("line", commands())
async def test_a_command_of_the_documents_works(line: str, host: Host) -> None:
    way = way_of(line)
    assert way is not None, f"{commands()[line]} has a command that no test carries out: give it a way in WAYS"
    await way(host, line)


def test_only_the_page_of_the_recipes_has_them() -> None:
    """tests/process/test_recipes.py runs the blocks that are called `sh` as they stand."""
    assert [name for name in NAMES if "```sh\n" in text_of(name)] == ["docs/operations.md"]


def test_no_way_is_left_over() -> None:
    assert {form for form, way in WAYS if way not in {way_of(line) for line in commands()}} == set()
