"""The models that everything passes around: Order, Job, Picture, Brief, Take, Song. Data without behaviour."""

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Language = Literal["en", "ko"]
Mode = Literal["major", "minor"]
# The progress of a composer that works elsewhere.
Progress = Literal["queued", "provisioning", "running", "paused"]
Energy = Literal["calm", "gentle", "moderate", "lively", "intense"]
Meter = Literal["3/4", "4/4", "6/8"]


class Record(BaseModel):
    """Frozen data that may be stored as JSON; an unknown field is an error."""

    # Errors may be logged, the content of a record may not: it may hold a token.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Stage(StrEnum):
    """The stages of a job, as the status message shows them."""

    QUEUED = "queued"
    LOOKING = "looking"
    COMPOSING = "composing"
    MASTERING = "mastering"
    DELIVERING = "delivering"
    DONE = "done"


class Wish(Record):
    """The options of an order beside the picture. Texts are already cleaned and clipped."""

    hint: str = ""
    style: str = "auto"
    seconds: int = 30
    language: Language = "en"
    locale: str = ""  # the asker's Discord locale, such as "ja", for captioners that write in that language
    seed: int | None = None
    vocals: bool = False  # for composers that can sing
    covered: bool = False  # the hint was written as a spoiler: it is shown to nobody who has not asked for it


class Place(Record):
    """Where the answer is posted, as ids. Nothing here expires but the token."""

    channel_id: int
    guild_id: int | None = None
    status_id: int | None = None  # the bot's status message in channel_id
    threadable: bool = False  # the bot may open a thread on the status message
    max_bytes: int = 10 * 1024 * 1024  # the place's upload limit
    archive_minutes: int = 1440  # how long a thread opened here stays when nobody writes
    adult: bool = False  # an age-restricted channel of a server that allows sexual pictures there
    # Where the bot is not a member: the interaction's token, the only way to answer, valid for 15 minutes.
    token: Annotated[str | None, Field(repr=False)] = None
    ordered_in: int | None = None  # the server where a song for direct messages was asked for
    shows_picture: bool = False  # the picture itself was posted there: its readers see it anyway
    borrowed: bool = False  # perhaps somebody else's picture: from a reply, a forward, or a message's menu
    # The channel whose readers find the song in lists, also when Discord has archived the thread. None: channel_id.
    listed_in: int | None = None
    # The answer in the channel that only the asker of a private song sees, and the token to edit it for 15 minutes.
    note_id: int | None = None
    note_token: Annotated[str | None, Field(repr=False)] = None

    @property
    def counts_in(self) -> int | None:
        """The server whose limits and budget this song counts for."""
        return self.guild_id if self.guild_id is not None else self.ordered_in


@dataclass(frozen=True, slots=True)
class Order:
    """A request for a song, with the picture's bytes."""

    job_id: str  # the id of the interaction or message: a repeat is the same job
    user_id: int
    place: Place
    picture: bytes = field(repr=False)
    wish: Wish = Wish()
    private: bool = False
    role_ids: tuple[int, ...] = ()  # the member's roles, for the limits
    brief: "Brief | None" = None  # of another take, whose picture was read already
    parent_id: str | None = None  # the job whose song this is another take of
    parent_link: str = ""  # where that song was posted
    spoiler: bool = False  # its picture was posted as a spoiler: it is shown to nobody who has not asked for it
    parent_wish: Wish | None = None  # of the song that this is another take of, to say what was changed
    named: bool = True  # its message names the member
    notifies: bool = False  # its message notifies the member if the song took long


class Job(Record):
    """An accepted order, as the engine stores it: the picture is a key."""

    job_id: str
    user_id: int
    place: Place
    wish: Wish
    private: bool = False
    picture_key: str
    picture_sha256: str
    picture_width: int
    picture_height: int
    seed: int
    brief: "Brief | None" = None  # the reading, where it was paid for already
    parent_id: str | None = None
    parent_link: str = ""
    # The id of its page on the web: anyone who knows it may open the page. None where there is no page.
    page_id: Annotated[str | None, Field(repr=False)] = None
    spoiler: bool = False
    # The composers that may play, in order; empty: the first of the settings alone, as in jobs of earlier versions.
    composers: tuple[str, ...] = ()
    composer: str = ""  # where `composers` is empty: the first of the settings when the job was queued
    asks: bool = False  # its asker is asked before another one than the first of them plays
    parent_wish: Wish | None = None
    named: bool = True
    notifies: bool = False


@dataclass(frozen=True, slots=True)
class Picture:
    """Checked, upright RGB picture as JPEG; the longest side is at most settings.picture.longest_side pixels."""

    jpeg: bytes = field(repr=False)
    width: int
    height: int
    sha256: str  # hex digest of the RGB pixels, not of the file


Adjustable = Literal["mode", "energy", "genre", "bpm", "valence", "arousal", "instruments"]


class Adjustment(Record):
    """A value of a reading that could not be used, and the value used instead; "" where it was dropped."""

    name: Adjustable
    said: Annotated[str, Field(max_length=40)]
    used: Annotated[str, Field(max_length=40)] = ""


class Brief(Record):
    """The musical reading of a picture. Title and caption are in the asker's language, all else is in English."""

    title: Annotated[str, Field(min_length=1, max_length=80)]
    caption: Annotated[str, Field(min_length=1, max_length=300)]
    mood: Annotated[tuple[str, ...], Field(min_length=1, max_length=4)]
    valence: Annotated[float, Field(ge=-1, le=1)]  # unpleasant .. pleasant
    arousal: Annotated[float, Field(ge=-1, le=1)]  # still .. excited
    energy: Energy
    genre: Annotated[str, Field(max_length=60)]  # "": the composer chooses by instruments and mood
    instruments: Annotated[tuple[str, ...], Field(min_length=1, max_length=6)]
    bpm: Annotated[int, Field(ge=40, le=220)]
    mode: Mode
    arrangement: Annotated[str, Field(max_length=300)]
    soundscape: Annotated[str, Field(max_length=300)]
    adjusted: Annotated[tuple[Adjustment, ...], Field(max_length=8)] = ()
    # Other titles that fit as well, for a server that has had a song of this title lately; empty in what is stored.
    spare_titles: Annotated[tuple[Annotated[str, Field(max_length=80)], ...], Field(max_length=32)] = ()
    # Other captions that fit as well, for a server whose latest songs were told in nearly the same words.
    spare_captions: Annotated[tuple[Annotated[str, Field(max_length=300)], ...], Field(max_length=16)] = ()
    meter: Meter | None = None  # None: the composer's choice
    without: Annotated[tuple[str, ...], Field(max_length=8)] = ()  # instruments that must not play
    # The soundscape's sounds by name, such as "rain"; None: as the words of `soundscape` say.
    sounds: Annotated[tuple[str, ...], Field(max_length=4)] | None = None
    # What became of the hint, where the captioner knows it: see melodify_core/hints.
    heard: Annotated[tuple[str, ...], Field(max_length=12)] = ()
    not_used: Annotated[tuple[str, ...], Field(max_length=8)] = ()


@dataclass(frozen=True, slots=True)
class Wording:
    """What a song is called, and what is said of it."""

    title: str
    caption: str


@dataclass(frozen=True, slots=True)
class RawTake:
    """A composer's result: audio in any container that PyAV reads, and what the composer knows about it."""

    audio: bytes = field(repr=False)
    content_type: str
    bpm: int | None = None
    key: str | None = None  # tonic, such as "E" or "B flat"
    mode: Mode | None = None
    instruments: tuple[str, ...] = ()
    model: str = ""
    midi: bytes | None = field(default=None, repr=False)  # the score as a standard MIDI file, if the composer has it
    meter: Meter | None = None


class Bill(Record):
    """The cost of one call to a paid provider, estimated from its list prices."""

    provider: str
    model: str
    dollars: Annotated[float, Field(ge=0)] = 0.0
    input_tokens: Annotated[int, Field(ge=0)] = 0
    output_tokens: Annotated[int, Field(ge=0)] = 0
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a composer can do, at what price, and whose its music is. Lengths in seconds, as its service states them."""

    shortest_s: int
    longest_s: int
    licence: str  # of the music: one English line; the bot's catalogue has it in every language
    dollars_per_song: float = 0.0
    dollars_per_minute: float = 0.0
    vocals: bool = False
    picture: bool = False  # it looks at the picture itself

    def price(self, seconds: int) -> float:
        """Return the dollars of a song of this length."""
        return self.dollars_per_song + self.dollars_per_minute * seconds / 60


@dataclass(frozen=True, slots=True)
class Money:
    """Dollars: what was (or may have been) paid, and what unfinished songs are expected to cost beyond that."""

    spent: float
    reserved: float


class Commission(Record):
    """Work that a composer has ordered elsewhere, and the name to find it again."""

    name: str


class Take(Record):
    """The metadata of a raw take in storage."""

    key_in_storage: str
    content_type: str
    bpm: int | None = None
    key: str | None = None
    mode: Mode | None = None
    instruments: tuple[str, ...] = ()
    model: str = ""
    meter: Meter | None = None
    composer: str = ""  # empty in takes of earlier versions: the first of the settings
    instead_of: str = ""  # the composer that should have played and could not


@dataclass(frozen=True, slots=True)
class Mastered:
    """The finished audio and its measurements."""

    audio: bytes = field(repr=False)  # MP3
    duration_s: float
    lufs: float  # integrated loudness, ITU-R BS.1770
    true_peak_dbtp: float
    bitrate_kbps: int
    waveform: tuple[int, ...]  # peak of each of 100 equal parts, 0..100


class Song(Record):
    """The stored result of a job: everything that may be shown to readers."""

    job_id: str
    title: str
    caption: str
    bpm: int | None
    key: str | None
    mode: Mode | None
    instruments: tuple[str, ...]
    mood: tuple[str, ...]
    valence: float
    arousal: float
    genre: str
    seed: int
    captioner: str
    composer: str
    picture_key: str
    audio_key: str
    dollars: float = 0.0  # the estimated cost of the providers
    duration_s: float
    lufs: float
    true_peak_dbtp: float
    bitrate_kbps: int
    size_bytes: int
    waveform: tuple[int, ...]
    # Another take starts from these; None for songs of the first versions.
    brief: Brief | None = None
    wish: Wish | None = None
    model: str = ""  # of the composer
    parent_id: str | None = None
    spoiler: bool = False
    meter: Meter | None = None  # where the composer tells it
    instead_of: str = ""  # the composer that should have played and could not


@dataclass(frozen=True, slots=True)
class Stored:
    """The metadata of a stored key."""

    content_type: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A key in a listing of the storage."""

    key: str
    saved_at: float  # unix seconds
    version: str  # changes with each save


@dataclass(frozen=True, slots=True)
class Link:
    """A signed URL: anyone who has it can open the file, until the unix second `expires_at`."""

    url: str = field(repr=False)
    expires_at: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """A job's position in the queue: 1 starts next, 0 has started. `starts_at` is an estimate, in unix seconds."""

    position: int
    starts_at: int | None = None

    @classmethod
    def at(cls, position: int, typical_s: float | None, running: int, at_once: int) -> "Forecast":
        """Return the forecast for `running` jobs, each of which takes `typical_s`, and `at_once` jobs per process."""
        room = max(running, at_once)  # with several processes, more jobs run than `at_once`
        rounds = max(0, -(-(position + running - room) // room))
        return cls(position, None if typical_s is None else int(time.time() + rounds * typical_s))


# "withdrawn": cancelled before it started. "forfeited": cancelled after something was paid for it.
UsageState = Literal["waiting", "running", "charged", "refunded", "withdrawn", "forfeited"]


@dataclass(frozen=True, slots=True)
class AcceptedOrder:
    """What the usage row knows about an accepted order, without its job's record."""

    job_id: str
    user_id: int
    state: UsageState
    place: Place | None
    language: Language
    picture_key: str
    page_id: str | None = field(default=None, repr=False)  # see Job.page_id


@dataclass(frozen=True, slots=True)
class CancelResult:
    """What became of a job that a member cancelled.

    A job that had not begun is cancelled, and no worker has it: the caller informs its asker. Any other job is being
    stopped by the worker that runs it, and that worker informs its asker.
    """

    caller_informs_asker: bool
    language: Language  # of the job's messages


class PendingPost(Record):
    """What is still to be posted for a job: its song, the last status line of a posted song, or an apology."""

    job: Job
    song: Song | None = None
    error: dict[str, Any] | None = None  # as errors.to_record writes it
    posted: "Posted | None" = None
    # Before the apology, delete the song wherever a try has posted it.
    recalls: bool = False


class Posted(Record):
    """Where a song was posted. Zeros: nowhere; it is only in the member's list."""

    channel_id: int = 0
    message_id: int = 0
    direct: bool = False  # to the asker, because the server's channel was not available
    line_open: bool = False  # the status message does not mention the song yet


@dataclass(frozen=True, slots=True)
class SongPosts:
    """Where a song's messages are. Zeros: nowhere."""

    job_id: str
    guild_id: int | None
    channel_id: int
    message_id: int
    # The status message, which is also the id of the thread on it.
    status_channel_id: int
    status_id: int
    videos: tuple[tuple[int, int], ...] = ()  # channel and message


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry(SongPosts):
    """A song in the library, and where it was posted."""

    song: Song
    user_id: int
    private: bool
    created_at: float  # unix seconds
    likes: int = 0
    asked_in: int = 0  # the channel of the request, the parent of a public thread
    page_id: str | None = field(default=None, repr=False)  # see Job.page_id


class RoleLimits(Record):
    """The limits of the members with a role in one server. None: the same as everybody."""

    songs_per_minute: int | None = None
    songs_per_hour: int | None = None
    songs_per_day: int | None = None
    waiting_per_user: int | None = None


class MemberSettings(Record):
    """What a member has chosen for all servers."""

    named: bool = True  # songs' messages and the servers' lists name the member
    notify: bool | None = None  # when a song that took long is ready; None: as the server's moderators have chosen
    start_page: bool = False  # the web's start page shows the member's songs, where the server agrees


class GuildSettings(Record):
    """The settings of a server, made by its moderators. None and empty: as in the host's settings."""

    watched_channels: frozenset[int] = frozenset()
    allowed_channels: frozenset[int] = frozenset()  # empty: all
    denied_channels: frozenset[int] = frozenset()
    roles: dict[str, RoleLimits] = {}
    songs_per_day: int | None = None  # of the whole server
    dollars_per_day: float | None = None
    style: str | None = None
    seconds: int | None = None
    language: Language | None = None
    threads: bool = True
    archive_minutes: Literal[60, 1440, 4320, 10080] = 1440
    nsfw: Literal["never", "age_restricted"] = "never"
    notify: bool = True  # members are notified when a song that took long is ready
    blocked_users: frozenset[int] = frozenset()
    start_page: bool = False  # the web's start page shows songs from here, of members who agree
