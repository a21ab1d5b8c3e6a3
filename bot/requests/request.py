"""What a member asks for, in plain data: enough to serve it, or to say why not, also after a restart."""

from typing import Annotated, Any, Literal

import discord
from pydantic import BaseModel, ConfigDict, Field

from bot.discord_api import guild_settings, permissions
from bot.interaction import Interaction
from melodify_core.errors import Rejected, to_record
from melodify_core.models import GuildSettings, Place, Record, Wish

# How it was asked, which decides where the answers stand: a post, a command, a command from where the bot is not, one
# whose answers only the asker sees, or a press of a song's button.
Way = Literal["post", "command", "token", "private", "press"]


class SentPicture(Record):
    """A file that Discord keeps for us."""

    url: Annotated[str, Field(repr=False)]  # signed: whoever has it sees the picture
    size: int


class StatusLine(Record):
    """Where a message of the bot's stands."""

    channel_id: int
    message_id: int


class Request(Record):
    """What is the same in every way of asking. Of the `sent` pictures these are taken."""

    first_id: str  # of the interaction or message: the first picture's job
    way: Way
    user_id: int
    pictures: tuple[SentPicture, ...] = ()
    sent: int = 0
    wish: Wish
    place: Place  # all of it but the status message, which does not stand yet
    private: bool = False
    role_ids: tuple[int, ...] = ()
    token: Annotated[str, Field(repr=False)] = ""  # of the interaction, "" for a post
    message_id: int = 0  # the post, or the message whose button was pressed
    refused: dict[str, Any] | None = None  # what speaks against it, as errors.to_record writes it
    # Another song of this job's picture; with `same_reading` nothing is paid for reading it again.
    parent_id: str | None = None
    same_reading: bool = False

    @property
    def songs(self) -> int:
        """How many songs there are to make."""
        return 1 if self.parent_id else len(self.pictures)

    @property
    def several(self) -> bool:
        """Whether there is more than one song to make."""
        return self.songs > 1


def request_of(
    source: discord.Message | Interaction,
    server: GuildSettings,
    wish: Wish,
    *,
    private: bool = False,
    pictures: tuple[SentPicture, ...] = (),
    sent: int = 0,
    parent_id: str | None = None,
    same_reading: bool = False,
) -> Request:
    """Return what a message or an interaction asks for, with what speaks against it.

    `parent_id` is of the song that another one is wanted of. `sent` counts the pictures of which `pictures` are taken.
    """
    way = _way_of(source, private=private, retake=parent_id is not None)
    user = source.author if isinstance(source, discord.Message) else source.user
    pressed = source if isinstance(source, discord.Message) else source.message
    request = Request(
        first_id=str(source.id),
        way=way,
        user_id=user.id,
        pictures=pictures,
        sent=sent,
        wish=wish,
        place=place_of(source, server, private=private),
        private=private,
        role_ids=tuple(role.id for role in user.roles) if isinstance(user, discord.Member) else (),
        token="" if isinstance(source, discord.Message) else source.token,
        message_id=pressed.id if pressed else 0,
        parent_id=parent_id,
        same_reading=same_reading,
    )
    refusal = _refusal(request, server, source)
    return request.model_copy(update={"refused": to_record(refusal)}) if refusal else request


def _way_of(source: discord.Message | Interaction, *, private: bool, retake: bool) -> Way:
    if isinstance(source, discord.Message):
        return "post"
    if permissions.answers_by_token(source):
        return "token"
    if private and source.guild_id is not None:
        return "private"
    return "press" if retake else "command"


def place_of(source: discord.Message | Interaction, server: GuildSettings, *, private: bool = False) -> Place:
    """Return where the songs go that are asked for there. The status message is not posted yet."""
    channel = source.channel
    place = Place(
        channel_id=channel.id if channel else 0,
        guild_id=source.guild.id if source.guild else None,
        threadable=server.threads and permissions.threadable(permissions_of(source), channel.type if channel else None),
        max_bytes=permissions.upload_limit(source.guild),
        archive_minutes=server.archive_minutes,
        adult=not private and guild_settings.is_adult(server, channel),
    )
    if isinstance(source, discord.Message):
        return place
    # What Discord says of the channel and the server may be missing where the bot is not.
    place = place.model_copy(update={"channel_id": source.channel_id or 0, "guild_id": source.guild_id})
    if not permissions.answers_by_token(source):
        return place
    by_token = {"threadable": False, "max_bytes": source.filesize_limit, "token": source.token}
    return place.model_copy(update=by_token)


def permissions_of(source: discord.Message | Interaction) -> discord.Permissions:
    """Return what the bot may do there."""
    if isinstance(source, discord.Message):
        return permissions.permissions_in(source)
    return source.app_permissions


def _refusal(request: Request, server: GuildSettings, source: discord.Message | Interaction) -> Rejected | None:
    """Return what speaks against the request: the moderators' rules, or what the bot may not do in the channel."""
    channel = source.channel
    parent_id = channel.parent_id if isinstance(channel, discord.Thread) else None
    try:
        guild_settings.check(server, request.place.channel_id, parent_id, request.user_id)
        # Only there the song is posted into the channel.
        if request.place.guild_id is not None and request.way in ("post", "command", "press"):
            permissions.check(request.wish.language, permissions_of(source), channel)
    except Rejected as error:
        return error
    return None


class RequestProgress(Record):
    """A request, and how far it has come."""

    request: Request
    next: int = 1  # the first picture, from 1, of which nothing is decided yet
    head: StatusLine | None = None  # the one line for several pictures
    thread: bool = False  # there is one on the head
    lines: dict[int, StatusLine] = Field(default_factory=dict)  # the status messages by their pictures


class _AnswerTarget(BaseModel):
    first_id: str
    way: Way
    user_id: int
    place: dict[str, Any]
    wish: dict[str, Any] = {}
    token: str = ""
    message_id: int = 0


class AnswerableRequest(BaseModel):
    """What an apology needs of a record that cannot be read any more, perhaps because another version wrote it."""

    model_config = ConfigDict(hide_input_in_errors=True)

    request: _AnswerTarget
    next: int = 1
    lines: dict[int, StatusLine] = {}

    def refused(self, error: dict[str, Any]) -> RequestProgress:
        """Return a request that is answered with the error."""
        left = self.request
        place = {name: left.place.get(name) for name in ("channel_id", "guild_id", "token")}
        request = Request(
            first_id=left.first_id,
            way=left.way,
            user_id=left.user_id,
            wish=Wish(language="ko" if left.wish.get("language") == "ko" else "en"),
            place=Place.model_validate(place),
            token=left.token,
            message_id=left.message_id,
            refused=error,
        )
        return RequestProgress(request=request, next=self.next, lines=self.lines)
