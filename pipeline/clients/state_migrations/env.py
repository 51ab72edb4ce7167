"""How Alembic runs the migrations: on the open connection that `pipeline.clients.state` gives it.

That connection is inside a transaction already, so a migration is applied as a whole or not at all.
"""

from alembic import context

from pipeline.clients.state_tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite changes a column by copying its table
)
context.run_migrations()
