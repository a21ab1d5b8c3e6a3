"""A post in a forum."""

from simcord.backend.models import Message
from simcord.builders import ChannelHandle

from tests.stories import World


def a_forum_post(here: World) -> ChannelHandle:
    forum = here.guild.create_forum_channel("pictures")
    starter = Message(id=0, channel_id=forum.id, author_id=here.env.backend.bot_user.id, content="hello")
    post, first = here.env.backend.create_forum_post(forum.id, "post", starter)
    # The simulator lets only bots begin posts; what counts is that it is one.
    here.env.backend.delete_message(post.id, first.id)
    return ChannelHandle(here.env, here.guild, post)
