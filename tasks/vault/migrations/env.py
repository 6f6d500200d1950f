"""Alembic's entry point: runs the migrations on the connection that `tasks.vault.database` hands over."""

from alembic import context
from sqlmodel import SQLModel

from tasks.vault import records  # noqa: F401  # fills SQLModel.metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
