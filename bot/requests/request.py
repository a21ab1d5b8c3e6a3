"""A member's request as plain data that survives a restart: enough to fulfil it, or to answer why not.

intake.py and fulfilment.py work with it.
"""

from typing import Annotated, Any, Literal

import discord
from pydantic import BaseModel, ConfigDict, Field

from bot.discord_api import guild_settings, permissions
from bot.discord_api.permissions import Channel
from bot.i18n.translator import language_of
from bot.interaction import Interaction
from melodify_core.errors import Rejected, to_record
from melodify_core.models import GuildSettings, Language, Place, Record, Wish

# How the asker asked, which decides where the answers are posted. "token" is a command from where the bot is not a
# member, "private" one whose answers only the asker sees, "press" a song's button.
Way = Literal["post", "command", "token", "private", "press"]


class SentPicture(Record):
    """A picture that Discord stores."""

    url: Annotated[str, Field(repr=False)]  # signed: anyone who has it can load the picture
    size: int
    spoiler: bool = False


class StatusLine(Record):
    """The ids of one of the bot's messages."""

    channel_id: int
    message_id: int


class Request(Record):
    """A request for songs, asked in any way. `pictures` are those that are taken, `sent` counts all that were sent."""

    first_id: str  # of the interaction or message: the first picture's job
    way: Way
    user_id: int
    pictures: tuple[SentPicture, ...] = ()
    sent: int = 0
    wish: Wish
    place: Place  # without the status message, which is not posted yet
    private: bool = False
    role_ids: tuple[int, ...] = ()
    token: Annotated[str, Field(repr=False)] = ""  # of the interaction, "" for a post
    message_id: int = 0  # the post, or the message whose button was pressed
    refused: dict[str, Any] | None = None  # why it is refused, as errors.to_record writes it
    # The job whose picture gets another song; with `same_reading` the picture is not read, and paid for, again.
    parent_id: str | None = None
    same_reading: bool = False
    reader: Language | None = None  # the asker's language, None where it is not known

    @property
    def answer_language(self) -> Language:
        """The language of an answer that only the asker sees; a post is answered in public."""
        return self.reader or self.wish.language

    @property
    def songs(self) -> int:
        """How many songs to make."""
        return 1 if self.parent_id else len(self.pictures)

    @property
    def several(self) -> bool:
        """Whether to make more than one song."""
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
    shows_picture: bool = False,
    borrowed: bool = False,
) -> Request:
    """Return the request of a message or an interaction, with the reason if it is refused.

    `parent_id` is the job of the song whose picture gets another song. `sent` counts all pictures, taken or not.
    `shows_picture` means that the pictures were posted where the song goes, `borrowed` that somebody else posted them.
    """
    user = source.author if isinstance(source, discord.Message) else source.user
    pressed = source if isinstance(source, discord.Message) else source.message
    request = Request(
        first_id=str(source.id),
        way=_way_of(source, private=private, retake=parent_id is not None),
        user_id=user.id,
        pictures=pictures,
        sent=sent,
        wish=wish,
        place=_place_of(source, server, private=private).model_copy(
            update={"shows_picture": shows_picture and not private, "borrowed": borrowed}
        ),
        private=private,
        role_ids=tuple(role.id for role in user.roles) if isinstance(user, discord.Member) else (),
        token="" if isinstance(source, discord.Message) else source.token,
        message_id=pressed.id if pressed else 0,
        parent_id=parent_id,
        same_reading=same_reading,
        reader=None if isinstance(source, discord.Message) else language_of(source.locale),
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


def _place_of(source: discord.Message | Interaction, server: GuildSettings, *, private: bool = False) -> Place:
    """Return where the songs of the source go. The status message is not posted yet."""
    channel, allowed = source.channel, _permissions_of(source)
    place = Place(
        channel_id=channel.id if channel else 0,
        guild_id=source.guild.id if source.guild else None,
        threadable=server.threads and permissions.threadable(allowed, channel.type if channel else None),
        max_bytes=permissions.upload_limit(source.guild),
        archive_minutes=server.archive_minutes,
        adult=not private and guild_settings.is_adult(server, channel),
        listed_in=_list_of(channel),
    )
    if isinstance(source, discord.Message):
        return place
    # Where the bot is not a member, Discord may not send the channel and the server.
    place = place.model_copy(update={"channel_id": source.channel_id or 0, "guild_id": source.guild_id})
    if not permissions.answers_by_token(source):
        return place
    by_token = {"threadable": False, "max_bytes": source.filesize_limit, "token": source.token}
    return place.model_copy(update=by_token)


def _list_of(channel: Channel) -> int | None:
    """Return the channel in whose list the song is. Whoever sees it sees its public threads, also the archived ones."""
    if isinstance(channel, discord.Thread):
        return channel.id if channel.is_private() else channel.parent_id
    return channel.id if channel else None


def _permissions_of(source: discord.Message | Interaction) -> discord.Permissions:
    """Return what the bot may do in the channel of the source."""
    if isinstance(source, discord.Message):
        return permissions.permissions_in(source)
    return source.app_permissions


def _refusal(request: Request, server: GuildSettings, source: discord.Message | Interaction) -> Rejected | None:
    """Return why the request is refused: by the moderators' rules, or because the bot lacks permissions; else None."""
    channel = source.channel
    parent_id = channel.parent_id if isinstance(channel, discord.Thread) else None
    try:
        guild_settings.check(server, request.place.channel_id, parent_id, request.user_id)
        # With the other ways of asking, the bot posts nothing into the channel.
        if request.place.guild_id is not None and request.way in ("post", "command", "press"):
            permissions.check(request.answer_language, _permissions_of(source), channel)
    except Rejected as error:
        return error
    return None


class RequestProgress(Record):
    """A request with its progress."""

    request: Request
    next: int = 1  # the first picture, from 1, that is neither ordered nor refused
    head: StatusLine | None = None  # the one message for several pictures
    thread: bool = False  # whether the head has one
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
    """The part of a record that an apology needs. Readable even where another version wrote the record."""

    model_config = ConfigDict(hide_input_in_errors=True)

    request: _AnswerTarget
    next: int = 1
    lines: dict[int, StatusLine] = {}

    def refused(self, error: dict[str, Any]) -> RequestProgress:
        """Return a request that is answered with the error."""
        target = self.request
        place = {name: target.place.get(name) for name in ("channel_id", "guild_id", "token")}
        request = Request(
            first_id=target.first_id,
            way=target.way,
            user_id=target.user_id,
            wish=Wish(language="ko" if target.wish.get("language") == "ko" else "en"),
            place=Place.model_validate(place),
            token=target.token,
            message_id=target.message_id,
            refused=error,
        )
        return RequestProgress(request=request, next=self.next, lines=self.lines)
