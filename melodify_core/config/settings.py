"""Every setting with its default and its bounds. loading.py reads them."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from melodify_core.config.files import read_text

PREFIX = "MELODIFY_"
NEST = "__"

MOST = 1_000_000_000  # what a database and a system call can take: more is a slip of the keyboard
Positive = Annotated[int, Field(gt=0, le=MOST)]
Seconds = Annotated[float, Field(gt=0)]
Dollars = Annotated[float, Field(ge=0)]
HttpUrl = Annotated[str, Field(pattern=r"^https?://[^\s/]+\S*$")]
HostName = Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")]
GatewayUrl = Annotated[str, Field(pattern=r"^wss?://[^\s/]+\S*$")]


ComposerName = Literal["arranger", "gemini", "elevenlabs", "acestep", "lyria", "pipeline"]


# What a header can carry.
_KEY = re.compile(r"[!-~]+")


class Section(BaseModel):
    """A table of config.toml: frozen, and an unknown key is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def secrets(cls) -> list[str]:
        """Return the names of the secrets. The environment gives each, or the file that `<name>_file` names."""
        return [name for name, field in cls.model_fields.items() if field.annotation == SecretStr | None]

    @model_validator(mode="before")
    @classmethod
    def _read_secrets(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        keys = {name: data[name].strip() for name in cls.secrets() if _is_key(name) and isinstance(data.get(name), str)}
        data = data | keys
        missing = [name for name in cls.secrets() if not data.get(name) and data.get(f"{name}_file")]
        return data | {name: _read_secret(f"{name}_file", Path(str(data[f"{name}_file"]))) for name in missing}

    @model_validator(mode="after")
    def _keys_can_be_sent(self) -> Self:
        for name in self.secrets():
            secret: SecretStr | None = getattr(self, name)
            if _is_key(name) and secret and not _KEY.fullmatch(secret.get_secret_value()):
                raise ValueError(
                    f"{name} is not a key: it has spaces, line breaks or characters that no key has. Copy it again"
                )
        return self


def _is_key(name: str) -> bool:
    return name.endswith("_key")


def _read_secret(setting: str, path: Path) -> SecretStr:
    try:
        secret = read_text(path).strip()
    except OSError as error:
        raise ValueError(f"{setting} cannot be read: {path} ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{setting} cannot be read: {path} (it is not UTF-8 text)") from error
    if not secret:
        raise ValueError(f"{setting} is empty: {path}")
    return SecretStr(secret)


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
    notify_after_s: Annotated[float, Field(ge=0)] = 60.0
    picture_hosts: frozenset[HostName] = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
    download_s: Seconds = 20.0
    patience_s: Seconds = 60.0
    ratelimit_s: Annotated[float, Field(ge=30)] = 60.0
    shard_count: Positive | None = None
    shard_ids: frozenset[Annotated[int, Field(ge=0)]] = frozenset()

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

    # Never shown: it may hold a password.
    url: Annotated[str, Field(pattern=r"^(sqlite:///[^:]|postgresql(\+psycopg)?://).+", repr=False)] = (
        "sqlite:///data/melodify.db"
    )
    takeover_s: Annotated[float, Field(ge=1)] = 15.0


class PictureSettings(Section):
    """What is accepted, and how small it is made."""

    max_megabytes: Annotated[int, Field(gt=0, le=1000)] = 20
    max_megapixels: Positive = 50
    longest_side: Annotated[int, Field(ge=64, le=2048)] = 768
    deadline_s: Seconds = 10.0


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

    refused_pictures_per_minute: Annotated[int, Field(ge=0)] = 6
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
    idle_s: Annotated[float, Field(ge=0)] = 0.0
    # A stop waits for one poll.
    poll_s: Annotated[float, Field(gt=0, le=5)] = 0.1
    drain_s: Annotated[float, Field(ge=0)] = 20.0
    # A job that is open for longer is reported in the log.
    stuck_minutes: Positive = 30
    # How long a job waits for a provider whose calls are all taken.
    patience_s: Seconds = 600.0


class Ops(Section):
    """Health, metrics and traces, for the operator. Not for the public: bind it to where only you can reach it."""

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
    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max", ""] = "none"
    max_output_tokens: Annotated[int, Field(ge=200)] = 600
    moderation: bool = True
    moderation_model: str = "omni-moderation-latest"
    # For a moderation by another server or with another key than the captioner's.
    moderation_key: SecretStr | None = None
    moderation_key_file: Path | None = None
    moderation_url: HttpUrl | None = None
    deadline_s: Seconds = 60.0
    calls: Positive = 8
    calls_per_minute: Annotated[int, Field(ge=0)] = 0
    tries: Positive = 3
    memory_hours: Annotated[int, Field(ge=0)] = 24
    memory_entries: Positive = 10_000
    dollars_per_million_input: Dollars = 0.10
    dollars_per_million_output: Dollars = 0.50
    fallback_dollars_per_million_input: Dollars | None = None
    fallback_dollars_per_million_output: Dollars | None = None

    @model_validator(mode="before")
    @classmethod
    def _room_for_thoughts(cls, data: object) -> object:
        # Local models think although they were told not to, and their thoughts count.
        return {"max_output_tokens": 4000} | data if isinstance(data, dict) and data.get("base_url") else data


class Vertex(Section):
    """Where Lyria and pipelines run."""

    project: str = ""
    location: str = "us-central1"
    endpoint: HttpUrl | None = None
    key_file: Path | None = None


class Lyria(Section):
    """The Lyria composer on Vertex AI."""

    # Any name: an unknown one needs `dollars_per_take`.
    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")] = "lyria-002"
    deadline_s: Seconds = 180.0
    calls: Positive = 4
    calls_per_minute: Annotated[int, Field(ge=0)] = 0
    tries: Positive = 2
    send_picture: bool = False
    dollars_per_take: Dollars | None = None


class Gemini(Section):
    """The Gemini composer: Lyria through the Gemini API, with one key."""

    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    endpoint: HttpUrl | None = None
    # Any name: an unknown one needs `price`.
    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")] = "lyria-3.5"
    price: Dollars | None = None
    deadline_s: Seconds = 180.0
    calls: Positive = 4
    calls_per_minute: Annotated[int, Field(ge=0)] = 0
    tries: Positive = 2
    send_picture: bool = False


class ElevenLabs(Section):
    """The ElevenLabs composer, with one key."""

    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    endpoint: HttpUrl | None = None
    model: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")] = "music_v2"
    # The highest price that a seller asked in November 2026: a budget must hold.
    dollars_per_minute: Dollars = 0.80
    deadline_s: Seconds = 180.0
    calls: Positive = 2
    calls_per_minute: Annotated[int, Field(ge=0)] = 0
    tries: Positive = 2


class AceStep(Section):
    """The ACE-Step composer: a music model on a machine of the host's own."""

    url: HttpUrl = "http://127.0.0.1:8001"
    api_key: SecretStr | None = None
    api_key_file: Path | None = None
    # Empty: the server's default model.
    model: Annotated[str, Field(pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]{0,99})?$")] = ""
    # The language model beside it plans the song: better music, more graphics memory.
    thinking: bool = False
    steps: Annotated[int, Field(ge=1, le=200)] = 8
    deadline_s: Seconds = 600.0
    poll_s: Annotated[float, Field(gt=0, le=60)] = 0.05
    calls: Positive = 4
    calls_per_minute: Annotated[int, Field(ge=0)] = 0
    dollars_per_take: Dollars = 0.0


class Pipeline(Section):
    """The pipeline composer on Vertex AI."""

    template_uri: str = ""
    output: Annotated[str, Field(pattern=r"^(gs://[^\s]+[^/])?$")] = ""
    service_account: str = ""
    network: str = ""
    deadline_s: Seconds = 1800.0
    poll_s: Annotated[float, Field(gt=0, le=60)] = 5.0
    longest_poll_s: Annotated[float, Field(gt=0, le=300)] = 15.0
    paused_s: Seconds = 600.0
    calls: Positive = 16
    calls_per_minute: Annotated[int, Field(ge=0)] = 0
    labels: dict[str, str] = {}
    dollars_per_take: Dollars = 0.05


class Web(Section):
    """The song page. It is off without `public_url`."""

    # Where visitors find it, without a slash at the end: links are made of it, and its path comes before ours.
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


LogFormat = Literal["auto", "text", "json"]


class Log(Section):
    """What is written to standard error."""

    level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    format: LogFormat = "auto"


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
    composer: ComposerName = "arranger"
    # Several instead of one, in the order in which they are tried; `fallback` says how.
    composers: tuple[ComposerName, ...] = ()
    fallback: Literal["play", "ask"] = "play"
    storage: Literal["folder", "gcs"] = "folder"
    # Without a choice: see `providers.moderation_of`.
    moderation: Literal["openai", "local", "off"] | None = None
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
    gemini: Gemini = Gemini()
    elevenlabs: ElevenLabs = ElevenLabs()
    acestep: AceStep = AceStep()
    pipeline: Pipeline = Pipeline()
    web: Web = Web()
    privacy: Privacy = Privacy()
    ops: Ops = Ops()
    log: Log = Log()

    @property
    def players(self) -> tuple[ComposerName, ...]:
        """The composers, in the order in which they are tried."""
        return self.composers or (self.composer,)

    @model_validator(mode="after")
    def _composers_differ(self) -> "Settings":
        if len(set(self.composers)) < len(self.composers):
            raise ValueError("composers names a composer twice")
        return self

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
        # What `load` read from the file comes in as arguments: the environment overrides it.
        return env_settings, init_settings
