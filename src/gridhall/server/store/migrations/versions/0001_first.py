"""The first schema: a database without a stamp cannot be older, so that there is nothing to do."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing: `metadata.create_all` made these tables."""
