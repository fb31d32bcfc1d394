"""What the server keeps: SQLite beside it by default, PostgreSQL by URL, through SQLAlchemy Core.

One transaction holds the log's entries, the outbox and the tables (`transaction`), so that nothing is decided without
being durable and nothing is durable by halves. Tables other than the log can be rebuilt from it, tenants' texts
excepted: those live here only, and the log holds a salted commitment to them.
"""

from gridhall.server.store.database import Database, StoreAway, in_short, open_database

__all__ = ["Database", "StoreAway", "in_short", "open_database"]
