"""What the bot posts for a song: status messages, the song with its buttons, and their removal.

How members ask for a song, by a button too, is in requests.
"""
