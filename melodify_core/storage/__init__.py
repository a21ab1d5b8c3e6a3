"""Adapters that store pictures, takes and songs as files, the layout of their keys, and the spool for paid takes.

What is known about a song is in the library; when files are deleted is decided in jobs.
"""
