"""What the stories of buttons share: presses that come together, in Korean, or with an id that was not offered."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import discord
from simcord import interactions as wire
from simcord.actors import MemberActor
from simcord.backend import serializers
from simcord.builders import UserHandle
from simcord.results import InteractionResult, ResponseMessage

from tests.stories import World

PRESS = 3


def job_of(message: discord.Message) -> str:
    """Return the job whose song the message is."""
    [row, *_] = [row for row in message.components if isinstance(row, discord.ActionRow)]
    return str(row.children[0].custom_id).rpartition(":")[2]


def button(kind: str, song: discord.Message) -> str:
    """Return the id of a button under the song."""
    return f"song:{kind}:{job_of(song)}"


async def choose(presser: MemberActor | UserHandle, song: discord.Message, kind: str) -> ResponseMessage:
    """Choose in the menu under the song, and return the answer."""
    [answer] = (await presser.select(song, [kind], custom_id=button("menu", song))).followups
    assert answer.ephemeral
    return answer


def choices_of(message: discord.Message) -> list[str]:
    """Return the words of the message's menu."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    menus = [part for row in rows for part in row.children if isinstance(part, discord.SelectMenu)]
    return [str(option.label) for menu in menus for option in menu.options]


def as_of_earlier_versions(here: World, song: discord.Message, kind: str) -> None:
    """Put a button of an earlier version in the place of the menu under the song."""
    row = here.env.backend.get_message(song.channel.id, song.id).components[1]
    row["components"] = [{"type": 2, "style": 2, "label": kind, "custom_id": button(kind, song)}]


def labels_of(message: discord.Message) -> list[str]:
    """Return the words of the message's buttons."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    return [str(part.label) for row in rows for part in row.children if isinstance(part, discord.Button)]


def files_of(here: World, job_id: str) -> list[str]:
    """Return what is stored of the job."""
    return sorted(path.name for path in Path(here.services.settings.folder.path).rglob(f"{job_id}*") if path.is_file())


def a_press(
    here: World, member: MemberActor, message: discord.Message, custom_id: str, locale: str = "en-US"
) -> tuple[dict[str, Any], InteractionResult]:
    """Return what Discord sends when the member presses, and where its answer will be."""
    backend = here.env.backend
    stored = backend.get_message(message.channel.id, message.id)
    record, payload = wire.base_payload(
        backend,
        type=PRESS,
        channel_id=message.channel.id,
        guild_id=member.guild.id,
        user_id=member.id,
        data={"custom_id": custom_id, "component_type": 2},
    )
    record.source_message_id = message.id
    source: dict[str, Any] = {**serializers.message_payload(backend, stored)}
    # Some buttons are in messages of their own, and discord.py looks for a pressed button in its message.
    if custom_id not in str(source["components"]):
        hidden = {"type": 2, "style": 2, "label": custom_id, "custom_id": custom_id}
        source["components"] = [*source["components"], {"type": 1, "components": [hidden]}]
    return payload | {"message": source, "locale": locale}, InteractionResult(here.env, record)


async def press(
    here: World,
    member: MemberActor,
    message: discord.Message,
    custom_id: str,
    locale: str = "en-US",
    more: Mapping[str, object] = {},
) -> InteractionResult:
    """Press, also what is not offered; `more` is what Discord says besides."""
    payload, result = a_press(here, member, message, custom_id, locale)
    await here.emit("INTERACTION_CREATE", payload | dict(more))
    return result


def only(result: InteractionResult) -> ResponseMessage:
    """Return the one thing that was said, which is for the presser alone."""
    [answer] = result.followups or ([result.response] if result.response else [])
    assert answer.ephemeral
    return answer


def page_of(message: discord.Message) -> str:
    """Return the address of the song's page from the message's title or buttons; "" without a page."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    buttons = [part for row in rows for part in row.children if isinstance(part, discord.Button)]
    links = [*(embed.url for embed in message.embeds), *(button.url for button in buttons)]
    return next((link for link in links if link), "")
