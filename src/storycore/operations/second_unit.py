"""Films that several processes on one database render together.

Whoever has a film to render offers what is missing as parts of his task, a few neighbouring segments each, and paints
too: he takes parts back that nobody has begun, so that he never waits for himself. Whoever has nothing else to do
takes one, and goes on with the next of the same film. Finished segments meet in the cache that they share.
"""

import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, Final

from typing_extensions import override

from storycore.app import App
from storycore.errors import AccessDenied, Cancelled, DependencyFailed, Reason, Unavailable
from storycore.observe import logging
from storycore.observe.progress import Progress
from storycore.operations.catalog import GENERATING, OPERATIONS
from storycore.rendering.second_unit import Call, Done, Errand, SecondUnit, errand_from
from storycore.storage import traces
from storycore.tasks.parts.records import PartRecords, Standing
from storycore.tasks.task import Order, Outcome, Status, Task

if TYPE_CHECKING:
    from storycore.tasks.worker import Work

_PIXELS: Final = 30_000_000
"""Of a part, at least: half a second of a large picture, so that asking for it takes far less time than painting."""
_LOOK_SECONDS: Final = 0.2
_AGAIN_SECONDS: Final = 0.5
_OWN: Final = frozenset(it.name for it in OPERATIONS if it.long) - GENERATING
"""What goes before the next part; what generates takes no turn of it."""

log = logging.get(__name__)


def unit_of(app: App, progress: Progress) -> SecondUnit | None:
    """Who else may paint for the task that runs; None if it is no task of a process that works with others."""
    if not progress.task_id or not app.keeps_records or not app.tasks.has_engine or not app.painting_kind:
        return None
    return _Unit(app, progress.task_id)


def helping(app: App) -> "Mapping[str, Work]":
    """What a worker does for films of others; empty if nothing."""

    def work(request: Mapping[str, Any], progress: Progress) -> Outcome:
        return _Helper(app, progress).paint(request)

    return {app.painting_kind: work} if app.painting_kind else {}


class _Unit(SecondUnit):
    """The others, seen from one task."""

    def __init__(self, app: App, parent: str) -> None:
        self._app, self._parent = app, parent
        self._parts = PartRecords(app.database, app.tasks.records)
        self._has_offered = False

    @override
    def offer(self, errands: Sequence[Errand]) -> Call | None:
        try:
            return self._offered(errands)
        except Unavailable as fault:  # a film can be rendered without a database
            log.warning("segments_not_offered", reason=fault.reason.value)
            return None

    @override
    def dismiss(self) -> None:
        if not self._has_offered:
            return
        try:
            self._parts.dismiss(self._parent)
        except Unavailable as fault:  # who paints sees by himself that his parent has ended
            log.warning("parts_not_dismissed", reason=fault.reason.value)

    def _offered(self, errands: Sequence[Errand]) -> Call | None:
        wanted = {errand.name: errand for errand in errands}
        begun = {part.id: _names(part) for part in self._parts.left(self._parent)}
        others = {part: names for part, names in begun.items() if wanted.keys() >= set(names)}
        taken = {name for names in others.values() for name in names}
        groups = _groups([errand for errand in errands if errand.name not in taken])
        if len(groups) + len(others) < 2:
            return None
        self._has_offered = True
        task = self._app.tasks.records.find(self._parent)
        parts = self._app.tasks.submit_many([self._order(task, group) for group in groups])
        named = {part.id: [one.name for one in group] for part, group in zip(parts, groups, strict=True)}
        return _Call(self._parts, self._parent, {**others, **named})

    def _order(self, task: Task, group: Sequence[Errand]) -> Order:
        request = {"project_path": task.request["project_path"], "errands": [errand.plain() for errand in group]}
        return Order(
            kind=self._app.painting_kind, request=request, priority=task.priority, caller=task.caller,
            request_id=task.request_id, traceparent=task.traceparent, parent=task.id,
        )  # fmt: skip


class _Call(Call):
    """Parts that were offered.

    Args:
        parts: where they stand.
        parent: id of the task that they are parts of.
        named: names of the errands of each, by its id.
    """

    def __init__(self, parts: PartRecords, parent: str, named: Mapping[str, Collection[str]]) -> None:
        self._parts, self._parent, self._open = parts, parent, dict(named)
        self._may_wait, self._looked = True, time.monotonic()

    @property
    @override
    def is_over(self) -> bool:
        return not self._open

    @override
    def take_back(self) -> Collection[str]:
        if not self._may_wait:
            return ()
        try:
            part = self._parts.take_back(self._parent)
        except Unavailable as fault:  # painting twice is no harm
            log.warning("parts_out_of_sight", reason=fault.reason.value)
            named, self._open = self._open, {}
            return [name for names in named.values() for name in names]
        self._may_wait = part is not None
        if part is None:
            return ()
        traces.take_back(part.files)
        return self._open.pop(part.id, ())

    @override
    def look(self) -> Sequence[Done]:
        instant = time.monotonic()
        if not self._open or instant - self._looked < _LOOK_SECONDS:
            return ()
        self._looked = instant
        try:
            found = {part.id: part for part in self._parts.standing(self._parent)}
            self._may_wait = any(part.status is Status.PENDING for part in found.values())
            ended = [part for part in self._open if part not in found or found[part].status.is_final]
            self._parts.forget(ended)
        except Unavailable as fault:
            log.warning("parts_out_of_sight", reason=fault.reason.value)
            return ()
        return [_done(self._open.pop(part), found.get(part)) for part in ended]


class _Helper:
    """Paints for a film of somebody else.

    Args:
        app: with an engine.
        progress: of the part that was claimed.
    """

    def __init__(self, app: App, progress: Progress) -> None:
        self._app, self._progress = app, progress
        self._parts = PartRecords(app.database, app.tasks.records)
        self._first = app.tasks.records.find(progress.task_id)
        self._parent = self._first.parent or ""
        self._open: dict[str, _Begun] = {}
        self._ask_from, self._look_from = 0.0, 0.0

    def paint(self, request: Mapping[str, Any]) -> Outcome:
        """Paints one part, and goes on with others of the same film, as long as nothing else is to be done here.

        Raises:
            Cancelled: it is not wanted any more.
            StoryCoreError: it can't be done here.
        """
        from storycore.rendering import encoder
        from storycore.rendering.ability import loops_back
        from storycore.rendering.depot import segment_cache
        from storycore.rendering.runner import Place, run_errands

        self._look_for_parent()
        settings = self._app.settings
        first = _Begun(self._first, self._read(request))
        self._open[self._first.id] = first
        ffmpeg, cache = encoder.find(settings), segment_cache(settings)
        measures = any(wanted.figures for errand in first.errands for wanted in errand.wanted)
        self._progress.begin("rendering", unit="frames", until=0.99)
        try:
            with cache.workplace() as folder:
                place = Place(
                    ffmpeg=ffmpeg, cache=cache, folder=folder, painters=settings.render_workers,
                    loopback=measures and loops_back(ffmpeg, settings.cache_folder / "encoders"),
                )  # fmt: skip
                for done in run_errands(first.errands, self._more, place, self._progress):
                    if cache.is_cut_off:
                        raise DependencyFailed("Others don't see what is kept here.", reason=Reason.STORE_UNAVAILABLE)
                    self._note(done)
        finally:
            self._give_back()
        return Outcome(result=first.told)

    def _more(self, idle: bool) -> Sequence[Errand]:
        instant = time.monotonic()
        if instant >= self._look_from:
            self._look_from = instant + _AGAIN_SECONDS
            self._look_for_parent()
        if not idle or instant < self._ask_from:
            return ()
        part = None
        if self._first.owner and not self._progress.is_cancelled:
            part = self._parts.claim(self._first.owner, self._first, _OWN)
        if part is None:
            self._ask_from = instant + _AGAIN_SECONDS
            return ()
        begun = self._open[part.id] = _Begun(part, [])
        begun.begin(self._read(part.request))
        return begun.errands

    def _look_for_parent(self) -> None:
        if not self._parts.is_wanted(self._parent):
            raise Cancelled("The film is not wanted any more.")

    def _read(self, request: Mapping[str, Any]) -> list[Errand]:
        """The errands of a part, whose files all stand in a project that may be read here."""
        folder = self._app.places.project(request["project_path"])
        errands = [errand_from(plain) for plain in request["errands"]]
        for path in (PurePath(look.path) for errand in errands for look in errand.piece.looks if look.path):
            if not path.is_relative_to(folder) or ".." in path.parts:
                raise AccessDenied("A part names a file outside its project.", reason=Reason.PATH_OUTSIDE_ROOT)
        return errands

    def _note(self, done: Done) -> None:
        """Keeps what was done with the part that it belongs to; one that is all done is told as such."""
        for begun in self._open.values():
            begun.note(done)
        ended = [begun for begun in self._open.values() if begun.is_done and begun.part is not self._first]
        for begun in ended:
            del self._open[begun.part.id]
            self._parts.finish(begun.part, Outcome(result=begun.told))

    def _give_back(self) -> None:
        for begun in self._open.values():
            if begun.part is not self._first:
                try:
                    self._parts.give_back(begun.part)
                except Unavailable as fault:  # its lease runs out
                    log.warning("part_not_given_back", reason=fault.reason.value)


class _Begun:
    """One part that is being done."""

    def __init__(self, part: Task, errands: list[Errand]) -> None:
        self.part, self.errands = part, errands
        self._names: set[str] = set()
        self._figures: dict[str, Mapping[str, float | None]] = {}
        self._bent: dict[str, None] = {}
        self._ends: dict[str, str] = {}
        self.begin(errands)

    def begin(self, errands: list[Errand]) -> None:
        """These are to be done."""
        self.errands, self._names = errands, {errand.name for errand in errands}

    @property
    def is_done(self) -> bool:
        """Whether nothing of it is left."""
        return not self._names

    @property
    def told(self) -> dict[str, Any]:
        """What came of it, as `_done` reads it."""
        return {"figures": self._figures, "bent": list(self._bent), "ends": self._ends}

    def note(self, done: Done) -> None:
        """Some of it may be done."""
        if self._names.isdisjoint(done.names):
            return
        self._names.difference_update(done.names)
        self._figures |= done.figures
        self._bent |= dict.fromkeys(done.bent)
        self._ends |= done.ends


def _names(part: Task) -> list[str]:
    return [errand["name"] for errand in part.request["errands"]]


def _done(names: Collection[str], part: Standing | None) -> Done:
    told = (part.result if part else None) or {"figures": {}, "bent": (), "ends": {}}
    return Done(names=names, figures=told["figures"], bent=told["bent"], ends=told["ends"])


def _groups(errands: Sequence[Errand]) -> list[list[Errand]]:
    """Neighbours in groups that are worth asking for."""
    groups: list[list[Errand]] = []
    left = 0
    for errand in errands:
        if left <= 0:
            groups.append([])
            left = _PIXELS
        groups[-1].append(errand)
        left -= errand.piece.frames * errand.canvas.width * errand.canvas.height
    return groups
