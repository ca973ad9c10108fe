"""Every table, as the newest migration leaves it; a test compares them, and `indexes`, with what the migrations make.

Instants are stored as microseconds since 1970 in UTC: exact, ordered, and the same on every database. JSON is stored
as ASCII text, so that no database changes or refuses any of it.
"""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic_core import PydanticSerializationError, to_json
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware instant."""

    impl = BigInteger
    cache_ok = True

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        return None if value is None else microseconds(value)

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else _EPOCH + value * _MICROSECOND


def microseconds(instant: datetime) -> int:
    """An instant as microseconds since 1970 in UTC."""
    return (instant - _EPOCH) // _MICROSECOND


class Json(TypeDecorator[Any]):
    """Any JSON value; NaN and infinity are refused."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else _json_text(value)

    @override
    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else json.loads(value)


def _json_text(value: Any) -> str:
    """JSON in ASCII.

    pydantic writes the long list of a large package in a quarter of the time that the standard library takes, but lets
    NaN pass and stops at half a surrogate pair: what may hold those, or more than ASCII, is left to the other.
    """
    try:
        written = to_json(value, inf_nan_mode="constants")
    except PydanticSerializationError:
        written = b"NaN"
    if not written.isascii() or b"NaN" in written or b"Infinity" in written:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    return written.decode()


metadata = MetaData(
    naming_convention={"ix": "ix_%(column_0_N_label)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s",
                       "fk": "fk_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"}
)  # fmt: skip

_Number = BigInteger().with_variant(Integer, "sqlite")  # the only kind that SQLite counts up by itself

tasks = Table(
    "tasks",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("kind", String(128), nullable=False),
    Column("request", Json, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("serial_key", String(255)),
    Column("status", String(16), nullable=False),
    Column("progress", Float, nullable=False),
    Column("step", String(64), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("most_attempts", Integer, nullable=False),
    Column("owner", String(128)),
    Column("beat", BigInteger, nullable=False),
    Column("not_before", Instant),
    Column("cancel_requested", Boolean, nullable=False),
    Column("files", Json, nullable=False),
    Column("result", Json),
    Column("error", Json),
    Column("caller", String(64), nullable=False),
    Column("request_id", String(64), nullable=False),
    Column("traceparent", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("started_at", Instant),
    Column("finished_at", Instant),
    Column("parent", String(64)),
    Column("project_path", Text),
    Column("subject", String(255)),
    sqlite_autoincrement=True,
)

task_events = Table(
    "task_events",
    metadata,
    Column("id", _Number, primary_key=True, autoincrement=True),
    Column("task_id", String(64), ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("event", String(32), nullable=False),
    Column("data", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

artifacts = Table(
    "artifacts",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("task_id", String(64), ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("path", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("media_type", String(255), nullable=False),
    Column("created_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

answers = Table(
    "answers",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("caller", String(64), nullable=False),
    Column("operation", String(128), nullable=False),
    Column("key", String(255), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("task_id", String(64), ForeignKey("tasks.id", ondelete="CASCADE")),
    Column("body", Json),
    Column("created_at", Instant, nullable=False),
    UniqueConstraint("caller", "operation", "key"),
    sqlite_autoincrement=True,
)

keys = Table(
    "keys",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("scopes", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    Column("last_used_at", Instant),
    sqlite_autoincrement=True,
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("url", Text, nullable=False),
    Column("event_types", Json, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("options", Json, nullable=False),
    Column("secrets", Json, nullable=False),
    Column("facts", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("deleted_at", Instant),
    Column("failures", Integer, nullable=False),
    Column("failing_since", Instant),
    Column("warned_at", Instant),
    Column("disabled_reason", String(16), nullable=False),
    Column("paused_until", Instant),
    Column("paced_at", Instant),
    sqlite_autoincrement=True,
)

events = Table(
    "events",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("type", String(64), nullable=False),
    Column("occurred_at", Instant, nullable=False),
    Column("body", Text, nullable=False),
    Column("key", String(255), unique=True),
    Column("listed", Boolean, nullable=False),
    Column("traceparent", String(64)),
    sqlite_autoincrement=True,
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("event", BigInteger, ForeignKey("events.number", ondelete="CASCADE"), nullable=False),
    Column("webhook", BigInteger, ForeignKey("webhooks.number", ondelete="CASCADE"), nullable=False),
    Column("state", String(16), nullable=False),
    Column("origin", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("owner", String(128)),
    Column("lease", Integer, nullable=False),
    Column("code", String(32), nullable=False),
    Column("status_code", Integer),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
    sqlite_autoincrement=True,
)

attempts = Table(
    "attempts",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("delivery", BigInteger, ForeignKey("deliveries.number", ondelete="CASCADE"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("url", Text, nullable=False),
    Column("code", String(32), nullable=False),
    Column("status_code", Integer),
    Column("dns_ms", Float),
    Column("connect_ms", Float),
    Column("headers_ms", Float),
    Column("total_ms", Float, nullable=False),
    Column("remote_address", String(64), nullable=False),
    Column("response_headers", Json, nullable=False),
    Column("response_body", LargeBinary, nullable=False),
    Column("response_bytes", BigInteger),
    Column("response_sha256", String(64), nullable=False),
    Column("message", Text, nullable=False),
    Column("request_headers", Json),
    sqlite_autoincrement=True,
)

comfyui_backends = Table(
    "comfyui_backends",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("url", String(1024), nullable=False, unique=True),
    Column("address", Json, nullable=False),
    Column("secret", Text, nullable=False),
    Column("status", String(16), nullable=False),
    Column("facts", Json, nullable=False),
    Column("latency_ms", Float),
    Column("queue_remaining", Integer),
    Column("error", Text, nullable=False),
    Column("crashes", Integer, nullable=False),
    Column("quarantined_until", Instant),
    Column("checked_at", Instant),
    Column("created_at", Instant, nullable=False),
    sqlite_autoincrement=True,
)

comfyui_runs = Table(
    "comfyui_runs",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("task_id", String(64), ForeignKey("tasks.id", ondelete="CASCADE"), nullable=False),
    Column("backend_id", String(64)),
    Column("prompt_id", String(64), nullable=False),
    Column("graph", Json),
    Column("facts", Json, nullable=False),
    Column("submissions", Integer, nullable=False),
    Column("seen", String(16), nullable=False),
    Column("holding", Boolean, nullable=False),
    Column("verdict", String(32)),
    Column("submitted_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("finished_at", Instant),
    sqlite_autoincrement=True,
)
