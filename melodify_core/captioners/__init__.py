"""Captioners: each reads a picture as music. `palette` is the embedded one, `openai` talks to an outside service.

Which one is used is decided in providers.py; what may be in a Brief is in models.py.
"""
