"""The settings, how they are loaded, and the sentences for mistakes in them.

Which provider a setting's name means is in providers.py.
"""
