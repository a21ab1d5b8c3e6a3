"""How a song is requested: the command, posts, mentions, buttons under a song, and what survives a restart.

What the bot posts for a song is in posts; how the song is made is in melodify_core.
"""
