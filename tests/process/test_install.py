"""`deploy/install.py` as the Makefile calls it: real pip and real uv against a package index on loopback."""

import ast
import hashlib
import io
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from deploy.install import ENVIRONMENTS, OLDEST, ROOT, Failed, Installation, Progress, check_python, explain

SCRIPT = ROOT / "deploy/install.py"
FOLDER = ".venv-pipeline"
WHEEL = "tiny-1.0-py3-none-any.whl"


def a_wheel() -> bytes:
    """Return the same bytes whenever it is called."""
    about = "tiny-1.0.dist-info"
    files = {
        "tiny.py": "said = 'hello'\n",
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": f"tiny.py,,\n{about}/METADATA,,\n{about}/WHEEL,,\n{about}/RECORD,,\n",
    }
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, text in files.items():
            archive.writestr(zipfile.ZipInfo(name), text)
    return data.getvalue()


class Index(BaseHTTPRequestHandler):
    """A package index that has tiny 1.0 and nothing else; uv is not available from it."""

    files: dict[str, bytes]
    asked: list[str]
    stalling: threading.Event

    def do_GET(self) -> None:  # the library's name
        self.asked.append(f"{self.headers['User-Agent'].split('/')[0]} {self.path}")
        if self.path.endswith(".whl"):
            self.stalling.wait(60)
        body = self.files.get(self.path)
        self.send_response(200 if body is not None else 404)
        self.send_header("Content-Type", "text/html" if self.path.endswith("/") else "application/octet-stream")
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the library's name
        """Say nothing."""


class Checkout:
    """A folder with the script and one pinned list, and a shell that knows one index only."""

    def __init__(self, folder: Path, address: str, pin: str) -> None:
        self.folder, self.address = folder, address
        (folder / "deploy/pipeline").mkdir(parents=True)
        shutil.copy(SCRIPT, folder / "deploy")
        shutil.copy(ROOT / "requirements-uv.txt", folder)
        self.pins = folder / "deploy/pipeline/requirements.txt"
        self.pins.write_text(pin)
        self.variables = {"PATH": os.environ["PATH"], "HOME": str(folder), "PIP_CONFIG_FILE": os.devnull}
        self.variables |= {"PIP_INDEX_URL": f"{address}/packages", "PIP_RETRIES": "1", "UV_HTTP_RETRIES": "0"}

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "deploy/install.py", "pipeline"],
            cwd=self.folder, env=self.variables, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    def install(self) -> tuple[int, str]:
        with self.start() as process:
            said, _ = process.communicate(timeout=120)
        return process.returncode, said

    def is_finished(self) -> bool:
        begun = (self.folder / f"{FOLDER}.installing").exists()
        return not begun and bool(list((self.folder / FOLDER).glob(".installed*")))

    def says(self) -> str:
        """Return what the installed package says, through the installed console script's Python."""
        command = [str(self.folder / FOLDER / "bin/python"), "-c", "import tiny; print(tiny.said)"]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


@pytest.fixture
def index() -> Iterator[type[Index]]:
    class Here(Index):
        files = {"/packages/tiny/": f'<a href="/files/{WHEEL}">{WHEEL}</a>'.encode(), f"/files/{WHEEL}": a_wheel()}  # noqa: RUF012  # a test's own
        asked: list[str] = []  # noqa: RUF012
        stalling = threading.Event()

    Here.stalling.set()
    yield Here
    Here.stalling.set()


@pytest.fixture
def checkout(tmp_path: Path, index: type[Index]) -> Iterator[Checkout]:
    with ThreadingHTTPServer(("127.0.0.1", 0), index) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        pin = f"tiny==1.0 --hash=sha256:{hashlib.sha256(a_wheel()).hexdigest()}\n"
        yield Checkout(tmp_path / "the house 집", f"http://127.0.0.1:{server.server_port}", pin)
        server.shutdown()
        thread.join()


def fail_in_each_way(checkout: Checkout, index: type[Index]) -> None:
    """Have no network, a damaged file and an interruption: each leaves the environment unfinished."""
    address = checkout.variables["PIP_INDEX_URL"]
    checkout.variables["PIP_INDEX_URL"] = "http://127.0.0.1:9/packages"  # the discard port: nothing listens
    code, said = checkout.install()
    assert (code, said.count("\n\n")) == (1, 1)
    assert said.startswith(f"Setting up {FOLDER} (pipeline): about ")
    assert "The package registry could not be reached." in said.splitlines()[-1]
    assert not checkout.is_finished()

    checkout.variables["PIP_INDEX_URL"] = address
    index.files[f"/files/{WHEEL}"] += b"more"
    code, said = checkout.install()
    assert (code, checkout.says()) == (1, "")
    assert "A package is not the one that was pinned" in said.splitlines()[-1]
    assert not checkout.is_finished()

    index.files[f"/files/{WHEEL}"] = a_wheel()
    index.stalling.clear()
    asked = len(index.asked)
    with checkout.start() as process:
        while not any(each.endswith(".whl") for each in index.asked[asked:]):
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "The same command goes on from here." in said
    assert "Traceback" not in said
    assert not checkout.is_finished()
    index.stalling.set()


@pytest.mark.timeout(600)  # environments are made three times
def test_the_life_of_an_installation(checkout: Checkout, index: type[Index]) -> None:
    """One environment, because making one takes seconds: a run goes on after a fault, and repairs what is broken."""
    fail_in_each_way(checkout, index)
    code, said = checkout.install()
    assert (code, checkout.says()) == (0, "hello"), said
    assert "uv is not available here; pip installs instead" in said
    assert said.splitlines()[-1] == f"{FOLDER} (pipeline) is ready."
    assert checkout.is_finished()

    asked = len(index.asked)
    assert checkout.install() == (0, "")
    assert len(index.asked) == asked

    # Another list makes it incomplete; uv, once it is there, asks the index that pip is set to.
    shutil.copy(Path(sys.executable).parent / "uv", checkout.folder / FOLDER / "bin")
    shutil.rmtree(next((checkout.folder / FOLDER).glob("lib/*/site-packages/tiny-1.0.dist-info")))
    checkout.pins.write_text("# changed\n" + checkout.pins.read_text())
    code, said = checkout.install()
    assert (code, checkout.says()) == (0, "hello")
    assert said.startswith(f"Bringing {FOLDER} (pipeline) up to date")
    assert any(each.startswith("uv ") for each in index.asked[asked:])
    assert not any(each.startswith("pip ") for each in index.asked[asked:])

    # An interrupted environment is created again: a package may look complete and lack files.
    (checkout.folder / f"{FOLDER}.installing").touch()
    next((checkout.folder / FOLDER).glob("lib/*/site-packages/tiny.py")).unlink()
    assert checkout.install()[0] == 0
    assert checkout.says() == "hello"

    # In a folder that was moved no script finds its Python: the environment is created again.
    checkout.folder = checkout.folder.rename(checkout.folder.with_name("moved"))
    assert checkout.install()[0] == 0
    assert str(checkout.folder) in (checkout.folder / FOLDER / "bin/pip").read_text()
    assert checkout.says() == "hello"


def test_what_an_environment_lacks_beside_a_larger_one_is_never_less_than_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("deploy.install.ROOT", tmp_path)
    for there, missing, what in (
        ("run", "demo", "the few packages that it lacks are fetched"),
        ("demo", "run", "about 70 MB of packages are fetched"),
    ):
        folder = tmp_path / missing
        folder.mkdir()
        environment = ENVIRONMENTS[missing]._replace(folder=str(folder), installed_mb=0)
        (folder / f".installed-{there}").touch()
        Installation(missing, environment).announce(keep=True)
        assert what in capsys.readouterr().err


def test_a_python_that_is_too_old_is_told_so() -> None:
    check_python(OLDEST)
    with pytest.raises(Failed, match=r"needs Python 3\.11 or newer, this is 3\.9\. Say which one to use: make PYTHON="):
        check_python((3, 9))
    # It gets as far as that: the script has nothing that Python 3.6 cannot read.
    ast.parse(SCRIPT.read_text(), feature_version=(3, 6))


def test_a_python_without_venv_is_told_what_to_install(tmp_path: Path) -> None:
    hides = (
        "import sys, importlib.util as util; find = util.find_spec\n"
        "util.find_spec = lambda name: None if name == 'ensurepip' else find(name)\n"
    )
    runs = (
        f"import runpy; sys.argv = ['install.py', 'demo', '--into', {str(tmp_path / 'x')!r}]\n"
        f"runpy.run_path({str(SCRIPT)!r}, run_name='__main__')"
    )
    done = subprocess.run([sys.executable, "-c", hides + runs], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (1, 2)
    assert "sudo apt install python3-venv" in done.stderr
    assert not (tmp_path / "x").exists()


# As pip 23 to 26, uv 0.13 and venv print them.
FAULTS = {
    "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device": "The disk has no room",
    "  Caused by: failed to write to `/x`\n  Caused by: No space left on device (os error 28)": "The disk has no room",
    "WARNING: Retrying after connection broken by 'NewConnectionError: [Errno -3] name resolution'": "not be reached",
    "error: Request failed after 3 retries\n  Caused by: dns error: failed to lookup address": "not be reached",
    "Error: [Errno 13] Permission denied: '/work/.venv'": "cannot be written",
    "Error: Unable to create directory '/work/.venv'": "Delete it",
    "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.": "not the one that was pinned",
    "error: subprocess-exited-with-error\nsomething new": "something new",
}


def test_each_fault_of_an_installer_has_its_sentence() -> None:
    for output, sentence in FAULTS.items():
        said = explain(output, ENVIRONMENTS["demo"])
        assert sentence in said
        assert said.endswith("then run the same command again: it goes on from there.")


def test_a_disk_without_room_is_told_before_anything_is_fetched(tmp_path: Path) -> None:
    chosen = "environment = ENVIRONMENTS[arguments.name]"
    source = SCRIPT.read_text()
    assert chosen in source
    source = source.replace(chosen, f"{chosen}._replace(installed_mb=10**9)")
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy/install.py").write_text(source)
    shutil.copy(ROOT / "requirements-demo.txt", tmp_path)
    command = [sys.executable, "deploy/install.py", "demo"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "The disk has no room" in done.stderr.splitlines()[-1]
    assert not (tmp_path / ".venv").exists()


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[bool, str], str]:
    def show(terminal: bool, output: str) -> str:
        monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
        progress = Progress(100)
        progress.last -= 10
        for line in output.splitlines():
            progress.see(line)
        progress.end()
        return capsys.readouterr().err

    return show


UV_SAYS = """Resolved 60 packages
Downloading av (39.0MiB)
Downloading onnx (11.0MiB)
 Downloaded onnx
 Downloaded av
 + av==16.1.0
"""
PIP_SAYS = """Collecting av==16.1.0
  Downloading av-16.1.0-cp311-cp311-manylinux.whl (50.0 MB)
Installing collected packages
"""


def test_how_far_it_is_is_a_bar_on_a_terminal_and_lines_elsewhere(shown: Callable[[bool, str], str]) -> None:
    for output in (UV_SAYS, PIP_SAYS):
        bar, lines = shown(True, output), shown(False, output)
        assert f"[{'#' * 15:30}] 50% of 100 MB" in bar
        assert bar.endswith("\r\x1b[K")
        assert lines.startswith("  ... ")
        assert lines.count("\n") == 1


def test_no_share_is_named_while_nothing_is_known_of_it(shown: Callable[[bool, str], str]) -> None:
    monotone = "Resolved 60 packages\nDownloading av (39.0MiB)\n"
    assert "%" not in shown(True, monotone) + shown(False, monotone)
    assert " s" in shown(False, monotone)
