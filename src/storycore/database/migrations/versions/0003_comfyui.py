"""ComfyUI: the servers that are known, and the runs on them."""

import sqlalchemy as sa
from alembic import op

from storycore.database.tables import Instant, Json

revision = "0003"
down_revision = "0002"

NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "comfyui_backends",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("url", sa.String(length=1024), nullable=False),
        sa.Column("address", Json, nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("facts", Json, nullable=False),
        sa.Column("latency_ms", sa.Float(), nullable=True),
        sa.Column("queue_remaining", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("crashes", sa.Integer(), nullable=False),
        sa.Column("quarantined_until", Instant, nullable=True),
        sa.Column("checked_at", Instant, nullable=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_comfyui_backends")),
        sa.UniqueConstraint("id", name=op.f("uq_comfyui_backends_id")),
        sa.UniqueConstraint("url", name=op.f("uq_comfyui_backends_url")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "comfyui_runs",
        sa.Column("number", NUMBER, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("task_id", sa.String(length=64), nullable=False),
        sa.Column("backend_id", sa.String(length=64), nullable=True),
        sa.Column("prompt_id", sa.String(length=64), nullable=False),
        sa.Column("graph", Json, nullable=True),
        sa.Column("facts", Json, nullable=False),
        sa.Column("submissions", sa.Integer(), nullable=False),
        sa.Column("seen", sa.String(length=16), nullable=False),
        sa.Column("holding", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.String(length=32), nullable=True),
        sa.Column("submitted_at", Instant, nullable=True),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("finished_at", Instant, nullable=True),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_comfyui_runs_task_id"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_comfyui_runs")),
        sa.UniqueConstraint("id", name=op.f("uq_comfyui_runs_id")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_comfyui_runs_task", "comfyui_runs", ["task_id"], unique=False)
    op.create_index("ix_comfyui_runs_backend", "comfyui_runs", ["backend_id", "holding"], unique=False)
