"""What the bot posts for a song: status messages, the song with its buttons, and their removal.

How a song is asked for, also by a button, is in requests.
"""
