"""The schema's history, for alembic. A released version never changes."""
