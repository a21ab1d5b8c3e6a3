"""How a song is asked for: the command, posts, mentions, buttons under a song, and what survives a restart of it.

What the bot posts for a song is in posts.
"""
