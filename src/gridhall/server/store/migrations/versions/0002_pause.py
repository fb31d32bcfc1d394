"""Attempts can be paused."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """No attempt of an earlier version was ever told to pause."""
    op.add_column("attempt", sa.Column("pause", sa.String(8), nullable=False, server_default=""))
    op.add_column("attempt", sa.Column("pause_feed", sa.Integer, nullable=False, server_default="-1"))
