"""What is done with orders and songs beside making them: songs, members, moderation, the host's job administration.

Taking orders is the studio's, making songs is in jobs.
"""
