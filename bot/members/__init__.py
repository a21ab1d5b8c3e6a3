"""What members ask about themselves: /songs, /quota, /forget-me and /help.

How members ask for a song is in requests.
"""
