"""Traces: which one an event belongs to, so that its deliveries do too."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Adds the column; events of before belong to none."""
    op.add_column("events", sa.Column("traceparent", sa.String(length=64), nullable=True))
