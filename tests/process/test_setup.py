"""`melodify setup`: with options alone, and as a person answers in a terminal."""

import asyncio
import codecs
import fcntl
import os
import re
import select
import stat
import subprocess
import sys
import termios
import time
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import get_args

import pytest

from bot.i18n.messages import LANGUAGES, catalogue
from melodify_core.config.settings import Settings
from tests.discord_server import CHANNEL_ID, TOKEN, little_discord
from tests.process.prepared import ROOT, Prepared, measured

OTHER = "MTIzNDU2Nzg5MDEyMzQ1Njc5.x.y"
PATIENCE_S = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    (tmp_path / "token").chmod(0o644)
    (tmp_path / "key").write_text("k-1234567\n")
    (tmp_path / "words").write_text("k 1234567\n")
    (tmp_path / "quoted").write_text(f'"{TOKEN}"\n')
    (tmp_path / "line").write_text(f"DISCORD_TOKEN={TOKEN}\n")
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith("MELODIFY_")}
    return mine | {"XDG_CONFIG_HOME": str(folder / "home"), "TERM": "dumb", "PYTHONPATH": str(ROOT)}


def set_up(folder: Path, *options: str, offline: bool = True) -> subprocess.CompletedProcess[str]:
    command = ("bot", "setup", *(["--offline"] if offline else []), *options)
    return Prepared(command, folder, environment(folder)).finish(PATIENCE_S)


def table(folder: Path) -> dict[str, object]:
    return tomllib.loads((folder / "config.toml").read_text(encoding="utf-8"))


def files(folder: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_options_alone_make_settings_that_check_accepts(folder: Path) -> None:
    run = set_up(folder, "--token-file", "token", "--watch", "5", "6", "--data", "here")
    assert run.returncode == 0, run.stderr
    assert TOKEN not in run.stdout
    assert "Others on this machine can read token: delete it" in run.stdout
    assert "client_id=1000" in run.stdout
    secret = folder / "secrets" / "discord_token"
    assert table(folder) == {
        "discord": {"watched_channels": [5, 6], "message_content": True, "token_file": str(secret)},
        "folder": {"path": str(folder / "here" / "files")},
        "database": {"url": f"sqlite:///{folder / 'here' / 'melodify.db'}"},
    }
    assert secret.read_text() == f"{TOKEN}\n"
    assert [stat.S_IMODE(path.stat().st_mode) for path in (secret, folder / "config.toml")] == [0o600, 0o600]
    check = Prepared(("bot", "check", "--offline"), folder, environment(folder)).finish(PATIENCE_S)
    assert check.returncode == 0, check.stdout
    assert "can read" not in set_up(folder, "--token-file", str(secret)).stdout


def test_what_is_missing_is_named_and_nothing_is_written(folder: Path) -> None:
    before = files(folder)
    for options, sentence in (
        ((), "--token-file"),
        (("--token-file", "token", "--composer", "gemini"), "--key-file gemini=FILE"),
        (("--token-file", "nowhere"), "nowhere cannot be read"),
        (("--token-file", "token", "--composer", "gemini", "--key-file", "gemini=empty"), "cannot be read"),
        (("--token-file", "token", "--composer", "gemini", "--key-file", "gemini=words"), "api_key is not a key"),
        (("--token-file", "line"), "discord.token does not have the form of a bot token."),
        (("--token-file", "token", "--composer", "lyria"), "vertex.project is missing"),
        (("--token-file", "token", "--watch", "5", "#songs"), "Copy Channel ID"),
        (("--token-file", "line", "--language", "ko"), "봇 토큰의 형식이 아니에요"),
        (("--token-file", "quoted", "--language", "ko"), "따옴표가 들어 있어요"),
        (("--token-file", "token", "--data", "token"), "token is no folder"),
        (("--token-file", "token", "--data", "/proc/x"), "/proc/x is no folder"),
        (("--token-file", "token", "--watch", "general", "--language", "ko"), "채널 ID 복사하기"),
    ):
        run = set_up(folder, *options)
        assert run.returncode == 2
        assert sentence in run.stderr
        assert "Traceback" not in run.stderr
    assert files(folder) == before


def test_a_compose_file_follows_the_data_folder(folder: Path) -> None:
    assert set_up(folder, "--token-file", "token", "--service", "compose", "--data", "here").returncode == 0
    compose = folder / "compose.yaml"
    before = compose.read_text()
    compose.write_text(before.replace("restart: unless-stopped", "restart: always"))
    run = set_up(folder, "--data", "there")
    assert run.returncode == 0, run.stderr
    moved = before.replace(f"{folder}/here", f"{folder}/there").replace("restart: unless-stopped", "restart: always")
    assert compose.read_text() == moved
    assert f"{folder}/here" not in moved
    assert "docker compose up -d" in run.stdout


@pytest.mark.parametrize("watch", [(), ("7",)])
def test_watching_without_its_intent_is_put_right(folder: Path, watch: tuple[str, ...]) -> None:
    (folder / "config.toml").write_text("# mine\n[discord]\nwatched_channels = [5]\n")
    assert "message_content" in set_up(folder, "--token-file", "token").stderr
    run = set_up(folder, "--token-file", "token", "--watch", *watch)
    assert run.returncode == 0, run.stderr
    discord = table(folder)["discord"]
    assert isinstance(discord, dict)
    assert (discord["watched_channels"], discord.get("message_content", False)) == (
        [int(each) for each in watch],
        bool(watch),
    )
    assert (folder / "config.toml").read_text().startswith("# mine\n")


def test_a_key_that_nothing_uses_is_named(folder: Path) -> None:
    given = ("--token-file", "token", "--key-file", "openai=key", "--set")
    run = set_up(folder, *given, "moderation=off")
    assert run.returncode == 0, run.stderr
    assert "--key-file openai was left out" in run.stdout
    assert not (folder / "secrets" / "openai_api_key").exists()
    run = set_up(folder, *given, "moderation=openai")
    assert run.returncode == 0, run.stderr
    assert "left out" not in run.stdout
    assert (folder / "secrets" / "openai_api_key").read_text() == "k-1234567\n"


def test_check_shows_and_writes_nothing(folder: Path) -> None:
    before = files(folder)
    run = set_up(folder, "--token-file", "token", "--service", "user", "--check")
    assert run.returncode == 0
    assert "+token_file = " in run.stdout
    assert "+ExecStart=" in run.stdout
    assert files(folder) == before


def test_a_file_by_hand_keeps_its_comments_and_only_what_was_asked_changes(folder: Path) -> None:
    mine = '# mine\nlanguage = "ko" # as we speak\n\n[song]\n# short\ndefault_seconds = 20\n\n[discord] # the bot\n'
    (folder / "config.toml").write_text(mine)
    assert set_up(folder, "--token-file", "token").returncode == 0
    after = (folder / "config.toml").read_text()
    assert after == f'{mine}token_file = "{folder}/secrets/discord_token"\n'
    # Once more with another composer.
    assert set_up(folder, "--composer", "gemini", "--key-file", "gemini=key").returncode == 0
    again = (folder / "config.toml").read_text()
    assert re.sub(r'composer = "gemini"\n|\n*\[gemini\]\napi_key_file = ".*"\n', "", again).strip() == after.strip()
    assert table(folder)["composer"] == "gemini"
    assert (folder / "secrets" / "gemini_api_key").read_text() == "k-1234567\n"
    assert (folder / "secrets" / "discord_token").read_text() == f"{TOKEN}\n"


def test_a_composer_is_changed_where_several_are_named(folder: Path) -> None:
    (folder / "config.toml").write_text('composers = ["gemini", "arranger"]\n')
    assert set_up(folder, "--token-file", "token", "--key-file", "gemini=key").returncode == 0
    assert table(folder)["composers"] == ["gemini", "arranger"]
    assert (folder / "secrets" / "gemini_api_key").exists()
    assert set_up(folder, "--composer", "acestep").returncode == 0
    assert table(folder)["composers"] == ["acestep", "arranger"]
    assert "composer" not in table(folder)


def test_a_file_with_mistakes_is_left_alone(folder: Path) -> None:
    (folder / "config.toml").write_text("composr = 1\n")
    before = files(folder)
    run = set_up(folder, "--token-file", "token")
    assert run.returncode == 2
    assert "Did you mean composer?" in run.stderr
    assert files(folder) == before


def test_a_folder_that_cannot_be_written_changes_nothing(folder: Path) -> None:
    (folder / "secrets").write_text("in the way")
    before = files(folder)
    run = set_up(folder, "--token-file", "token")
    assert run.returncode == 2
    assert "cannot be written" in run.stderr
    assert files(folder) == before


@pytest.mark.parametrize("service", ["user", "compose"])
def test_a_service_fits_its_published_form(service: str, tmp_path: Path) -> None:
    folder = tmp_path / "달빛 50%"
    folder.mkdir()
    (folder / "token").write_text(TOKEN)
    assert set_up(folder, "--token-file", "token", "--service", service, "--language", "ko").returncode == 0
    assert (folder / "data").is_dir()  # systemd starts no system unit without it, and Docker would give it to root
    if service == "compose":
        tool = Path(sys.executable).with_name("check-jsonschema")
        command: list[str | Path] = [tool, "--builtin-schema", "vendor.compose-spec", folder / "compose.yaml"]
        assert subprocess.run(command, check=False).returncode == 0
        return
    unit = (folder / "home/systemd/user/melodify.service").read_text()
    config = str(folder / "config.toml").replace("%", "%%")
    assert f'--config "{config}" run\n' in unit
    assert f"WorkingDirectory={str(folder).replace('%', '%%')}\n" in unit


def test_every_choice_has_its_words() -> None:
    for port in ("captioner", "composer"):
        for name in get_args(Settings.model_fields[port].annotation):
            for language in LANGUAGES:
                assert catalogue(language)[f"setup.{port}.{name}"]


class Terminal:
    """`melodify setup` in a terminal, with a person who answers what is asked."""

    def __init__(
        self, folder: Path, *options: str, variables: Mapping[str, str] = MappingProxyType({}), fresh: bool = False
    ) -> None:
        self._main, slave = os.openpty()
        self._process = (_fresh if fresh else _prepared)(folder, options, variables, slave)
        os.close(slave)
        self.shown, self._seen = "", 0
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def until(self, text: str) -> None:
        """Read until the terminal shows the text after what was read before."""
        while text not in self.shown[self._seen :]:
            ready, _, _ = select.select([self._main], [], [], PATIENCE_S)
            assert ready, f"waiting for {text!r}: {self.shown[-500:]}"
            try:
                data = os.read(self._main, 4096)
            except OSError:  # the process has ended
                data = b""
            assert data, f"ended before {text!r}: {self.shown[-500:]}"
            self.shown += self._decoder.decode(data)
        self._seen = self.shown.index(text, self._seen) + len(text)

    def answer(self, question: str, text: str) -> None:
        self.until(question)
        if any(secret in question for secret in ("token", "토큰", "API key")):
            # What is typed before the terminal stops showing it is dropped.
            end = time.monotonic() + PATIENCE_S
            while termios.tcgetattr(self._main)[3] & termios.ECHO and time.monotonic() < end:
                time.sleep(0.01)
        os.write(self._main, text.encode() + b"\n")

    def interrupt(self) -> None:
        """Press Ctrl-C. Python loses one that comes between a question and the reading of its answer: wait for that."""
        end = time.monotonic() + PATIENCE_S
        while not self._reads() and time.monotonic() < end:
            time.sleep(0.01)
        os.write(self._main, b"\x03")

    def _reads(self) -> bool:
        """Return whether the process sleeps, as it does once it waits for an answer."""
        return Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(") ")[2].startswith("S")

    def end(self) -> int:
        if isinstance(self._process, Prepared):
            return self._process.finish(PATIENCE_S).returncode
        return self._process.wait(PATIENCE_S)

    def close(self) -> None:
        self._process.kill()
        self.end()
        os.close(self._main)


def _prepared(folder: Path, options: Sequence[str], variables: Mapping[str, str], terminal: int) -> Prepared:
    return Prepared(("bot", "setup", *options), folder, {**environment(folder), **variables}, terminal)


def _fresh(
    folder: Path, options: Sequence[str], variables: Mapping[str, str], terminal: int
) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "bot", "setup", *options],
        cwd=folder,
        env=measured({**environment(folder), **variables}),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - one call, no threads in it
    )


def test_numbers_and_switches_are_written_as_such(folder: Path) -> None:
    given = (
        "limits.exempt_users=[1, 2]",
        "web.port=18480",
        "web.public_url=https://songs.example",
        "song.default_seconds=20",
    )
    run = set_up(folder, "--token-file", "token", *(word for each in given for word in ("--set", each)))
    assert run.returncode == 0, run.stderr
    assert table(folder)["web"] == {"port": 18480, "public_url": "https://songs.example"}
    assert table(folder)["song"] == {"default_seconds": 20}
    assert table(folder)["limits"] == {"exempt_users": [1, 2]}
    assert set_up(folder, "--set", "discord.message_content=true").returncode == 0
    assert table(folder)["discord"]["message_content"] is True  # type: ignore[index]


async def test_discord_says_which_channels_are_not_seen_and_whether_the_intent_is_off(folder: Path) -> None:
    async with little_discord() as world:
        (folder / "config.toml").write_text(f'[discord]\napi_url = "{world.api_url}"\n')

        async def said(*options: str) -> str:
            run = await asyncio.to_thread(set_up, folder, "--token-file", "token", *options, offline=False)
            assert run.returncode == 0, run.stderr
            return run.stdout

        watch = ("--watch", CHANNEL_ID, "99")
        on = await said(*watch, "--check")
        assert "The bot cannot see channel 99 yet" in on
        assert f"channel {CHANNEL_ID} yet" not in on
        assert "Intent" not in on
        world.reads_messages = False
        assert "Switch on the Message Content Intent too" in await said(*watch, "--check")
        world.reads_messages = True
        await said(*watch)
        assert "The bot cannot see channel 99 yet" in await said(*watch)
        check = await asyncio.to_thread(
            lambda: Prepared(("bot", "check"), folder, environment(folder)).finish(PATIENCE_S)
        )
    assert check.returncode == 0, check.stdout
    assert "warn    the bot cannot see the watched channel 99: " in check.stdout


def test_offline_a_token_has_the_right_form_and_nobody_says_that_it_works(folder: Path) -> None:
    with closing(Terminal(folder, "--offline")) as terminal:
        terminal.answer("Language", "en")
        terminal.answer("Bot token", f"DISCORD_TOKEN={TOKEN}")
        terminal.until("does not have the form of a bot token.")
        terminal.answer("Bot token", TOKEN)
        terminal.until("It has the right form.")
        terminal.answer("looks at the pictures", "openai")
        terminal.answer("Address of a server", "")
        terminal.answer("API key for openai", "x")
        terminal.until("Whether the key works was not asked")
        terminal.answer("makes the music", "lyria")
        terminal.answer("Google Cloud project", "")
        terminal.until("Google Cloud project")
        terminal.interrupt()
        assert terminal.end() == 130
    assert "It works." not in terminal.shown


def test_a_choice_whose_package_is_missing_is_refused_at_once_and_what_is_needed_is_asked_with_a_word(
    folder: Path,
) -> None:
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['openai'] = None\n")
    with closing(Terminal(folder, "--offline", fresh=True, variables={"PYTHONPATH": f"{folder}:{ROOT}"})) as terminal:
        terminal.answer("Language", "en")
        terminal.answer("Bot token", "")
        terminal.until("Nothing works without it.")
        terminal.answer("Bot token", TOKEN)
        terminal.answer("looks at the pictures", "openai")
        terminal.until("In a checkout: make install.")
        terminal.answer("Keep it anyway?", "n")
        terminal.answer("looks at the pictures", "")
        terminal.answer("makes the music", "")
        terminal.answer("Folder for", "")
        terminal.answer("Channels in which", "")
        assert "nothing ()" not in terminal.shown
        terminal.answer("What starts the bot? none: you", "")
        terminal.answer("Write these files?", "y")
        terminal.until("Start it with `melodify run`.")
        assert terminal.end() == 0
    assert "captioner" not in table(folder)
    again = set_up(folder)
    assert again.returncode == 0
    assert "Everything is set like this already" in again.stdout


def test_a_person_who_is_not_root_hears_at_once_where_only_root_may_write(folder: Path) -> None:
    (folder / "sitecustomize.py").write_text(
        "import os\n"
        "real = os.mkdir\n"
        "def mkdir(path, *more, **named):\n"
        "    if str(path).startswith('/etc/'):\n"
        "        raise PermissionError(13, 'Permission denied')\n"
        "    real(path, *more, **named)\n"
        "os.mkdir = mkdir\n"
    )
    options = ("--offline", "--token-file", "token", "--captioner", "palette", "--composer", "arranger", "--watch")
    with closing(Terminal(folder, *options, fresh=True, variables={"PYTHONPATH": f"{folder}:{ROOT}"})) as terminal:
        terminal.answer("Language", "en")
        terminal.answer("Folder for", "")
        terminal.answer("What starts the bot?", "system")
        terminal.until("Only root can write to /etc/systemd/system.")
        terminal.answer("What starts the bot?", "none")
        terminal.answer("Write these files?", "y")
        assert terminal.end() == 0


async def test_a_service_that_is_away_is_one_sentence_and_no_line_of_the_log(folder: Path) -> None:
    (folder / "config.toml").write_text('[openai]\nbase_url = "http://127.0.0.1:9/v1"\nfallback_model = ""\n')

    async with little_discord() as world:
        variables = {"MELODIFY_DISCORD__TOKEN": TOKEN, "MELODIFY_DISCORD__API_URL": world.api_url}
        with closing(await asyncio.to_thread(lambda: Terminal(folder, variables=variables))) as terminal:
            await asyncio.to_thread(terminal.answer, "Language", "en")
            await asyncio.to_thread(terminal.answer, "Bot token", "")
            await asyncio.to_thread(terminal.answer, "looks at the pictures", "openai")
            await asyncio.to_thread(terminal.answer, "Address of a server", "")
            await asyncio.to_thread(terminal.answer, "API key for openai", "k-1234567")
            await asyncio.to_thread(terminal.until, "Keep it anyway?")
            terminal.interrupt()
            assert await asyncio.to_thread(terminal.end) == 130
    assert "openai cannot be reached now: check the address" in terminal.shown
    assert "job check" not in terminal.shown


async def test_a_person_is_asked_and_each_answer_is_checked(folder: Path) -> None:
    async with little_discord() as world:
        (folder / "config.toml").write_text(f'[discord]\napi_url = "{world.api_url}"\n')

        def talk(terminal: Terminal) -> None:
            terminal.answer("Language", "ko")
            terminal.answer("봇 토큰", f"Bot {TOKEN}")
            terminal.until('"Bot"으로 시작해요')
            terminal.answer("봇 토큰", OTHER)
            terminal.until("Discord가 이 토큰을 받아들이지 않아요.")
            terminal.answer("그래도 이 값을 쓸까요?", "n")
            terminal.answer("봇 토큰", TOKEN)
            terminal.until("잘 작동해요.")
            terminal.answer("사진은 누가 볼까요?", "nobody")
            terminal.until("다음 중에서 골라 주세요: palette, openai.")
            terminal.answer("사진은 누가 볼까요?", "")
            terminal.answer("음악은 누가 만들까요?", "")
            terminal.answer("둘 폴더", "token")
            terminal.until("쓸 수 있는 폴더가 아니고")
            terminal.answer("둘 폴더", "")
            terminal.answer("만들 채널", "general")
            terminal.until("ID를 적어 주세요")
            terminal.answer("만들 채널", "7, 8")
            terminal.answer("봇을 어떻게 시작할까요?", "none")
            terminal.answer("저장할까요?", "y")
            terminal.until("멘션하거나")
            assert terminal.end() == 0

        with closing(await asyncio.to_thread(Terminal, folder, fresh=True)) as terminal:
            await asyncio.to_thread(talk, terminal)
    assert TOKEN not in terminal.shown
    assert table(folder)["discord"]["watched_channels"] == [7, 8]  # type: ignore[index]
    assert (folder / "secrets" / "discord_token").read_text() == f"{TOKEN}\n"


def test_an_interruption_at_any_question_changes_nothing(folder: Path) -> None:
    answers = [
        ("Language", "en"),
        ("Bot token", TOKEN),
        ("looks at the pictures", ""),
        ("makes the music", ""),
        ("Folder for", "elsewhere"),
        ("Channels in which", "7"),
        ("What starts the bot?", "user"),
        ("Write these files?", "n"),
    ]
    before = files(folder)
    for number, (last, _) in enumerate(answers):
        with closing(Terminal(folder, "--offline")) as terminal:
            for question, text in answers[:number]:
                terminal.answer(question, text)
            terminal.until(last)
            terminal.interrupt()
            terminal.until("Nothing was changed.")
            assert terminal.end() == 130
        assert files(folder) == before, last


def test_a_server_of_one_s_own_needs_an_address_and_no_key(folder: Path) -> None:
    run = set_up(
        folder, "--token-file", "token", "--captioner", "openai", "--set", "openai.base_url=http://127.0.0.1:9/v1"
    )
    assert run.returncode == 0, run.stderr
    assert table(folder)["openai"] == {"api": "chat", "base_url": "http://127.0.0.1:9/v1", "fallback_model": ""}
    assert table(folder)["moderation"] in ("local", "off")
    chosen = ("--set", "openai.api=responses", "--set", "moderation=openai", "--set", "openai.model=mine")
    address = ("--set", "openai.base_url=http://127.0.0.1:8/v1")
    assert set_up(folder, "--token-file", "token", *address, *chosen).returncode == 0
    assert table(folder)["openai"] == {
        "api": "responses", "base_url": "http://127.0.0.1:8/v1", "fallback_model": "", "model": "mine"
    }  # fmt: skip
    assert table(folder)["moderation"] == "openai"
    for wrong, sentence in (
        ("openai.base_ur=x", "Did you mean openai.base_url?"),
        ("openai.base_url=x", "openai.base_url has the wrong form"),
        ("captioner=openai", "use --captioner"),
        ("language=fr", "use --language"),
        ("discord.token_file=x", "use --token-file"),
        ("discord=x", "must be NAME=VALUE"),
        ("database.url=postgresql://u:pw@h/db", "must hold no password"),
        ("limits.exempt_users=[1,", "must write a list as JSON"),
        ("discord.token=abc", "use --token-file"),
        ("openai.api_key=abc", "use --key-file openai=FILE"),
        ("openai.moderation_key=abc", "use --set openai.moderation_key_file=FILE"),
    ):
        run = set_up(folder, "--token-file", "token", "--set", wrong)
        assert run.returncode == 2
        assert sentence in run.stderr
