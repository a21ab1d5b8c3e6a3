"""Makes songs from pictures. Knows nothing of Discord; see `studio` for the front door."""
