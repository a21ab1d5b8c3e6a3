"""Who may ask how often and for how much: limits, quota, the rules of a server, pseudonyms.

Only decides and explains; the numbers are counted and kept in the library.
"""
