"""How many songs members may order, and for how much: limits, quota, the rules of a server, pseudonyms.

This package only decides and explains; the library counts and stores the numbers.
"""
