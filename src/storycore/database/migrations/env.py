"""Alembic comes in here: runs the steps on the connection that `database.migrate` has opened and locked."""

from alembic import context

from storycore.database.indexes import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True,
    transaction_per_migration=False,
)  # fmt: skip
context.run_migrations()
