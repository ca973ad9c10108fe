"""One visit: who looks, what they ask for, and what they may."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any, TypeVar
from urllib.parse import urlencode

from storycore.errors import AccessDenied, Reason
from storycore.library import StoryCore
from storycore.operations.artifact import ArtifactEntry
from storycore.operations.catalog import find
from storycore.operations.request import Request, Result
from storycore.operations.run import operation_of
from storycore.operations.task import TaskEntry, TaskStatusResult

R = TypeVar("R", bound=Result)

_ALL = frozenset({"admin"})


@dataclass(frozen=True)
class Visit:
    """A visit, as pages see it.

    Attributes:
        core: the library.
        path: of the page.
        names: what stands in the path.
        query: what stands behind it, one value for each name.
        form: what was sent, all values for each name.
        scopes: what the visitor may.
        caller: id of the visitor's key, or "".
        request_id: of this call.
        address: of the server as the visitor calls it, `http://host:port`.
        document: makes the OpenAPI document of this server.
    """

    core: StoryCore
    path: str
    names: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, list[str]] = field(default_factory=dict)
    scopes: frozenset[str] = _ALL
    caller: str = ""
    request_id: str = ""
    address: str = ""
    document: Callable[[], dict[str, Any]] = dict

    def run(self, request: Request[R]) -> R:
        """The result of a request, if the visitor may ask for it.

        Raises:
            AccessDenied: scope_missing.
            StoryCoreError: whatever the operation refuses or meets.
        """
        self.require(operation_of(type(request)).scope)
        return self.core.run(request)

    def submit(self, request: Request[Any]) -> TaskStatusResult:
        """Long work as a task, if the visitor may ask for it.

        Raises:
            AccessDenied: scope_missing.
            StoryCoreError: what the operation refuses beforehand.
        """
        self.require(operation_of(type(request)).scope)
        return self.core.submit(request, caller=self.caller, request_id=self.request_id)

    def require(self, scope: str) -> None:
        """Refuses visitors who may not.

        Raises:
            AccessDenied: scope_missing.
        """
        if not self.has(scope):
            raise AccessDenied(
                f"This key does not allow {scope}.", reason=Reason.SCOPE_MISSING, details={"scope": scope}
            )

    def has(self, scope: str) -> bool:
        """Whether the visitor may."""
        return scope in self.scopes or "admin" in self.scopes

    def may(self, name: str) -> bool:
        """Whether the visitor may call an operation, by its dotted name without `storycore.`."""
        operation = find(f"storycore.{name}")
        return operation is not None and self.has(operation.scope)

    def reads(self, project_path: str) -> bool:
        """Whether a folder is in those that this server may read, as far as its text tells; nothing is looked up."""
        folder = PurePath(project_path)
        return not self._roots or any(folder.is_relative_to(root) for root in self._roots)

    def reads_all(self, items: Iterable[TaskEntry | ArtifactEntry]) -> bool:
        """Whether the films of all these are in folders that this server may read."""
        return all(self.reads(it.project_path) for it in items if it.project_path)

    @cached_property
    def _roots(self) -> tuple[Path, ...]:
        return tuple({*self.core.roots, *(root.resolve() for root in self.core.roots)})

    def preview_mark(self, run_id: str) -> int:
        """Changes when a workflow that runs has another picture to show; 0 while there is none."""
        found = self.core.preview(run_id)
        try:
            return 0 if found is None else found.stat().st_mtime_ns // 1_000_000
        except OSError:  # it has just ended
            return 0

    def asked(self, name: str) -> str | None:
        """A value of the query, or None if it is empty or missing."""
        return self.query.get(name) or None

    def sent(self, name: str) -> str:
        """The first value of a form's field, or ""."""
        return self.form.get(name, [""])[0].strip()

    def with_query(self, **changed: str | None) -> str:
        """This page's address with another query; None leaves a name out."""
        values = {**self.query, **changed}
        kept = {name: value for name, value in values.items() if value and name not in ("said", "live", "format")}
        return self.path + (f"?{urlencode(kept)}" if kept else "")

    @cached_property
    def here(self) -> str:
        """This page's address, without what was said on it."""
        return self.with_query()

    @property
    def live(self) -> str:
        """Where this page's changing part is told, as long as somebody looks."""
        return self._beside("live=1")

    @property
    def json(self) -> str:
        """This page as JSON."""
        return self._beside("format=json")

    def _beside(self, more: str) -> str:
        return f"{self.here}{'&' if '?' in self.here else '?'}{more}"
