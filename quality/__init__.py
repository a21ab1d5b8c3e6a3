"""How good the embedded composer's songs are: each figure beside the asked one. `make quality` runs it."""
