"""The command /melodify-admin, by which moderators set up their server.

What its settings mean is in melodify_core/usage.
"""
