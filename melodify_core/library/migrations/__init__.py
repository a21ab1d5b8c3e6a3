"""The schema's history, for alembic. Once released, a version is never changed."""
