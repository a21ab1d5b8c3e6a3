"""The console script as a person types it."""

import asyncio
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import av
import pretty_midi
import pytest

from bot.cli.render import check_room
from bot.cli.token import application_id_of, token_of
from melodify_core.composers.arranger.fonts import synthesiser
from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured, Rejected
from tests.gemini_server import KEY, gemini_server
from tests.pictures import sunset
from tests.process.prepared import ROOT, Prepared, measured

TOKEN = "MTIzNDU2Nzg5MDEyMzQ1Njc4.x.y"


def melodify(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return Prepared(("bot", *arguments), folder, environment() | variables).finish(120)


def fresh_melodify(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run it in an interpreter of its own."""
    return subprocess.run(
        [sys.executable, "-m", "bot", *arguments],
        cwd=folder,
        env=measured(environment() | variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MELODIFY_")}


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(sunset())
    return path


def test_a_demo_without_its_package_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['simcord'] = None\n")
    run = fresh_melodify("demo", folder=tmp_path, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    assert run.returncode == 2
    assert run.stderr.splitlines() == [
        'The demo needs a package that is not installed: pip install "melodify[demo]". In a checkout: make demo.'
    ]


def test_the_words_of_the_command_line_need_none_of_the_program() -> None:
    code = (
        "import sys; from bot.cli.parser import command_line; command_line().parse_args(['run']); "
        "print([name for name in ('pydantic', 'numpy', 'discord', 'asyncio') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_song_is_made_whatever_streams_are_closed(picture: Path, tmp_path: Path, closed: str) -> None:
    command = f'"{sys.executable}" -m bot render "{picture}" --seconds 10 --out song.mp3 {closed}'
    variables = measured(environment() | {"PYTHONPATH": str(ROOT)})
    subprocess.run(["sh", "-c", command], cwd=tmp_path, env=variables, check=True, timeout=120)
    assert (tmp_path / "song.mp3").stat().st_size > 100_000


def minding_hangup() -> None:
    """Prepare a process: whoever starts the tests with nohup ignores SIGHUP, and so would what they start."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def test_a_closed_terminal_ends_the_demo_cleanly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bot", "demo", "--port", "0"]
    variables = environment() | {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=measured(variables),
        stdout=subprocess.PIPE,
        preexec_fn=minding_hangup,  # noqa: PLW1509 - one call, no threads in it
    ) as run:
        assert run.stdout is not None
        while b"http://" not in (line := run.stdout.readline()):
            assert line
        run.send_signal(signal.SIGHUP)
        assert run.wait(60) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_nothing_of_a_song(picture: Path, tmp_path: Path, ending: signal.Signals) -> None:
    between = tmp_path / "between"
    between.mkdir()
    command = [sys.executable, "-m", "bot", "render", str(picture), "--seconds", "120", "--out", "song.mp3"]
    variables = environment() | {"PYTHONPATH": str(ROOT), "TMPDIR": str(between)}

    with subprocess.Popen(command, cwd=tmp_path, env=measured(variables), preexec_fn=minding_hangup) as run:  # noqa: PLW1509 - one call, no threads in it
        while not list(between.rglob("*.jpg")):
            assert run.poll() is None
            time.sleep(0.02)
        run.send_signal(ending)
        assert run.wait(60) == 143
    assert list(between.iterdir()) == []
    assert not (tmp_path / "song.mp3").exists()


def test_a_mistake_is_not_said_on_standard_output(tmp_path: Path) -> None:
    command = f'"{sys.executable}" -m bot render missing.png 2>&-'
    variables = measured(environment() | {"PYTHONPATH": str(ROOT)})
    run = subprocess.run(["sh", "-c", command], cwd=tmp_path, env=variables, capture_output=True, check=False)
    assert (run.returncode, run.stdout) == (1, b"")


def test_a_phrase_of_the_hint_is_shown_as_it_was_written(picture: Path, tmp_path: Path) -> None:
    run = melodify("render", str(picture), "--seconds", "10", "--hint", "bossa_nova! by qwertz*uiop", folder=tmp_path)
    assert "\\" not in run.stdout
    assert "qwertz" in run.stdout


@pytest.mark.parametrize("command", ["run", "worker"])
@pytest.mark.parametrize(
    ("written", "variable", "as_json"),
    [("json", "", True), ("auto", "", True), ("text", "", False), ("json", "text", False), ("no such", "json", True)],
)
def test_mistakes_in_the_settings_have_the_form_of_the_log(
    tmp_path: Path, command: str, written: str, variable: str, as_json: bool
) -> None:
    (tmp_path / "config.toml").write_text(f'nonsense = 1\n[log]\nformat = "{written}"\n[work]\njobs = "many"\n')
    run = melodify(command, folder=tmp_path, **({"MELODIFY_LOG__FORMAT": variable} if variable else {}))
    assert run.returncode == 2
    lines = run.stderr.splitlines()
    sentences = [json.loads(line)["message"] for line in lines] if as_json else lines
    assert len(sentences) == 2
    assert any("nonsense" in sentence for sentence in sentences)


def test_render_makes_a_song_and_tells_all_about_it_as_json(picture: Path, tmp_path: Path) -> None:
    asked = ("--seconds", "10", "--json", "--seed", "5", "--lang", "ko")
    run = fresh_melodify("render", picture.name, *asked, folder=tmp_path)
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout)
    expected = (
        "title caption mood valence arousal bpm key mode instruments duration_s lufs true_peak_dbtp seed captioner "
        "composer path stages_s"
    )
    assert set(expected.split()) <= set(result)
    assert (result["captioner"], result["composer"], result["seed"]) == ("palette", "arranger", 5)
    assert result["lufs"] == pytest.approx(-14, abs=0.5)
    assert result["true_peak_dbtp"] <= -1
    assert set(result["stages_s"]) == {"queued", "looking", "composing", "mastering", "delivering"}
    with av.open(str(tmp_path / result["path"])) as song:
        assert song.duration is not None
        assert song.duration / av.time_base == pytest.approx(10, abs=0.2)
    assert {path.name for path in tmp_path.iterdir()} == {"photo.jpg", "photo.mp3"}


def test_the_same_picture_wish_and_seed_give_the_same_bytes(picture: Path, tmp_path: Path) -> None:
    for name, start in (("a.mp3", melodify), ("b.mp3", fresh_melodify)):
        run = start("render", str(picture), "--seconds", "10", "--out", name, folder=tmp_path)
        assert run.returncode == 0, run.stderr
        assert "BPM" in run.stdout
    assert (tmp_path / "a.mp3").read_bytes() == (tmp_path / "b.mp3").read_bytes()


def test_the_score_is_written_beside_the_song_and_is_as_long(picture: Path, tmp_path: Path) -> None:
    arguments = ("render", str(picture), "--seconds", "20", "--seed", "3")
    starts = (("a.mid", melodify), ("b.mid", fresh_melodify))
    runs = [start(*arguments, "--midi", name, folder=tmp_path) for name, start in starts]
    assert [run.returncode for run in runs] == [0, 0], runs[0].stderr
    assert (tmp_path / "a.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()
    score = pretty_midi.PrettyMIDI(str(tmp_path / "a.mid"))
    assert score.get_end_time() == pytest.approx(20, abs=1)
    assert score.instruments
    assert all(part.notes for part in score.instruments)


def test_a_score_is_asked_for_as_a_midi_file(picture: Path, tmp_path: Path) -> None:
    run = melodify("render", str(picture), "--midi", "song.txt", folder=tmp_path)
    assert run.returncode == 2
    assert "song.txt does not end in .mid" in run.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"photo.jpg"}


def test_a_score_that_cannot_be_written_gets_one_sentence(picture: Path, tmp_path: Path) -> None:
    run = melodify("render", str(picture), "--seconds", "10", "--midi", "nowhere/song.mid", folder=tmp_path)
    assert run.returncode == 1
    assert "nowhere/song.mid cannot be written" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "cannot be read"), (b"", "empty"), (b"hello, not a picture", "does not look like a picture")],
)
def test_a_picture_that_is_none_gets_one_sentence(tmp_path: Path, content: bytes | None, sentence: str) -> None:
    if content is not None:
        (tmp_path / "photo.jpg").write_bytes(content)
    run = melodify("render", "photo.jpg", folder=tmp_path)
    assert run.returncode == 1
    assert sentence in run.stderr
    assert "Traceback" not in run.stderr
    assert len(run.stderr.strip().splitlines()) == 1
    assert not list(tmp_path.glob("*.mp3"))


def test_a_folder_is_no_picture_and_that_is_what_is_said(tmp_path: Path) -> None:
    run = melodify("render", ".", folder=tmp_path)
    assert run.returncode == 1
    assert "--out" not in run.stderr
    assert ". cannot be read" in run.stderr


def test_a_place_that_cannot_be_written_gets_one_sentence(picture: Path, tmp_path: Path) -> None:
    run = melodify("render", str(picture), "--seconds", "10", "--out", "nowhere/song.mp3", folder=tmp_path)
    assert run.returncode == 1
    assert "nowhere/song.mp3 cannot be written" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize("arguments", [("--seconds", "5"), ("--seconds", "x"), ("--style", "polka"), ("--lang", "fr")])
def test_wrong_usage_exits_with_2(picture: Path, tmp_path: Path, arguments: tuple[str, str]) -> None:
    run = melodify("render", str(picture), *arguments, folder=tmp_path)
    assert run.returncode == 2
    assert "Traceback" not in run.stderr


def test_wrong_settings_are_one_list_and_exit_with_2(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('captioner = "parrot"\n[song]\ndefault_seconds = 1\n')
    run = fresh_melodify("check", folder=tmp_path)
    assert run.returncode == 2
    assert len(run.stderr.strip().splitlines()) == 2
    assert "Traceback" not in run.stderr


def test_check_without_a_token_says_what_is_missing_and_exits_with_1(tmp_path: Path) -> None:
    run = melodify("check", folder=tmp_path)
    assert run.returncode == 1
    assert "discord.token is missing" in run.stdout
    assert "ok      database data/melodify.db: the first `melodify run` makes it" in run.stdout
    assert not list(tmp_path.rglob("melodify.db*"))
    assert "ok      storage folder" in run.stdout
    # The report names what the two use, because it is audible: synthesiser and font, eyes or none.
    assert f"ok      composer arranger: {synthesiser()}" in run.stdout
    assert "ok      captioner palette: light and colour" in run.stdout


def test_check_with_a_token_prints_the_invite_link_and_exits_with_0(tmp_path: Path) -> None:
    run = melodify("check", "--offline", folder=tmp_path, MELODIFY_DISCORD__TOKEN=TOKEN)
    assert run.returncode == 0, run.stdout
    assert "client_id=123456789012345678" in run.stdout
    assert "permissions=" in run.stdout
    assert TOKEN not in run.stdout


@pytest.mark.parametrize(
    ("variables", "line"),
    [
        ({}, "WRONG   gemini.api_key is missing"),
        ({"MELODIFY_GEMINI__API_KEY": "AIza-wrong"}, "WRONG   gemini.api_key: the Gemini API does not accept the key"),
        ({"MELODIFY_GEMINI__API_KEY": KEY, "MELODIFY_GEMINI__MODEL": "lyria-9"}, "WRONG   gemini.price is missing"),
        ({"MELODIFY_GEMINI__API_KEY": KEY}, "ok      composer gemini"),
    ],
)
async def test_check_names_the_gemini_composer_or_what_it_lacks(
    tmp_path: Path, variables: dict[str, str], line: str
) -> None:
    async with gemini_server(b"") as server:
        chosen = {"MELODIFY_COMPOSER": "gemini", "MELODIFY_GEMINI__ENDPOINT": server.url, **variables}
        run = await asyncio.to_thread(melodify, "check", "--offline", folder=tmp_path, **chosen)
    assert line in run.stdout
    assert "AIza" not in run.stdout + run.stderr
    assert server.made == 0


def test_check_says_when_discord_cannot_be_reached(tmp_path: Path) -> None:
    api = {"MELODIFY_DISCORD__TOKEN": TOKEN, "MELODIFY_DISCORD__API_URL": "http://127.0.0.1:9/api"}
    run = melodify("check", folder=tmp_path, **api)
    assert run.returncode == 1
    assert "Discord cannot be reached" in run.stdout
    assert "Traceback" not in run.stderr


def test_a_storage_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "files").write_text("in the way")
    run = melodify("check", folder=tmp_path, MELODIFY_FOLDER__PATH="files")
    assert run.returncode == 1
    assert "folder.path" in run.stdout


def test_a_place_that_no_database_can_be_made_in_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    for there, reason in (("file", "is not a folder"), ("/proc/self", "cannot be written")):
        run = melodify("check", "--offline", folder=tmp_path, MELODIFY_DATABASE__URL=f"sqlite:///{there}/melodify.db")
        assert run.returncode == 1
        assert "WRONG   database.url: " in run.stdout
        assert reason in run.stdout
        assert "Traceback" not in run.stderr


def test_check_covers_what_watches_the_bot(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        variables = {"MELODIFY_OPS__PORT": port, "MELODIFY_DISCORD__TOKEN": TOKEN}
        run = melodify("check", "--offline", folder=tmp_path, **variables)
        assert run.returncode == 1
        assert f"WRONG   ops.port: 127.0.0.1:{port} cannot be used" in run.stdout
    run = melodify(
        "check",
        "--offline",
        folder=tmp_path,
        **variables,
        MELODIFY_OPS__TRACE_ENDPOINT="http://127.0.0.1:4318/v1/traces",
    )
    assert run.returncode == 0, run.stdout
    assert f"ok      health and metrics: 127.0.0.1:{port}" in run.stdout
    assert "ok      traces go to http://127.0.0.1:4318/v1/traces" in run.stdout


@pytest.mark.parametrize(
    ("token", "expected"), [(TOKEN, 123456789012345678), ("garbage", None), ("", None), ("é.b", None)]
)
def test_the_application_id_is_read_from_the_token(token: str, expected: int | None) -> None:
    assert application_id_of(token) == expected


@pytest.mark.parametrize(
    ("token", "mistake"),
    [
        (f'"{TOKEN}"', "quotation marks"),
        (f"'{TOKEN}'", "quotation marks"),
        (f"Bot {TOKEN}", 'begins with "Bot"'),
        (f"{TOKEN[:20]} {TOKEN[20:]}", "a space or a line break"),
        ("123456789012345678", "the application's id"),
        ("0123456789abcdef" * 4, "the application's public key"),
        ("Abcdef-1234_5678" * 2, "the application's client secret"),
    ],
)
def test_what_was_pasted_in_place_of_the_token_is_named(token: str, mistake: str) -> None:
    with pytest.raises(Misconfigured, match=mistake) as caught:
        token_of(Settings.model_validate({"discord": {"token": token}}))
    assert token not in str(caught.value)
    assert token_of(Settings.model_validate({"discord": {"token": TOKEN}})) == TOKEN


def test_a_command_that_is_nearly_right_is_told(tmp_path: Path) -> None:
    run = melodify("chek", folder=tmp_path)
    assert run.returncode == 2
    assert run.stderr.endswith("Did you mean check?\n")


def test_the_version_names_what_a_report_needs(tmp_path: Path) -> None:
    run = melodify("--version", folder=tmp_path)
    assert run.returncode == 0
    ours, python, extras = run.stdout.splitlines()
    assert ours.startswith(f"melodify {version('melodify')}")
    assert python.startswith(f"Python {platform.python_version()} on ")
    assert {"openai", "gemini", "eyes", "demo"} <= set(extras.removeprefix("extras: ").split(", "))


def test_jobs_before_the_first_run_makes_nothing(tmp_path: Path) -> None:
    run = melodify("jobs", folder=tmp_path)
    assert run.returncode == 2
    assert "There is no database at data/melodify.db yet" in run.stderr
    assert list(tmp_path.iterdir()) == []


def test_check_says_where_the_settings_come_from(tmp_path: Path) -> None:
    run = melodify("check", "--offline", folder=tmp_path)
    assert run.stdout.startswith("ok      settings: the defaults, there is no config.toml here\n")


def test_a_demo_on_a_port_in_use_says_so(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        run = melodify("demo", "--port", str(taken.getsockname()[1]), folder=tmp_path)
    assert run.returncode == 2
    assert "is in use" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_picture_that_has_no_end_or_no_beginning_gets_one_sentence(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jpg")
    with (tmp_path / "huge.jpg").open("wb") as file:
        file.truncate(3 << 30)
    expected = {"/dev/zero": "a device or a pipe", "pipe.jpg": "a device or a pipe", "huge.jpg": "at most 20 MB"}
    for name, sentence in expected.items():
        run = melodify("render", name, "--out", "song.mp3", folder=tmp_path)
        assert run.returncode == 1
        (line,) = run.stderr.splitlines()
        assert sentence in line


@pytest.mark.parametrize("option", ["--out", "--midi"])
def test_a_file_that_cannot_be_written_is_named_before_the_song_is_made(
    picture: Path, tmp_path: Path, option: str
) -> None:
    ending = ".mp3" if option == "--out" else ".mid"
    (tmp_path / f"folder{ending}").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as captioner:
        captioner.setblocking(False)
        url = f"http://127.0.0.1:{captioner.getsockname()[1]}/v1"
        asked = {"MELODIFY_CAPTIONER": "openai", "MELODIFY_OPENAI__API_KEY": "sk-x", "MELODIFY_OPENAI__BASE_URL": url}
        for name in ("nowhere/song", "x" * 300, "folder"):
            run = melodify("render", str(picture), option, name + ending, folder=tmp_path, **asked)
            assert run.returncode == 1
            (line,) = run.stderr.splitlines()
            assert "cannot be written" in line
        with pytest.raises(BlockingIOError):  # nobody has called
            captioner.accept()
    assert not list(tmp_path.glob("*.mp3")) or option == "--out"


def test_a_name_may_be_as_long_as_the_system_allows(picture: Path, tmp_path: Path) -> None:
    name = "x" * 251 + ".mp3"
    run = melodify("render", str(picture), "--seconds", "10", "--out", name, folder=tmp_path)
    assert run.returncode == 0, run.stderr
    assert {path.name for path in tmp_path.iterdir()} == {picture.name, name}


def test_a_disk_without_room_is_one_sentence_before_the_song_is_made(tmp_path: Path) -> None:
    with pytest.raises(Rejected, match=r"file\.unwritable.*No space left on device"):
        check_room(tmp_path, 1 << 60)
    check_room(tmp_path, 1)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_without_korean_gets_no_traceback(picture: Path, tmp_path: Path, encoding: str) -> None:
    def said(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "bot", "render", *arguments, "--lang", "ko"]
        variables = environment() | {"PYTHONIOENCODING": encoding}
        return subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)

    run = said(picture.name, "--seconds", "10")
    assert (run.returncode, run.stderr) == (0, "")
    asked = said(picture.name, "--seconds", "10", "--json")
    assert any("가" <= character <= "힣" for character in json.loads(asked.stdout)["title"])
    assert said("nowhere.jpg").stderr == "nowhere.jpg cannot be read: No such file or directory.\n"


@pytest.mark.parametrize("arguments", [("--help",), ("check", "--offline"), ("render", "photo.jpg", "--seconds", "10")])
def test_output_that_cannot_be_written_is_one_sentence_and_a_reader_that_left_is_silence(
    picture: Path, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    del picture
    command = f"{sys.executable} -m bot {' '.join(arguments)}"
    for shell, expected in (
        (f"{command} > /dev/full", "Standard output cannot be written: No space left on device.\n"),
        (f"{command} | true; exit ${{PIPESTATUS[0]}}", ""),
    ):
        run = subprocess.run(
            ["bash", "-c", shell], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
        )
        assert (run.returncode, run.stderr) == (1, expected)


# Python itself prints a traceback for an interrupt before the first line of ours. A shell lets its background jobs
# ignore interrupts, and they would go on doing so.
BEGINS = """
import runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
print('.', end='', flush=True)
runpy.run_module('bot', run_name='__main__')
"""


def test_ctrl_c_is_silent_from_the_first_import_to_the_last_worker(picture: Path, tmp_path: Path) -> None:
    # A terminal sends it to all processes of the command.
    for moment in range(12):
        process = subprocess.Popen(
            [sys.executable, "-c", BEGINS, "render", picture.name, "--seconds", "60"],
            cwd=tmp_path,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stdout.read(1) == b"."
        time.sleep(0.1 + 0.13 * moment)
        os.killpg(process.pid, signal.SIGINT)
        out, errors = process.communicate(timeout=60)
        assert (out, errors) == (b"", b"")
        assert process.returncode in (130, -signal.SIGINT)
    assert not list(tmp_path.glob("*.mp3"))
