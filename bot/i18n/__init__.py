"""Every text that users read, in English and Korean, and the names of the commands in both.

Knows languages and keys, not Discord's messages; the command line uses it too.
"""
