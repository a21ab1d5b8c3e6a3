"""What hides Discord's oddities: permissions, its errors, a server's settings, answers for one member's eyes.

Nothing here knows songs or jobs.
"""
