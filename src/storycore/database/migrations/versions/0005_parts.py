"""Parts: tasks that belong to another one."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Adds the column, and the index that finds the parts of a task."""
    op.add_column("tasks", sa.Column("parent", sa.String(length=64), nullable=True))
    op.create_index(
        "ix_tasks_parent",
        "tasks",
        ["parent", "number"],
        unique=False,
        sqlite_where=sa.text("parent IS NOT NULL"),
        postgresql_where=sa.text("parent IS NOT NULL"),
    )
