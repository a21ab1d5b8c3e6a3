"""The command line: one module for each command, and main.py that parses the arguments.

What the commands do with songs and jobs is in melodify_core.
"""
