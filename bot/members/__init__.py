"""What members ask about themselves: /songs, /quota, /queue, /forget-me and /help.

Asking for a song is in requests.
"""
