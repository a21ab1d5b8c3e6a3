"""Runs the migrations on the connection that the caller has opened. They do not touch DBOS's tables."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], version_table="melodify_version")
with context.begin_transaction():
    context.run_migrations()
