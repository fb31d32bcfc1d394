"""Attempts can be paused; tokens and idempotency keys that are old are found by their times."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """No attempt of an earlier version was ever told to pause."""
    op.add_column("attempt", sa.Column("pause", sa.String(8), nullable=False, server_default=""))
    op.add_column("attempt", sa.Column("pause_feed", sa.Integer, nullable=False, server_default="-1"))
    op.create_index("token_by_end", "token", ["expires_ms"])
    op.create_index("idempotency_by_time", "idempotency", ["time_ms"])
