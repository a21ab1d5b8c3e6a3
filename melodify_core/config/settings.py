"""Every setting with its default, read from config.toml and MELODIFY_* variables. Secrets never stand in the file."""

import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from melodify_core.config.error_messages import sentences
from melodify_core.errors import Misconfigured

PREFIX = "MELODIFY_"
NEST = "__"
# Names the file, not a setting: where config.toml is.
CONFIG_VARIABLE = "MELODIFY_CONFIG"
SECRETS = {("discord", "token"), ("openai", "api_key"), ("privacy", "salt")}

Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]
Dollars = Annotated[float, Field(ge=0)]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]+\S*$")]
HostName = Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")]
GatewayUrl = Annotated[str, Field(pattern=r"^wss?://[^\s/]+\S*$")]


class Section(BaseModel):
    """A table of config.toml: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


def _with_secret(data: object, name: str) -> object:
    """Return the section's raw data with the secret read from `<name>_file` unless the environment gave it."""
    if not isinstance(data, dict) or data.get(name) or not data.get(f"{name}_file"):
        return data
    path = Path(str(data[f"{name}_file"]))
    try:
        secret = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{name}_file cannot be read: {path}") from error
    if not secret:
        raise ValueError(f"{name}_file is empty: {path}")
    return data | {name: SecretStr(secret)}


class Discord(Section):
    """The bot's account and what it listens to."""

    token: SecretStr | None = None
    token_file: Path | None = None
    api_url: HttpUrl | None = None
    gateway_url: GatewayUrl | None = None
    message_content: bool = False
    watched_channels: frozenset[int] = frozenset()
    catch_up_minutes: Annotated[int, Field(ge=0, le=1440)] = 15
    pictures_per_message: Annotated[int, Field(ge=1, le=10)] = 4
    picture_hosts: frozenset[HostName] = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
    download_s: Seconds = 20.0
    patience_s: Seconds = 60.0
    ratelimit_s: Annotated[float, Field(ge=30)] = 60.0
    shard_count: Positive | None = None
    shard_ids: frozenset[Annotated[int, Field(ge=0)]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _read_token(cls, data: object) -> object:
        return _with_secret(data, "token")

    @model_validator(mode="after")
    def _shards_fit(self) -> "Discord":
        if self.shard_ids and (self.shard_count is None or max(self.shard_ids) >= self.shard_count):
            raise ValueError("shard_ids needs shard_count, and each id must be below it")
        return self

    @model_validator(mode="after")
    def _watching_needs_content(self) -> "Discord":
        if self.watched_channels and not self.message_content:
            raise ValueError(
                "watched_channels needs message_content = true: without that intent Discord does not show "
                "pictures in messages that do not mention the bot"
            )
        return self


class Database(Section):
    """One database for jobs, songs and limits: SQLite for one process, PostgreSQL for several."""

    # Never shown: a password may stand in it.
    url: Annotated[str, Field(pattern=r"^(sqlite:///[^:]|postgresql(\+psycopg)?://).+", repr=False)] = (
        "sqlite:///data/melodify.db"
    )
    takeover_s: Annotated[float, Field(ge=1)] = 15.0


class PictureSettings(Section):
    """What is accepted, and how small it is made."""

    max_megabytes: Positive = 20
    max_megapixels: Positive = 50
    longest_side: Annotated[int, Field(ge=64, le=2048)] = 768
    deadline_s: Seconds = 30.0


class SongSettings(Section):
    """Length of songs, in seconds, and the time each stage may take."""

    default_seconds: Annotated[int, Field(ge=10, le=120)] = 30
    caption_deadline_s: Seconds = 60.0
    compose_deadline_s: Seconds = 240.0
    master_deadline_s: Seconds = 60.0
    deliver_deadline_s: Seconds = 120.0


class MemberLimits(Section):
    """How many songs a member may have; failed ones do not count. 0 is no limit."""

    songs_per_minute: Annotated[int, Field(ge=0)] = 4
    songs_per_hour: Annotated[int, Field(ge=0)] = 6
    songs_per_day: Annotated[int, Field(ge=0)] = 30
    waiting_per_user: Annotated[int, Field(ge=0)] = 4


class Limits(MemberLimits):
    """The limits of everybody, of servers and of all together, and who has others. 0 is no limit."""

    songs_per_guild_day: Annotated[int, Field(ge=0)] = 0
    waiting_per_guild: Annotated[int, Field(ge=0)] = 50
    waiting: Annotated[int, Field(ge=0)] = 500
    dollars_per_day: Dollars = 0.0
    dollars_per_guild_day: Dollars = 0.0
    exempt_users: frozenset[int] = frozenset()
    blocked_users: frozenset[int] = frozenset()
    roles: dict[Annotated[str, Field(pattern=r"^[0-9]{1,20}$")], MemberLimits] = {}


class Work(Section):
    """How much runs at once, and how long a stop waits for it."""

    jobs: Positive = 8
    processes: Annotated[int, Field(ge=0)] = 0
    # A stop waits for one poll.
    poll_s: Annotated[float, Field(gt=0, le=5)] = 0.1
    drain_s: Annotated[float, Field(ge=0)] = 20.0
    # A job that is open for so long is told in the log.
    stuck_minutes: Positive = 30
    # How long a job waits for a provider whose calls are all taken.
    patience_s: Seconds = 600.0


class Ops(Section):
    """Health, metrics and traces, for whoever runs it. Not for the public: bind it to where only you can reach it."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 0
    trace_endpoint: HttpUrl | None = None


class Retention(Section):
    """How long things are kept, in days."""

    record_days: Positive = 7
    picture_days: Positive = 30
    song_days: Annotated[int, Field(ge=0)] = 0
    left_server_days: Annotated[int, Field(ge=0)] = 7


class Folder(Section):
    """Storage in a local folder."""

    path: Path = Path("data/files")


class Gcs(Section):
    """Google Cloud Storage. Credentials are a key file's, else the machine's own (Application Default)."""

    bucket: str = ""
    prefix: Annotated[str, Field(pattern=r"^([A-Za-z0-9_-]+/)*$")] = ""
    project: str = ""
    endpoint: HttpUrl | None = None
    key_file: Path | None = None
    deadline_s: Seconds = 60.0
    calls: Positive = 16
    link_hours: Annotated[int, Field(ge=1, le=168)] = 168
    picture_days: Annotated[int, Field(ge=1)] = 30
    take_days: Annotated[int, Field(ge=1)] = 7


class OpenAI(Section):
    """The OpenAI captioner, or any server that speaks its API."""

    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    base_url: HttpUrl | None = None
    api: Literal["responses", "chat"] = "responses"
    model: str = "gpt-6-luna"
    fallback_model: str = "gpt-5.6-luna"
    detail: Literal["low", "high", "auto"] = "low"
    effort: Literal["none", "minimal", "low", "medium", "high", ""] = "none"
    max_output_tokens: Annotated[int, Field(ge=200)] = 600
    moderation: bool = True
    moderation_model: str = "omni-moderation-latest"
    deadline_s: Seconds = 60.0
    calls: Positive = 8
    calls_per_minute: Annotated[int, Field(ge=0)] = 0
    tries: Positive = 3
    memory_hours: Annotated[int, Field(ge=0)] = 24
    memory_entries: Positive = 10_000
    dollars_per_million_input: Dollars = 0.10
    dollars_per_million_output: Dollars = 0.50

    @model_validator(mode="before")
    @classmethod
    def _read_key(cls, data: object) -> object:
        return _with_secret(data, "api_key")


class Vertex(Section):
    """Where Lyria and pipelines run."""

    project: str = ""
    location: str = "us-central1"
    endpoint: HttpUrl | None = None
    key_file: Path | None = None


class Lyria(Section):
    """The Lyria composer on Vertex AI."""

    model: Literal["lyria-002", "lyria-3-clip-preview", "lyria-3-pro-preview"] = "lyria-002"
    deadline_s: Seconds = 180.0
    calls: Positive = 4
    calls_per_minute: Annotated[int, Field(ge=0)] = 0
    tries: Positive = 2
    send_picture: bool = False
    dollars_per_take: Dollars | None = None


class Pipeline(Section):
    """The pipeline composer on Vertex AI."""

    template_uri: str = ""
    output: Annotated[str, Field(pattern=r"^(gs://[^\s]+[^/])?$")] = ""
    service_account: str = ""
    network: str = ""
    deadline_s: Seconds = 1800.0
    poll_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    longest_poll_s: Annotated[float, Field(gt=0, le=300)] = 15.0
    calls: Positive = 16
    calls_per_minute: Annotated[int, Field(ge=0)] = 0
    labels: dict[str, str] = {}
    dollars_per_take: Dollars = 0.05


class Web(Section):
    """The song page. It is off without `public_url`."""

    # Where visitors find it, without a slash at the end: links are made of it, and its path stands before ours.
    public_url: Annotated[str, Field(pattern=r"^(https?://[^\s/?#@]+(/[A-Za-z0-9._~-]+)*)?$")] = ""
    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    requests_per_minute: Annotated[int, Field(ge=0)] = 300
    proxies: tuple[IPvAnyNetwork, ...] = ()
    proxy_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] = "X-Forwarded-For"
    connections: Positive = 1000
    streams: Positive = 100
    streams_per_address: Positive = 12
    stall_s: Seconds = 30.0


class Privacy(Section):
    """How members are named to providers and in storage: as a hash of their id and this salt."""

    salt: SecretStr | None = None
    salt_file: Path | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_salt(cls, data: object) -> object:
        return _with_secret(data, "salt")


class Log(Section):
    """What is written to standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: Literal["auto", "text", "json"] = "auto"


class Settings(BaseSettings):
    """The whole configuration. Build it with `load`, which turns every mistake into a sentence."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        env_ignore_empty=True,
        env_prefix=PREFIX,
        env_nested_delimiter=NEST,
        hide_input_in_errors=True,
    )

    captioner: Literal["palette", "openai"] = "palette"
    composer: Literal["arranger", "lyria", "pipeline"] = "arranger"
    storage: Literal["folder", "gcs"] = "folder"
    language: Literal["en", "ko"] = "en"
    discord: Discord = Discord()
    database: Database = Database()
    picture: PictureSettings = PictureSettings()
    song: SongSettings = SongSettings()
    limits: Limits = Limits()
    work: Work = Work()
    retention: Retention = Retention()
    folder: Folder = Folder()
    gcs: Gcs = Gcs()
    openai: OpenAI = OpenAI()
    vertex: Vertex = Vertex()
    lyria: Lyria = Lyria()
    pipeline: Pipeline = Pipeline()
    web: Web = Web()
    privacy: Privacy = Privacy()
    ops: Ops = Ops()
    log: Log = Log()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources, the strongest first."""
        del settings_cls, dotenv_settings, file_secret_settings
        # What `load` read from the file comes in as arguments: the environment stands above it.
        return env_settings, init_settings


def load(path: Path | None = None) -> Settings:
    """Return the settings of `path`, of the file that MELODIFY_CONFIG names, or of ./config.toml where it exists.

    Raises Misconfigured with one sentence for each mistake, all at once.
    """
    named = path or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    table, problems = _read_table(named or Path("config.toml"), must_exist=named is not None)
    problems += _unknown_variables()
    settings = None
    try:
        settings = Settings(**table)
    except ValidationError as error:
        problems += sentences(error)
    except SettingsError as error:
        # The environment gives lists and tables as JSON; the library's own words name the field.
        name = re.search(r'field "([^"]+)"', str(error))
        problems.append(
            f"{PREFIX}{name[1].upper() if name else '...'}: a list or table in a variable must be JSON, such as [1, 2]."
        )
    if settings is None or problems:
        raise Misconfigured(*problems)
    return settings


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """Return every secret value that is set, for those who keep them out of sight."""
    values = (getattr(getattr(settings, section), name) for section, name in sorted(SECRETS))
    return (
        *(value.get_secret_value() for value in values if value is not None),
        *_passwords_in(settings.database.url),
    )


def _passwords_in(url: str) -> list[str]:
    """Return the password in the address of a database, as it stands there and as it is meant."""
    if url.startswith("sqlite"):
        return []
    address = url.partition("://")[2]
    # Also up to the last @: of a password that should have been encoded no half may be seen.
    logins = {address.partition("@")[0], address.rpartition("@")[0]} if "@" in address else ()
    found = {login.partition(":")[2] for login in logins} | set(re.findall(r"[?&]password=([^&]+)", address))
    return sorted({form for password in found if password for form in (password, unquote(password))})


def _read_table(path: Path, *, must_exist: bool) -> tuple[dict[str, Any], list[str]]:
    if not must_exist and not path.exists():
        return {}, []
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return {}, [f"The settings file {path} cannot be read: {error.strerror}."]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return {}, [f"The settings file {path} is not valid TOML: {error}."]
    problems = []
    for section, key in sorted(SECRETS):
        if isinstance(table.get(section), dict) and table[section].pop(key, None) is not None:
            variable = f"{PREFIX}{section}{NEST}{key}".upper()
            problems.append(
                f"{section}.{key} is a secret and may not stand in {path}: set {variable} or {section}.{key}_file."
            )
    return table, problems


def _unknown_variables() -> list[str]:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    return [
        f"The environment variable {name} names no setting."
        for name in sorted(os.environ)
        if name.startswith(PREFIX) and name != CONFIG_VARIABLE and name.split(NEST)[0].upper() not in known
    ]
