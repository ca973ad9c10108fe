"""Structured logs: one JSON object a line, constant event names, request ids, no secrets.

Text from users goes into values, never into the event name; the JSON renderer escapes it.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from typing import IO, Any

import structlog

_SECRET = re.compile(r"authorization|cookie|secret|token|password|api_key|private_key|credential", re.IGNORECASE)


def get(name: str) -> Any:
    """Logger for a module; call it as `log.info("event_name", key=value)`."""
    return structlog.stdlib.get_logger(name)


def bound(**values: str) -> AbstractContextManager[None]:
    """While the block runs, every log line of this task or thread carries these values."""
    return structlog.contextvars.bound_contextvars(**values)


def configure(level: str, *, stream: IO[str] | None = None) -> None:
    """Sends all logs, those of libraries too, to `stream` (stderr if None) as JSON lines from `level` up."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        structlog.processors.format_exc_info,
        _redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    for chatty in ("procrastinate", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())


def _redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in event:
        if _SECRET.search(key):
            event[key] = "[redacted]"
    return event
