"""The composer that has the music made by ElevenLabs, with one key.

abilities says what it can do and costs; faults says what went wrong; composer decides what is asked, how often, and
what it cost.
"""
