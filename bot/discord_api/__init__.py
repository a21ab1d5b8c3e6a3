"""Handles what is peculiar to Discord: permissions, errors, servers' settings, ephemeral answers.

Nothing here knows songs or jobs.
"""
