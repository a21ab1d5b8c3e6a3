"""Composers: each makes the music of a Brief. `arranger` is the embedded one, the others talk to outside services.

The loudness and the MP3 of the finished song are in media/audio; which composer is used is decided in providers.py.
"""
