"""The command /melodify-admin, with which moderators set up their server.

What its settings mean is in melodify_core/usage.
"""
