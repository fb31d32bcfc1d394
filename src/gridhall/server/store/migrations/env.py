"""How alembic runs a step: on the connection that `migrate` opened, in its transaction."""

from alembic import context

from gridhall.server.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
