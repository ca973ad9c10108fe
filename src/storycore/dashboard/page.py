"""What a page is made of, and what an action leads to. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from storycore.dashboard.visit import Visit
    from storycore.operations.artifact import ArtifactDownloadResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page.

    Attributes:
        template: name of its file.
        title: what it is called, in the window and at its top.
        data: what it shows, results as the operations give them; `?format=json` answers with exactly this.
        more: what the template needs beside, which is no answer to anybody.
        live: whether it is to be made anew while somebody looks.
        ended: whether nothing of it will change any more, so that nobody needs to look on.
        status: of the answer.
    """

    template: str
    title: str
    data: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)
    live: bool = False
    ended: bool = False
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Go:
    """Leads to another page.

    Attributes:
        to: path with its query.
        said: key of what is said there, see `words.SAID`; "" for nothing.
        cookie: value of the cookie of the one who signs in; "" ends it; None leaves it.
    """

    to: str
    said: str = ""
    cookie: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """A small picture that is ours.

    Attributes:
        content: its bytes.
        media_type: of it.
        seconds: how long it may be shown without asking again.
    """

    content: bytes
    media_type: str
    seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Handing:
    """A finished file that is handed out.

    Attributes:
        artifact: which one.
        inline: whether it is shown instead of saved; only for what can't do harm in a page of its own.
    """

    artifact: "ArtifactDownloadResult"
    inline: bool = False


Answer = Page | Go | Picture | Handing


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A path of the dashboard, and what answers there.

    Attributes:
        path: with names in braces.
        answer: called in a worker thread.
        method: GET for what shows, POST for what does.
        is_open: whether callers who have not signed in are answered too.
        is_slow: whether it may take long, so that it must not keep pages waiting.
    """

    path: str
    answer: "Callable[[Visit], Answer]"
    method: str = "GET"
    is_open: bool = False
    is_slow: bool = False
