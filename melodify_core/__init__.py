"""Makes songs from pictures. Knows nothing of Discord; see `studio`, which takes the orders."""
