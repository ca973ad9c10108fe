"""What can go wrong on the way to a receiver, each with its word."""

import ssl
from collections.abc import Iterator
from typing import Final

import aiohttp
from aiohttp import http_exceptions

from storycore.webhooks.delivery import Code

_WORDS: Final[tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], Code, str], ...]] = (
    (aiohttp.InvalidURL, Code.INVALID_URL, "The URL can't be called."),
    ((aiohttp.ClientSSLError, ssl.SSLError), Code.TLS, "No secure connection came about."),
    (aiohttp.ClientConnectorDNSError, Code.DNS, "The name of the host leads nowhere."),
    (aiohttp.ClientHttpProxyError, Code.REFUSED, "The proxy did not let it through."),
    ((ConnectionResetError, BrokenPipeError), Code.RESET, "The receiver broke the connection."),
    (aiohttp.ServerDisconnectedError, Code.CLOSED, "The receiver closed the connection without an answer."),
    (http_exceptions.ContentLengthError, Code.CLOSED, "The answer ended before its end."),
    (aiohttp.ClientConnectorError, Code.REFUSED, "No connection came about."),
    (aiohttp.ClientPayloadError, Code.PROTOCOL, "The body of the answer is not HTTP."),
    (aiohttp.ClientResponseError, Code.PROTOCOL, "The answer is not HTTP."),
    (http_exceptions.HttpProcessingError, Code.PROTOCOL, "The answer is not HTTP."),
)


def code_of_fault(fault: BaseException) -> tuple[Code, str]:
    """The word for what was raised while a message was sent, and a sentence for people."""
    chain = list(_chain(fault))
    for kinds, code, why in _WORDS:
        if any(isinstance(item, kinds) for item in chain):
            return code, why
    return Code.PROTOCOL, "The receiver did something that is not HTTP."


def _chain(fault: BaseException) -> Iterator[BaseException]:
    """An error and those that caused it."""
    seen: BaseException | None = fault
    for _ in range(8):
        if seen is None:
            return
        yield seen
        seen = getattr(seen, "os_error", None) or seen.__cause__ or seen.__context__
