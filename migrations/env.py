"""How Alembic connects: the engine of the store, batch mode on SQLite, our metadata."""

from alembic import context

from store.database import Database
from store.records import metadata

url = context.config.attributes["url"]
database = Database(url)
with database.engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=database.is_sqlite,
        compare_type=True,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
database.close()
