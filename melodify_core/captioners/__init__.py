"""Captioners: each reads a picture as music. One module per outside service; `palette` is the embedded one."""
