"""Alembic's entry: runs the migrations in the transaction that `store.database` opened."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
with context.begin_transaction():
    context.run_migrations()
