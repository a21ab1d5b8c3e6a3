import os
import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from melodify_core.config.loading import load, secrets_of, source_of
from melodify_core.config.settings import Settings
from melodify_core.errors import Misconfigured

EXAMPLE = Path(__file__).parents[2] / "config.example.toml"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MELODIFY_CONFIG", raising=False)
    monkeypatch.delenv("MELODIFY_DISCORD__TOKEN", raising=False)
    monkeypatch.chdir(tmp_path)


def problems_of(text: str, folder: Path) -> tuple[str, ...]:
    file = folder / "settings.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Misconfigured) as caught:
        load(file)
    return caught.value.problems


def test_the_example_file_says_the_defaults() -> None:
    assert load(EXAMPLE) == Settings()


def test_the_example_file_names_every_setting() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    table = tomllib.loads(re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE))
    secrets = {"token", "api_key", "moderation_key", "salt"}
    for name, field in Settings.model_fields.items():
        assert name in table
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            assert set(table[name]) == set(field.annotation.model_fields) - secrets


def test_without_a_file_the_defaults_hold() -> None:
    assert load() == Settings()


def test_by_default_each_picture_of_a_message_may_become_a_song() -> None:
    settings = load()
    at_once = settings.discord.pictures_per_message
    assert settings.limits.songs_per_minute >= at_once
    assert settings.limits.waiting_per_user >= at_once


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"nowhere\.toml cannot be read"):
        load(tmp_path / "nowhere.toml")


def test_the_environment_stands_above_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("[song]\ndefault_seconds = 20\n[limits]\nsongs_per_day = 5\n")
    monkeypatch.setenv("MELODIFY_SONG__DEFAULT_SECONDS", "60")
    settings = load(file)
    assert settings.song.default_seconds == 60
    assert settings.limits.songs_per_day == 5


def test_all_mistakes_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MELODIFY_COLOUR", "red")
    monkeypatch.setenv("MELODIFY_WORK__SPEED", "9")
    found = problems_of(
        'captioner = "parrot"\nbogus = 1\n'
        '[discord]\ntoken = "s3cret"\napi_url = "nope"\n[song]\ndefault_seconds = 500\n[database]\nurl = "oracle:x"\n',
        tmp_path,
    )
    text = "\n".join(found)
    for part in (
        "captioner must be 'palette' or 'openai'.",
        "bogus is not a setting",
        "discord.token is a secret",
        "discord.api_url has the wrong form: expected an address",
        "song.default_seconds: input should be less than or equal to 120",
        "database.url has the wrong form",
        "MELODIFY_COLOUR names no setting",
        "work.speed is not a setting",
    ):
        assert part in text
    assert len(found) == 8
    assert "s3cret" not in text


def test_a_file_that_is_not_toml_is_one_sentence(tmp_path: Path) -> None:
    (problem,) = problems_of("captioner = = 1", tmp_path)
    assert "is not valid TOML" in problem


def test_a_secret_comes_from_the_environment_or_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = tmp_path / "token"
    secret.write_text("from-file\n")
    file = tmp_path / "settings.toml"
    file.write_text(f'[discord]\ntoken_file = "{secret}"\n')
    token = load(file).discord.token
    assert token is not None
    assert token.get_secret_value() == "from-file"
    monkeypatch.setenv("MELODIFY_DISCORD__TOKEN", "from-environment")
    token = load(file).discord.token
    assert token is not None
    assert token.get_secret_value() == "from-environment"
    assert "from-environment" not in repr(load(file))


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("postgresql://u:secret%2Fpw@h/name", ("secret%2Fpw", "secret/pw")),
        ("postgresql+psycopg://u:sec@ret/pw@h:5432/name", ("sec", "sec@ret/pw")),
        ("postgresql://h/name?user=u&password=secretpw", ("secretpw",)),
        ("postgresql://u@h/name", ()),
        ("sqlite:///folder:with@signs.db", ()),
    ],
)
def test_the_database_s_password_is_a_secret(url: str, secrets: tuple[str, ...]) -> None:
    settings = Settings.model_validate({"database": {"url": url}})
    assert secrets_of(settings) == secrets
    assert url not in repr(settings)


@pytest.mark.parametrize("content", [None, "", "\n"])
def test_a_secret_file_that_is_missing_or_empty_is_named(tmp_path: Path, content: str | None) -> None:
    secret = tmp_path / "token"
    if content is not None:
        secret.write_text(content)
    (problem,) = problems_of(f'[openai]\napi_key_file = "{secret}"\n', tmp_path)
    assert "api_key_file" in problem
    assert str(secret) in problem


@pytest.mark.parametrize("key", ["\uc81c \ud0a4", "a b", "a\nb"])
def test_what_no_header_can_carry_is_no_key(key: str, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{key}\n", encoding="utf-8")
    (problem,) = problems_of(f'[gemini]\napi_key_file = "{tmp_path / "key"}"\n', tmp_path)
    assert problem.startswith("gemini: api_key is not a key: it has spaces")
    assert key not in problem


def test_white_space_around_a_key_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MELODIFY_GEMINI__API_KEY", " k-1\r\n")
    (tmp_path / "settings.toml").touch()
    key = load(tmp_path / "settings.toml").gemini.api_key
    assert key is not None
    assert key.get_secret_value() == "k-1"


def test_a_text_where_a_list_belongs_is_told_in_plain_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems_of('composers = "gemini"\n', tmp_path) == ("composers must be a list in square brackets.",)
    monkeypatch.setenv("MELODIFY_COMPOSERS", "gemini,arranger")
    (problem,) = problems_of("", tmp_path)
    assert problem == 'MELODIFY_COMPOSERS: a list or table in a variable must be JSON, such as [1, 2] or ["a", "b"].'


def test_watching_without_the_intent_is_a_mistake(tmp_path: Path) -> None:
    (problem,) = problems_of("[discord]\nwatched_channels = [1]\n", tmp_path)
    assert "message_content = true" in problem


def test_a_value_of_the_wrong_kind_is_told_in_plain_words(tmp_path: Path) -> None:
    text = '[limits]\nsongs_per_hour = "many"\n[discord]\nmessage_content = "perhaps"\n[work]\npoll_s = "soon"\n'
    assert set(problems_of(text, tmp_path)) == {
        "limits.songs_per_hour must be a whole number.",
        "discord.message_content must be true or false.",
        "work.poll_s must be a number.",
    }


@pytest.mark.parametrize("setting", ["work.jobs", "picture.max_megabytes", "retention.record_days"])
def test_a_number_that_no_machine_has_is_a_mistake(setting: str, tmp_path: Path) -> None:
    section, _, name = setting.partition(".")
    (tmp_path / "c.toml").write_text(f"[{section}]\n{name} = {10**20}\n")
    with pytest.raises(Misconfigured, match=rf"{setting}: input should be less than or equal to"):
        load(tmp_path / "c.toml")


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings.toml").write_bytes(b'\xef\xbb\xbflanguage = "ko"\r\n')
    (tmp_path / "token").write_bytes(b"\xef\xbb\xbfs3cret\r\n")
    monkeypatch.setenv("MELODIFY_DISCORD__TOKEN_FILE", str(tmp_path / "token"))
    settings = load(tmp_path / "settings.toml")
    assert settings.language == "ko"
    assert settings.discord.token is not None
    assert settings.discord.token.get_secret_value() == "s3cret"


@pytest.mark.parametrize("name", ["pipe", "/dev/zero", "folder", "huge", "x" * 300])
@pytest.mark.timeout(20)
def test_what_is_no_small_file_is_refused_as_settings_and_as_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    with (tmp_path / "huge").open("wb") as file:
        file.truncate(3 << 30)
    with pytest.raises(Misconfigured, match="cannot be read: "):
        load(tmp_path / name)
    monkeypatch.setenv("MELODIFY_DISCORD__TOKEN_FILE", str(tmp_path / name))
    with pytest.raises(Misconfigured, match="token_file cannot be read: "):
        load()


def test_settings_that_are_nested_too_deeply_are_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "deep.toml").write_text("a = " + "[" * 100_000 + "]" * 100_000)
    with pytest.raises(Misconfigured, match=r"deep\.toml is nested too deeply"):
        load(tmp_path / "deep.toml")
    monkeypatch.setenv("MELODIFY_DISCORD__WATCHED_CHANNELS", "[" * 50_000)
    with pytest.raises(Misconfigured, match="is nested too deeply"):
        load()


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ('composr = "arranger"', "Did you mean composer?"),
        ("[song]\ndefault_second = 20", "Did you mean song.default_seconds?"),
        ("[song]\nsongs_per_guild_day = 20", "Did you mean limits.songs_per_guild_day?"),
        ("default_seconds = 20", "Did you mean song.default_seconds?"),
    ],
)
def test_a_setting_that_is_nearly_right_is_told(wrong: str, meant: str, tmp_path: Path) -> None:
    [problem] = problems_of(wrong, tmp_path)
    assert problem.endswith(f"see config.example.toml for those that are. {meant}")


def test_nothing_is_guessed_for_a_name_like_no_other(tmp_path: Path) -> None:
    [problem] = problems_of("quux = 1", tmp_path)
    assert "Did you mean" not in problem


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("MELODIFY_DISCORD_TOKEN", "MELODIFY_DISCORD__TOKEN"),
        ("MELODIFY_DISCROD__TOKEN", "MELODIFY_DISCORD__TOKEN"),
        ("MELODIFY_COMPOSERR", "MELODIFY_COMPOSER"),
        ("MELODIFY_OPENAI_API_KEY", "MELODIFY_OPENAI__API_KEY"),
    ],
)
def test_a_variable_that_is_nearly_right_is_told(wrong: str, meant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(wrong, "x")
    with pytest.raises(Misconfigured) as caught:
        load()
    assert caught.value.problems[0] == f"The environment variable {wrong} names no setting. Did you mean {meant}?"


@pytest.mark.parametrize(
    ("wrong", "setting"),
    [
        ('[discord]\nmessage_content = true\nwatched_channels = ["general", "art"]', "discord.watched_channels"),
        ('[limits]\nexempt_users = ["me"]', "limits.exempt_users"),
        ("[limits.roles.mods]\nsongs_per_hour = 1", "limits.roles"),
    ],
)
def test_a_name_in_place_of_a_number_is_told_where_the_number_is(wrong: str, setting: str, tmp_path: Path) -> None:
    [problem] = problems_of(wrong, tmp_path)
    assert problem.startswith(f"{setting} must ")
    assert "Copy ID" in problem


def test_where_the_settings_come_from_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert source_of(None) == "settings: the defaults, there is no config.toml here"
    (tmp_path / "config.toml").touch()
    assert source_of(None) == f"settings: {tmp_path / 'config.toml'}"
    monkeypatch.setenv("MELODIFY_CONFIG", "other.toml")
    assert source_of(None) == f"settings: {tmp_path / 'other.toml'}"
    assert source_of(tmp_path / "third.toml") == f"settings: {tmp_path / 'third.toml'}"
