"""What carries the ids of accepted tasks to workers. The table of tasks is the truth; an engine only wakes."""

from typing import Protocol

from sqlalchemy import Connection

from storycore.tasks.task import Task


class Engine(Protocol):
    """Wakes workers; the contract suite says what each engine must hold."""

    def reserve(self) -> str | None:
        """Keeps one worker of this process free for a task that is about to be accepted, and gives its name.

        None if none is free, or if tasks are to be done by whoever is free on any machine.
        """

    def unreserve(self) -> None:
        """The worker that was kept free may do other tasks again."""

    def do(self, task: Task) -> Task | None:
        """Does a task that was leased to the reserved worker, in the thread that calls; gives it as it ended.

        None if it has not ended here, see `storycore.tasks.worker.Worker.do`.
        """

    def submit(self, connection: Connection, task: Task) -> None:
        """Offers a task within the transaction that accepts it; nobody hears of it if that is undone.

        Its id, priority, `serial_key` and `not_before` may be used to wake the right worker at the right time; which
        task a woken worker takes is decided by the table alone.
        """

    def submitted(self, task: Task) -> None:
        """The transaction stands: wakes workers that can be woken only now."""

    def wake(self) -> None:
        """Tasks that had to wait for something here may start now: a worker of this process looks at once."""

    def cancelled(self, task_id: str) -> None:
        """A task is to stop; if it runs here, it hears of it at once."""

    def run(self) -> None:
        """Begins to work, in threads of its own."""

    def stop(self, *, seconds: float) -> None:
        """Takes no more tasks, gives back those that run, and ends; waits for that as long as allowed."""
