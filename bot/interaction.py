"""The client as handlers see it, and its interactions. What the client does is in client.py."""

from collections.abc import Mapping

import discord
from discord.ext import commands

from melodify_core.bootstrap import Services


class Bot(commands.AutoShardedBot):
    """A client with the services. They exist after `setup_hook`, that is, before the first event."""

    services: Services
    command_ids: Mapping[str, int]  # by the commands' names


Interaction = discord.Interaction[Bot]
