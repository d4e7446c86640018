"""What Alembic runs: the revisions, on the connection and in the transaction it was handed."""

from __future__ import annotations

from alembic import context

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=context.config.attributes["metadata"],
    # SQLite can change little of a table that is there: it is made anew and copied.
    render_as_batch=True,
)
context.run_migrations()
