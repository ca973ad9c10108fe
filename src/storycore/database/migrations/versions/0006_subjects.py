"""What tasks are about: the film that each is for, and what comes out of it."""

import json
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

_MOST_LETTERS = 64 * 1024


def upgrade() -> None:
    """Adds the columns, and says of the tasks there are which film they are for, as far as it stands there."""
    op.add_column("tasks", sa.Column("project_path", sa.Text(), nullable=True))
    op.add_column("tasks", sa.Column("subject", sa.String(length=255), nullable=True))
    connection = op.get_bind()
    known = sa.text("SELECT number, request FROM tasks WHERE parent IS NULL AND length(request) <= :most")
    found = [
        {"number": row.number, "path": path}
        for row in connection.execute(known, {"most": _MOST_LETTERS})
        if (path := _path(json.loads(row.request))) is not None
    ]
    if found:
        connection.execute(sa.text("UPDATE tasks SET project_path = :path WHERE number = :number"), found)


def _path(request: Any) -> str | None:
    path = request.get("project_path") if isinstance(request, dict) else None
    if not isinstance(path, str) or "\0" in path:
        return None
    is_whole = PurePosixPath(path).is_absolute() or PureWindowsPath(path).is_absolute()  # others count from anywhere
    return path.encode("utf-8", "replace").decode() if is_whole else None
