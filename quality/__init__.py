"""Measures how good the embedded composer's songs are: each figure beside its target. `make quality` runs it."""
