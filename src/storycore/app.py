"""App: what operations need, opened and closed together."""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from storycore.errors import DependencyFailed, InvalidInput, Reason, Unavailable
from storycore.observe import logging
from storycore.project.paths import Places
from storycore.settings import Settings
from storycore.storage.place import BadPlace, StorePlace, read_place

if TYPE_CHECKING:
    from storycore.comfyui.backends import Backends
    from storycore.database.connect import Database
    from storycore.events import Event
    from storycore.keys.records import KeyRecords
    from storycore.replies.records import ReplyRecords
    from storycore.tasks.engine import Engine
    from storycore.tasks.queue import TaskQueue
    from storycore.tasks.records import Outbox
    from storycore.tasks.worker import Worker
    from storycore.webhooks.courier import Courier, Watch
    from storycore.webhooks.deliveries.records import DeliveryRecords
    from storycore.webhooks.endpoints.records import EndpointRecords
    from storycore.webhooks.gate import Gate
    from storycore.webhooks.outbox.records import EventRecords, Written
    from storycore.webhooks.post import Post
    from storycore.webhooks.queue.records import QueueRecords
    from storycore.webhooks.recovery.records import RecoveryRecords
    from storycore.webhooks.sealing import Vault

_MOST_NOTED = 1000

log = logging.get(__name__)


def _stores(urls: tuple[str, ...]) -> tuple[StorePlace, ...]:
    found = []
    for number, url in enumerate(urls, 1):
        try:
            found.append(read_place(url))
        except BadPlace as fault:  # the entry is not shown: what is no place may hold a key
            raise InvalidInput(
                f"stores: entry {number} {fault}.",
                reason=Reason.SETTING_INVALID,
                remediation="List places like s3://bucket/folder in STORYCORE_STORES, with commas between and no keys.",
            ) from None
    return tuple(found)


class App:
    """What operations need. The database is opened when it is first asked for.

    With a `default_root` relative paths are taken from the first root, since a server's own folder is nobody's
    business; without one they are taken from the current folder, as people who type them mean it.

    Args:
        settings: as read once.
        default_root: the folder that paths are confined to if the settings name no roots; None leaves them free.
        outbox: makes whoever tells others of tasks; None for nobody.

    Raises:
        InvalidInput: setting_invalid: `stores` lists what is no place in an object store.

    Attributes:
        settings: as read once.
        places: which folders the caller may use.
        is_confined: whether callers come over a network, so that they may not have any address called.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        default_root: Path | None = None,
        outbox: "Callable[[App], Outbox] | None" = None,
    ) -> None:
        roots = settings.roots or ((default_root,) if default_root else None)
        base = roots[0] if roots and default_root else None
        self.settings = settings
        self.is_confined = default_root is not None
        self.places = Places(
            roots=roots, output_roots=settings.output_roots, base=base, stores=_stores(settings.stores)
        )
        self._opening = threading.Lock()
        self._database: Database | None = None
        self._tasks: TaskQueue | None = None
        self._comfyui: Backends | None = None
        self._make_outbox = outbox
        self._courier: Courier | None = None
        self._noted: list[str] = []
        self._closed = False

    @property
    def keeps_records(self) -> bool:
        """Whether there is a database; the setting `database_url` may say that there is none."""
        return self.settings.database_url != "none"

    @property
    def database(self) -> "Database":
        """The open database.

        Raises:
            InvalidInput: setting_invalid: the settings say that there is none, or name none that can be used.
            Unavailable: database_unavailable, database_newer, disk_full; draining: it was closed for good.
        """
        from storycore.database.connect import Database

        with self._opening:
            if self._closed:  # a thread that nobody waits for any more would open one that nobody closes
                raise Unavailable("StoryCore was closed.", reason=Reason.DRAINING)
            if self._database is None:
                self._database = Database.open(self.settings.database)
            return self._database

    @property
    def tasks(self) -> "TaskQueue":
        """The tasks of this database.

        Raises:
            InvalidInput, Unavailable: see `database`.
        """
        from storycore.tasks.news import News
        from storycore.tasks.queue import TaskQueue
        from storycore.tasks.records import TaskRecords

        database = self.database
        outbox = self._make_outbox(self) if self._make_outbox else None
        with self._opening:
            if self._tasks is None:
                self._tasks = TaskQueue(TaskRecords(database, outbox), News())
            return self._tasks

    @property
    def keys(self) -> "KeyRecords":
        """The API keys of this database.

        Raises:
            InvalidInput, Unavailable: see `database`.
        """
        from storycore.keys.records import KeyRecords

        return KeyRecords(self.database)

    @property
    def replies(self) -> "ReplyRecords":
        """The answers of this database that can be asked for again.

        Raises:
            InvalidInput, Unavailable: see `database`.
        """
        from storycore.replies.records import ReplyRecords

        return ReplyRecords(self.database)

    @property
    def endpoints(self) -> "EndpointRecords":
        """The webhooks of this database.

        Raises:
            InvalidInput, Unavailable: see `database`.
        """
        from storycore.webhooks.endpoints.records import EndpointRecords

        return EndpointRecords(self.database)

    @property
    def events(self) -> "EventRecords":
        """The events of this database.

        Raises:
            InvalidInput, Unavailable: see `database`.
        """
        from storycore.webhooks.outbox.records import EventRecords

        return EventRecords(self.database)

    @property
    def deliveries(self) -> "DeliveryRecords":
        """What is, or was, on its way to webhooks.

        Raises:
            InvalidInput, Unavailable: see `database`.
        """
        from storycore.webhooks.deliveries.records import DeliveryRecords

        return DeliveryRecords(self.database)

    @property
    def queue(self) -> "QueueRecords":
        """What waits for webhooks, for those who send it.

        Raises:
            InvalidInput, Unavailable: see `database`.
        """
        from storycore.webhooks.queue.records import QueueRecords

        return QueueRecords(self.database, self.events)

    @property
    def recovery(self) -> "RecoveryRecords":
        """What webhooks did not get and can be sent again.

        Raises:
            InvalidInput, Unavailable: see `database`.
        """
        from storycore.webhooks.recovery.records import RecoveryRecords

        return RecoveryRecords(self.database)

    @cached_property
    def vault(self) -> "Vault":
        """Seals secrets: those of webhooks, and what ComfyUI servers are let in by."""
        from storycore.webhooks.sealing import Vault, key_from

        return Vault(key_from(self.settings.secret_key.get_secret_value(), self.settings.sealing_key_place))

    @cached_property
    def gate(self) -> "Gate":
        """Knows which webhooks this process has changed, so that nothing goes to what they were before."""
        from storycore.webhooks.gate import Gate

        return Gate()

    @cached_property
    def post(self) -> "Post":
        """Composes and sends messages to webhooks.

        Raises:
            InvalidInput: setting_invalid: an entry of `webhook_allow` is none.
        """
        from storycore.webhooks.address import BadEntry, Guard
        from storycore.webhooks.post import Post

        settings = self.settings
        try:
            guard = Guard(settings.webhook_allow)
        except BadEntry as fault:
            raise InvalidInput(f"webhook_allow: {fault}.", reason=Reason.SETTING_INVALID) from None
        return Post(
            self.vault, guard, self.gate, timeout_seconds=settings.webhook_timeout_seconds,
            require_https=settings.webhook_require_https, proxy=settings.webhook_proxy.get_secret_value(),
            ca_file=settings.webhook_ca_file,
        )  # fmt: skip

    def send(self, watch: "Watch | None" = None) -> "Courier":
        """From now on, until it is stopped, this process sends what waits for webhooks.

        Raises:
            InvalidInput, Unavailable: the settings or the database can't be used.
        """
        from storycore.webhooks.courier import Courier

        self._courier = Courier(
            self.queue, self.post, slots=self.settings.webhook_slots,
            retention=timedelta(days=self.settings.retention_days), watch=watch,
        )  # fmt: skip
        self._courier.start()
        return self._courier

    def note_event(self, event_id: str) -> None:
        """This process has written an event that webhooks hear of."""
        if self._courier is None and len(self._noted) < _MOST_NOTED:
            self._noted.append(event_id)

    def noted_events(self) -> list[str]:
        """Ids of the events that were noted since this was asked last."""
        noted, self._noted = self._noted, []
        return noted

    def wake_courier(self) -> None:
        """Something is due for a webhook; a process that sends nothing leaves it to others."""
        if self._courier:
            self._courier.wake()

    def publish(self, event: "Event") -> "tuple[Event, Written]":
        """Writes an event of its own; on the disk when this returns, and sent at once if that may be.

        Raises:
            InvalidInput, Unavailable: see `database`.
        """
        owner, begun = self._courier.offer() if self._courier else "", time.monotonic()
        published, written = self.events.publish(event, owner=owner)
        if written.leased and not (self._courier and self._courier.take(written.leased, begun)):
            self.queue.give_back(written.leased, owner)
        if written.deliveries > len(written.leased):
            self.note_event(published.id)
            self.wake_courier()
        return published, written

    @property
    def comfyui(self) -> "Backends":
        """The ComfyUI servers of this database.

        Raises:
            InvalidInput, Unavailable: see `database`; setting_invalid: an entry of `comfyui_allow` is none.
        """
        from storycore.comfyui.address import rules
        from storycore.comfyui.backends import Backends
        from storycore.comfyui.pace import Pace
        from storycore.comfyui.records import ServerRecords
        from storycore.comfyui.runs.records import RunRecords

        database = self.database
        with self._opening:
            if self._comfyui is None:
                allow = rules(self.settings.comfyui_allow)
                records = ServerRecords(database, self.vault)
                self._comfyui = Backends(records, RunRecords(database), allow, Pace())
            return self._comfyui

    @cached_property
    def painting_kind(self) -> str:
        """Kind of the tasks by which processes on this database paint segments for each other; "" if there are none.

        The same for all that make the same bytes and share segments, and for no others, so that none of them takes a
        task that is of no use to whoever waits for it.
        """
        settings = self.settings
        if settings.render_on_many == "never" or self.database.dialect == "sqlite":
            return ""
        from storycore.rendering import encoder
        from storycore.rendering.depot import shared_by
        from storycore.rendering.look import RENDERER
        from storycore.rendering.machine import machine

        try:
            told = [str(RENDERER), encoder.find(settings).mark, machine(), shared_by(settings)]
        except (DependencyFailed, OSError) as fault:  # what it can't do alone either is told when it tries
            log.warning("renders_alone", reason=getattr(fault, "reason", type(fault).__name__))
            return ""
        return f"storycore.render.segments@{hashlib.sha256(json.dumps(told).encode()).hexdigest()[:16]}"

    @property
    def owner(self) -> str:
        """Name of this process among those on the database."""
        return self.tasks.owner

    def engine(self, worker: "Worker", *, more: int = 0) -> "Engine":
        """The engine that fits the database: threads of this process on SQLite, procrastinate on Postgres.

        Args:
            worker: takes and does tasks.
            more: turns beside the `workers` of the settings, for tasks that mostly wait.

        Raises:
            DependencyFailed: library_missing: the extra `postgres` is not installed.
            InvalidInput, Unavailable: see `database`.
        """
        slots = self.settings.workers
        if self.database.dialect == "sqlite":
            from storycore.tasks.embedded import EmbeddedEngine

            return EmbeddedEngine(worker, self.tasks.records, slots=slots, more=more)
        from storycore.tasks.dispatch.records import DispatchRecords

        try:
            from storycore.tasks.procrastinate_engine import ProcrastinateEngine
        except ModuleNotFoundError:
            raise DependencyFailed(
                "Tasks on Postgres need procrastinate: pip install 'storycore[postgres]'.",
                reason=Reason.LIBRARY_MISSING,
            ) from None
        dispatch = DispatchRecords(self.database)
        return ProcrastinateEngine(worker, self.tasks.records, dispatch, self.database.conninfo, slots=slots + more)

    def close(self) -> None:
        """Closes what is open to ComfyUI servers, and the database, if they were opened; none is opened any more."""
        with self._opening:
            self._closed = True
            if self._comfyui is not None:
                self._comfyui.close()
            if self._database is not None:
                self._database.close()
            self._database, self._tasks, self._comfyui = None, None, None
