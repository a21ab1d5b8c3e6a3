"""Where pictures, takes and songs are kept: one module per adapter of ports.Storage."""
