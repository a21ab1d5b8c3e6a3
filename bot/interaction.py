"""The client as handlers see it, and the interactions that it hands them."""

import discord
from discord.ext import commands

from melodify_core.bootstrap import Services


class Bot(commands.AutoShardedBot):
    """A client with the services. They are there after `setup_hook`, that is, before the first event."""

    services: Services


Interaction = discord.Interaction[Bot]
