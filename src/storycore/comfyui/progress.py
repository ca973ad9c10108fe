"""How far a run is, over its whole graph, from the messages of the socket.

The whole is every node that an output stands on. Nodes whose result was kept count at once; nodes that a node made
while it ran count as parts of that node. It never goes down, and is 1.0 only when the verdict is told: branches that
are never needed may never run, and messages get lost.
"""

from collections.abc import Mapping
from typing import Any, Final

from storycore.comfyui.graph.api_graph import ApiGraph, ancestors
from storycore.comfyui.wire import Event, number

_MOST: Final = 0.999
"""As far as messages alone lead."""


class GraphProgress:
    """How far one run is.

    Args:
        graph: in API format.
        outputs: ids of its output nodes.
        prompt_id: of the run; messages about others are ignored.

    Attributes:
        node: the node of the graph that runs now; "" before the first.
    """

    def __init__(self, graph: ApiGraph, outputs: list[str], prompt_id: str) -> None:
        self.node = ""
        self._prompt_id = prompt_id
        self._whole = ancestors(graph, outputs)
        self._done: set[str] = set()
        self._parts: dict[str, float] = {}
        self._children: dict[str, dict[str, float]] = {}
        self._reached = 0.0
        self._states_heard = False

    @property
    def fraction(self) -> float:
        """0.0-1.0; never goes down."""
        return self._reached

    @property
    def count(self) -> tuple[int, int]:
        """How many nodes are done, and how many there are."""
        return len(self._done), len(self._whole)

    def hear(self, event: Event) -> None:
        """Takes a message in; foreign, unknown and odd ones change nothing."""
        if event.prompt_id != self._prompt_id:
            return
        take = {
            "execution_cached": self._cached, "executing": self._executing, "executed": self._executed,
            "progress": self._progress, "progress_state": self._states,
        }.get(event.type)  # fmt: skip
        if take is None:
            return
        take(event.data)
        whole = len(self._whole)
        if whole:
            parts = sum(part for node, part in self._parts.items() if node not in self._done)
            self._reached = max(self._reached, min(_MOST, (len(self._done) + parts) / whole))

    def finish(self) -> None:
        """The verdict stands."""
        self._reached = 1.0

    def _cached(self, data: Mapping[str, Any]) -> None:
        nodes = data.get("nodes")
        for node in nodes if isinstance(nodes, list) else ():
            self._finish_node(node)

    def _executing(self, data: Mapping[str, Any]) -> None:
        node = self._known(data.get("display_node"), data.get("node"))
        if node is None:
            return
        if self.node and self.node != node and not self._states_heard:
            self._finish_node(self.node)  # older servers tell no states, and run one node at a time
        self.node = node

    def _executed(self, data: Mapping[str, Any]) -> None:
        self._finish_node(data.get("node"))

    def _progress(self, data: Mapping[str, Any]) -> None:
        shown = self._known(data.get("node"), None)
        self.node = shown or self.node  # that it began may have been told before anybody listened
        self._part(data.get("node"), shown, data)

    def _states(self, data: Mapping[str, Any]) -> None:
        nodes = data.get("nodes")
        self._states_heard = True
        for key, state in nodes.items() if isinstance(nodes, dict) else ():
            if not isinstance(state, dict):
                continue
            shown = self._known(key, state.get("display_node_id"))
            if state.get("state") == "finished" and shown == key:
                self._finish_node(key)
            else:
                if state.get("state") == "running":
                    self.node = shown or self.node
                self._part(key, shown, state)

    def _part(self, key: Any, shown: str | None, data: Mapping[str, Any]) -> None:
        """A part of `shown`, which is the node itself, or the one that made it."""
        value, most = number(data.get("value")), number(data.get("max"))
        if shown is None or value is None or most is None or most <= 0:
            return
        part = max(0.0, min(1.0, value / most))
        if key != shown:
            made = self._children.setdefault(shown, {})
            made[str(key)] = max(made.get(str(key), 0.0), part)
            part = sum(made.values()) / (len(made) + 1)  # it may make more
        self._parts[shown] = max(self._parts.get(shown, 0.0), part)

    def _finish_node(self, node: Any) -> None:
        if isinstance(node, str) and node in self._whole:
            self._done.add(node)

    def _known(self, first: Any, second: Any) -> str | None:
        return next((node for node in (first, second) if isinstance(node, str) and node in self._whole), None)
