"""Composers: each makes the music of a Brief. Each outside service has one module here."""
