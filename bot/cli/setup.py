"""`melodify setup`: asks what a bot needs, checks each answer, and writes settings, secrets and a service at the end.

Nothing is written before the last answer, so a set-up that is interrupted changes nothing.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

import tomlkit
from pydantic import ValidationError
from rich.console import Console
from rich.prompt import Confirm, Prompt

from bot.cli.check import Account, Finding, account_of, ask_discord, provider_findings
from bot.cli.output import program
from bot.cli.process import INTENT_OFF, WRONG_LOGIN
from bot.cli.service import SERVICES, SYSTEM_UNITS, Service, moved_compose, service_file
from bot.cli.setup_files import NewFile, can_hold_files, diff, new_settings, write
from bot.cli.token import formless, invite_link, token_mistake
from bot.i18n.messages import LANGUAGES, say
from melodify_core.captioners.eyes.sexual import is_installed as can_moderate
from melodify_core.config.error_messages import sentences
from melodify_core.config.files import read_text
from melodify_core.config.loading import load
from melodify_core.config.settings import Section, Settings
from melodify_core.errors import Misconfigured
from melodify_core.models import Language
from melodify_core.providers import missing_packages, missing_settings, moderation_of

# What a provider cannot do without, besides its key.
_ASKED = {
    "openai": ("openai.base_url",),
    "acestep": ("acestep.url",),
    "lyria": ("vertex.project",),
    "pipeline": ("vertex.project", "pipeline.template_uri", "pipeline.output"),
}
_ID_DIGITS = 19  # of Discord's ids, which have 63 bits
_OPTIONAL = ("openai.base_url",)  # without it, OpenAI's own


@dataclass(frozen=True, slots=True)
class SetupOptions:
    """What the command line has answered already; None is asked for, or left as it is without a terminal."""

    language: Language | None = None
    token_file: Path | None = None
    captioner: str | None = None
    composer: str | None = None
    key_files: Mapping[str, Path] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    data: Path | None = None
    watch: tuple[str, ...] | None = None
    service: Service | None = None
    offline: bool = False
    yes: bool = False
    check: bool = False


@dataclass(slots=True)
class _Answers:
    """What shall change: settings by their dotted names, and the texts of secrets by theirs."""

    values: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)


def set_up(path: Path, options: SetupOptions) -> int:
    """Ask, check, show and write; return the exit code. Raises Misconfigured when an option is wrong."""
    old, options = _before(path, options)
    logging.getLogger().addHandler(logging.NullHandler())  # between two questions a person needs no lines of the log
    interactive = sys.stdin.isatty() and not options.yes
    talk = _Conversation(options.language or old.language, options, old, interactive=interactive)
    try:
        return talk.run(path.resolve())
    except (KeyboardInterrupt, EOFError):
        print("\n" + talk.say("interrupted"))
        return 130


def _before(path: Path, options: SetupOptions) -> tuple[Settings, SetupOptions]:
    """Return the settings as they are. Where --watch fixes what is wrong in them, it does so from the start."""
    if not path.exists():
        return Settings(), options
    try:
        return load(path), options
    except Misconfigured:
        if options.watch is None:
            raise
        watched = {"discord.watched_channels": list(_channel_ids(" ".join(options.watch)) or ())}
        content = {"discord.message_content": True} if options.watch else {}
        return load(path, without=tuple(watched)), replace(options, values={**options.values, **watched, **content})


class _Conversation:
    """Asks one question after the other. Without a terminal each is answered by its option, or not at all."""

    def __init__(self, language: Language, options: SetupOptions, old: Settings, *, interactive: bool) -> None:
        self._language, self._options, self._old, self._interactive = language, options, old, interactive
        self._console = Console(highlight=False, soft_wrap=True)
        self._answers = _Answers(dict(options.values))

    def say(self, key: str, **values: str) -> str:
        return say(self._language, f"setup.{key}", **values)

    def _choose(self, question: str, choices: Sequence[str], default: str) -> str:
        prompt = Prompt(question, choices=list(choices))
        prompt.illegal_choice_message = self.say("choose", choices=", ".join(choices))
        return prompt(default=default)

    def _ask(self, question: str, default: str) -> str:
        """Ask for a text, which may be empty."""
        return Prompt.ask(question, default=default, show_default=bool(default)).strip()

    def _agrees(self, question: str, *, default: bool) -> bool:
        prompt = Confirm(question)
        prompt.validate_error_message = self.say("yes_or_no")
        return prompt(default=default)

    def run(self, path: Path) -> int:
        self._language_question()
        token = self._token()
        self._provider("captioner", self._options.captioner)
        self._provider("composer", self._options.composer)
        self._unused_keys()
        self._data()
        self._watched(token)
        service = self._service()
        self._finished(service)
        files = [*self._files(path), *self._service_files(path, service)]
        self._console.print(diff(files) if files else self.say("as_it_was"), markup=False)
        if self._options.check:
            print(self.say("only_check"))
            return 0
        if self._interactive and files and not self._agrees(self.say("write"), default=True):
            print(self.say("interrupted"))
            return 0
        write(files)
        if any(file.hint for file in files):  # systemd starts no unit without it, and Docker would give it to root
            with suppress(OSError):  # the start says what is wrong there
                self._data_folder(path).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._end(token, files)
        return 0

    def _language_question(self) -> None:
        if self._options.language is None and self._interactive:
            answer = self._choose("Language / 언어", LANGUAGES, self._language)
            self._language = next(language for language in LANGUAGES if language == answer)
        self._answers.values["language"] = self._language

    def _token(self) -> str:
        """Return the token, new or as it was."""
        secret = self._old.discord.token
        known = secret.get_secret_value() if secret else ""
        if self._options.token_file:
            token = _secret_in(self._options.token_file, "--token-file")
        elif self._interactive:
            token = self._secret("token", known, self._token_problem)
        elif known:
            token = known
        else:
            raise Misconfigured(self.say("no_token"))
        if token != known and not self._interactive and (problem := self._token_problem(token)):
            raise Misconfigured(problem)
        # What a variable gives here, a service would not have.
        if token != known or not self._old.discord.token_file:
            self._answers.secrets["discord.token"] = token
        return token

    def _token_problem(self, token: str) -> str:
        if mistake := token_mistake(token, self._language):
            return mistake
        if not invite_link(token):
            return formless(self._language)
        return "" if self._options.offline else self._findings(partial(ask_discord, self._settings(), token))

    def _provider(self, port: str, chosen: str | None) -> None:
        names = get_args(Settings.model_fields[port].annotation)
        several = self._old.composers if port == "composer" else ()
        answer = chosen or (several[0] if several else getattr(self._old, port))
        if chosen is None and self._interactive:
            for name in names:
                self._console.print(f"  {name}: {self.say(f'{port}.{name}')}", markup=False)
            answer = self._choose_provider(port, names, answer)
        if several:  # they count instead of `composer`
            self._answers.values["composers"] = [answer, *(name for name in several[1:] if name != answer)]
        else:
            self._answers.values[port] = answer
        for name in _ASKED.get(answer, ()):
            self._setting(name)
        if answer == "openai":
            self._own_server()
        section = Settings.model_fields[answer].annotation if answer in Settings.model_fields else None
        if isinstance(section, type) and issubclass(section, Section) and "api_key" in section.secrets():
            self._key(port, answer)

    def _choose_provider(self, port: str, names: Sequence[str], default: str) -> str:
        """Ask until the choice is installed, or until the person wants it all the same: the image may have it."""
        while True:
            answer = self._choose(self.say(f"ask_{port}"), names, default)
            every = missing_packages(Settings.model_validate({port: answer}))
            lacking = [sentence for sentence in every if sentence.startswith(f"{answer} ")]
            if not lacking or self._options.service == "compose":
                return answer
            print(*lacking, sep="\n")
            if self._agrees(self.say("keep_all_the_same"), default=False):
                return answer

    def _setting(self, name: str) -> None:
        """Ask for a setting that its provider cannot do without, where no option gives it."""
        section, _, key = name.partition(".")
        if name not in self._answers.values and self._interactive:
            now = str(getattr(getattr(self._old, section), key) or "")
            answer = ""
            while not answer:
                answer = self._ask(self.say(name.replace(".", "_")), now)
                if name in _OPTIONAL:
                    break
                if not answer:
                    print(self.say("needed"))
            self._answers.values[name] = answer
        if not self._answers.values.get(name, ""):
            self._answers.values.pop(name, None)

    def _own_server(self) -> None:
        """Choose what a captioner's server of one's own needs, where no option says otherwise."""
        values, old = self._answers.values, self._old.openai
        if not values.get("openai.base_url") or values["openai.base_url"] == str(old.base_url):
            return
        if "openai.model" not in values and self._interactive:
            values["openai.model"] = Prompt.ask(self.say("openai_model"), console=self._console)
        # Such servers know only chat, not OpenAI's models, and no moderation.
        usual: dict[str, Any] = {"openai.api": "chat", "openai.fallback_model": ""}
        if self._old.moderation is None:
            usual["moderation"] = "local" if can_moderate() else "off"
        self._answers.values = usual | values

    def _key(self, port: str, provider: str) -> None:
        secret = getattr(self._old, provider).api_key
        known = secret.get_secret_value() if secret else ""
        problem_of = partial(self._key_problem, port, provider)
        if file := self._options.key_files.get(provider):
            key = _secret_in(file, f"--key-file {provider}")
        elif self._interactive:
            optional = not self._needs_key(provider)
            key = self._secret("key", known, problem_of, optional=optional, provider=provider)
        elif known or not self._needs_key(provider):
            key = known
        else:
            raise Misconfigured(self.say("no_key", provider=provider))
        if not key:
            return
        if key != known and not self._interactive and (problem := problem_of(key)):
            raise Misconfigured(problem)
        if key != known or not getattr(self._old, provider).api_key_file:
            self._answers.secrets[f"{provider}.api_key"] = key

    def _unused_keys(self) -> None:
        """Say which keys were given for nothing. OpenAI's may be for its moderation alone."""
        for provider, file in self._options.key_files.items():
            if provider in (self._answers.values.get("captioner"), *self._composers()):
                continue
            if provider == "openai" and moderation_of(self._settings()) == "openai":
                self._answers.secrets["openai.api_key"] = _secret_in(file, f"--key-file {provider}")
            else:
                print(self.say("key_unused", provider=provider))

    def _composers(self) -> tuple[str, ...]:
        return (self._answers.values.get("composer", ""), *self._answers.values.get("composers", ()))

    def _needs_key(self, provider: str) -> bool:
        """Return whether the provider cannot work without a key: a server of one's own can."""
        return any(f"{provider}.api_key " in sentence for sentence in missing_settings(self._settings()))

    def _key_problem(self, port: str, provider: str, key: str) -> str:
        try:
            settings = self._settings({f"{provider}.api_key": key})
        except Misconfigured as error:
            return "\n".join(error.problems)
        if self._options.offline:
            return ""
        return self._findings(partial(provider_findings, settings, only=port))

    def _secret(
        self, question: str, known: str, problem_of: Callable[[str], str], *, optional: bool = False, **values: str
    ) -> str:
        """Ask until the answer is good, or until the person wants to keep it all the same."""
        note = self.say("keep") if known else self.say("no_key_needed") if optional else ""
        text = self.say(question, **values) + (f" [{note}]" if note else "")
        while True:
            answer = Prompt.ask(text, password=True, default="", show_default=False).strip() or known
            if answer == known and (known or optional):
                return answer
            if not answer:
                print(self.say("needed"))
                continue
            problem = problem_of(answer)
            if not problem:
                unchecked = "good_form" if question == "token" else "key_unchecked"
                print(self.say(unchecked if self._options.offline else "good"))
                return answer
            print(problem)
            hopeless = problem in (formless(self._language), token_mistake(answer, self._language))
            if not hopeless and self._agrees(self.say("keep_all_the_same"), default=False):
                return answer

    def _data(self) -> None:
        folder = self._options.data
        default = self._old.folder.path.parent
        while folder is None and self._interactive:
            folder = Path(Prompt.ask(self.say("data"), default=str(default))).expanduser()
            if folder != default and not can_hold_files(folder):
                print(self.say("no_folder", folder=str(folder)))
                folder = None
        if folder is None or folder == default:
            return
        folder = folder.resolve()
        if not can_hold_files(folder):
            raise Misconfigured(f"--data: {self.say('no_folder', folder=str(folder))}")
        self._answers.values["folder.path"] = str(folder / "files")
        if self._old.database.url.startswith("sqlite"):
            self._answers.values["database.url"] = f"sqlite:///{folder / 'melodify.db'}"

    def _watched(self, token: str) -> None:
        channels = None if self._options.watch is None else _channel_ids(" ".join(self._options.watch))
        if channels is None and self._options.watch is not None:
            raise Misconfigured(f"--watch: {self.say('watch_ids')}")
        while channels is None and self._interactive:
            now = ", ".join(map(str, sorted(self._old.discord.watched_channels)))
            text = self._ask(self.say("watch"), now)
            channels = _channel_ids(text)
            if channels is None:
                print(self.say("watch_ids"))
        if channels is None:
            return
        if set(channels) != self._old.discord.watched_channels:
            self._answers.values["discord.watched_channels"] = list(channels)
        if not channels:
            return
        before = self._old.discord.message_content
        if not before:
            self._answers.values["discord.message_content"] = True
        account = self._account(token)
        if not account.reads_messages if account else not before:
            print(self.say("intent"))
        for channel in account.unseen if account else ():
            print(self.say("unseen", channel=str(channel)))

    def _account(self, token: str) -> Account | None:
        """Return what Discord says of the bot, None where it was not asked or does not answer."""
        if self._options.offline:
            return None
        try:
            return asyncio.run(account_of(self._settings(), token))
        except Misconfigured:
            return None

    def _finished(self, service: Service) -> None:
        """Check whatever --set gave, and give it the setting's own type. Raises Misconfigured for what cannot run."""
        settings = self._settings()
        in_container = service == "compose" and missing_packages(settings)  # the image has them
        if not in_container and (problems := missing_settings(settings)):
            raise Misconfigured(*problems)
        for name, value in self._answers.values.items():
            found: Any = settings
            for part in name.split("."):
                found = getattr(found, part)
            if isinstance(value, str) and isinstance(found, bool | int | float):
                self._answers.values[name] = found

    def _files(self, path: Path) -> list[NewFile]:
        """Return the settings file and the secrets that change."""
        folder = path.parent / "secrets"
        secrets = []
        for name, text in self._answers.secrets.items():
            file = folder / name.replace(".", "_")
            secrets.append(NewFile(file, f"{text}\n", 0o600, secret=True))
            self._answers.values[f"{name}_file"] = str(file)
        before = read_text(path) if path.exists() else None
        after = new_settings(before, _changed(self._answers.values, before or ""), self.say("head"))
        return [*secrets, *([NewFile(path, after, 0o600)] if after != before else [])]

    def _service(self) -> Service:
        if self._options.service is None and self._interactive:
            answer = self._choose(self.say("service"), SERVICES, "none")
            if answer == "system" and not can_hold_files(SYSTEM_UNITS):
                print(self.say("not_root", folder=str(SYSTEM_UNITS)))
                return self._service()
            return next(service for service in SERVICES if service == answer)
        return self._options.service or "none"

    def _service_files(self, path: Path, service: Service) -> list[NewFile]:
        data = self._data_folder(path)
        if service == "none" and self._options.service is None:
            old = (path.parent / self._old.folder.path.parent).resolve()
            return moved_compose(path, old, data)
        file = service_file(service, path, data)
        return [file] if file and (not file.path.exists() or read_text(file.path) != file.text) else []

    def _data_folder(self, path: Path) -> Path:
        """Return where database, pictures and songs will be; `path` is the settings file."""
        files = Path(str(self._answers.values.get("folder.path", self._old.folder.path)))
        return (path.parent / files.parent).resolve()

    def _settings(self, secrets: Mapping[str, str] | None = None) -> Settings:
        """Return the settings as they would be, for a check."""
        table = tomlkit.parse(new_settings(None, self._answers.values, "")).unwrap()
        for name, text in {**self._answers.secrets, **(secrets or {})}.items():
            section, _, key = name.partition(".")
            table.setdefault(section, {})[key] = text
        old = self._old.model_dump(exclude_unset=True)
        for section, values in table.items():
            old[section] = {**old.get(section, {}), **values} if isinstance(values, dict) else values
        try:
            return Settings(**old)
        except ValidationError as error:
            raise Misconfigured(*sentences(error)) from error

    def _findings(self, part: Callable[[], Any]) -> str:
        """Return what is wrong, or nothing."""
        try:
            findings: list[Finding] = asyncio.run(part())
        except Misconfigured as error:
            return "\n".join(error.problems)
        return "\n".join(self._in_words(finding) for finding in findings if not finding.good)

    def _in_words(self, finding: Finding) -> str:
        """Return what `check` says in English, in the person's language where it is what most people meet."""
        if finding.away:
            return self.say("away", provider=finding.away)
        return {WRONG_LOGIN: self.say("wrong_login"), INTENT_OFF: self.say("intent")}.get(finding.text, finding.text)

    def _end(self, token: str, files: list[NewFile]) -> None:
        for file in files:
            if file.hint:
                print(file.hint)
        given = [self._options.token_file, *self._options.key_files.values()]
        for secret in filter(_open_to_others, given):
            print(self.say("readable", file=str(secret)))
        if link := invite_link(token):
            print(self.say("invite", link=link))
        hinted = any(file.hint for file in files)
        print(self.say("post") if hinted else self.say("start", program=program()))


def _open_to_others(file: Path | None) -> bool:
    return file is not None and file.is_file() and bool(file.stat().st_mode & 0o077)


def _changed(values: Mapping[str, Any], file: str) -> dict[str, Any]:
    """Return what differs from the file and the defaults; variables are not what a service has."""
    table = tomlkit.parse(file).unwrap()
    changed = {}
    for name, value in values.items():
        section, _, key = name.rpartition(".")
        written = table.get(section, {}) if section else table
        fields = type(Settings.model_fields[section].default).model_fields if section else Settings.model_fields
        if written.get(key, fields[key].default) != value:
            changed[name] = value
    return changed


def _channel_ids(text: str) -> tuple[int, ...] | None:
    """Return the ids, None where something else is among them."""
    parts = text.replace(",", " ").split()
    ids = [int(part) for part in parts if part.isascii() and part.isdigit() and len(part) <= _ID_DIGITS]
    return tuple(ids) if len(ids) == len(parts) else None


def _secret_in(file: Path, option: str) -> str:
    try:
        text = read_text(file).strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"{option}: {file} cannot be read: {getattr(error, 'strerror', error)}.") from error
    if not text:
        raise Misconfigured(f"{option}: {file} is empty.")
    return text
