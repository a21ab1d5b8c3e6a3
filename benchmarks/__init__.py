"""Measures what the documents claim: `make bench`. Each line prints a figure beside its target."""
