"""Hides the peculiarities of Discord: permissions, its errors, servers' settings, ephemeral answers.

Nothing here knows songs or jobs.
"""
