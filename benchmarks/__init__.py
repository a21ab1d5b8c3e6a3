"""Measures what the README claims: `make bench`. Each line prints a figure beside the asked one."""
