"""Structured logs: one JSON object a line, constant event names, request ids, no secrets.

Text from users goes into values, never into the event name; the JSON renderer escapes it. structlog is loaded by those
who configure it, which are the processes that serve: a command that writes no line would wait for it in vain.
"""

import contextlib
import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from contextvars import ContextVar
from typing import IO, Any

from typing_extensions import override

_SECRET = re.compile(r"authorization|cookie|secret|token|password|api_key|private_key|credential", re.IGNORECASE)
_bound: ContextVar[Mapping[str, str]] = ContextVar("bound", default={})  # noqa: B039 - a Mapping, never changed


class _Line:
    """An event and its values, read as text where logs are not configured."""

    def __init__(self, event: str, values: dict[str, Any]) -> None:
        self.event, self.values = event, values

    @override
    def __str__(self) -> str:
        return " ".join([self.event, *(f"{name}={value!r}" for name, value in _redact(None, "", self.values).items())])


class Log:
    """Logger of a module. Until logs are configured, warnings and errors go where those of any library go."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, event: str, **values: Any) -> None:
        """What only somebody who looks for a fault wants to read."""
        self._logger.debug(_Line(event, values))

    def info(self, event: str, **values: Any) -> None:
        """What happened."""
        self._logger.info(_Line(event, values))

    def warning(self, event: str, **values: Any) -> None:
        """What may need somebody's attention."""
        self._logger.warning(_Line(event, values))

    def error(self, event: str, **values: Any) -> None:
        """What went wrong."""
        self._logger.error(_Line(event, values))

    def exception(self, event: str, **values: Any) -> None:
        """What went wrong, with the traceback of the exception that is being handled."""
        self._logger.error(_Line(event, values), exc_info=True)  # noqa: LOG014 - its callers handle one


def get(name: str) -> Log:
    """Logger for a module; call it as `log.info("event_name", key=value)`."""
    return Log(name)


@contextlib.contextmanager
def bound(**values: str) -> Iterator[None]:
    """While the block runs, every log line of this task or thread carries these values."""
    token = _bound.set({**_bound.get(), **values})
    try:
        yield
    finally:
        _bound.reset(token)


def configure(level: str, *, stream: IO[str] | None = None) -> None:
    """Sends all logs, those of libraries too, to `stream` (stderr if None) as JSON lines from `level` up."""
    import structlog

    chain: list[Any] = [
        _unfold,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        structlog.processors.format_exc_info,
        _redact,
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=chain,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    for chatty in ("procrastinate", "alembic", "httpx"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())


def _unfold(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The values of a line of ours, and those that are bound where it was written, beside its name."""
    event.update(_bound.get())
    line = event["_record"].msg
    if isinstance(line, _Line):
        event.update(line.values, event=line.event)
    return event


def _redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key in event:
        if _SECRET.search(key):
            event[key] = "[redacted]"
    return event
