"""What is done with orders and songs besides making them: songs, members, moderation, the host's job administration.

Orders are accepted in studio.py; songs are made in jobs.
"""
