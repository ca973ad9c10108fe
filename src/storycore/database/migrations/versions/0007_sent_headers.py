"""What attempts were sent with: the headers of each message, so that they can be looked at."""

import sqlalchemy as sa
from alembic import op

from storycore.database.tables import Json

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Adds the column; of attempts of before it is not known."""
    op.add_column("attempts", sa.Column("request_headers", Json, nullable=True))
