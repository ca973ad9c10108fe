"""Progress over the whole graph: it never goes down, and only the verdict is 1.0."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storycore.comfyui.progress import GraphProgress
from storycore.comfyui.wire import Event

CALM = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
OURS = "11111111-1111-4111-8111-111111111111"
GRAPH = {
    "1": {"class_type": "EmptyImage", "inputs": {}},
    "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}, "_meta": {"title": "Turn round"}},
    "3": {"class_type": "SaveImage", "inputs": {"images": ["2", 0]}},
    "9": {"class_type": "EmptyImage", "inputs": {}},
}

NAMES = [*(str(number) for number in range(8)), "2.0.0.1", "2.0.0.2", "77"]
node = st.sampled_from(NAMES)
odd = st.one_of(st.none(), st.floats(), st.text(max_size=3), st.integers(-5, 10), st.lists(st.integers(), max_size=2))
state = st.fixed_dictionaries(
    {"value": odd, "max": odd, "state": st.sampled_from(["running", "finished", "error", None])},
    optional={"display_node_id": st.one_of(node, odd)},
)
events = st.builds(
    lambda kind, prompt_id, data: Event(type=kind, prompt_id=prompt_id, data=data),
    st.sampled_from(["execution_start", "execution_cached", "executing", "executed", "progress", "progress_state",
                     "execution_success", "execution_error", "status", "new_kind"]),
    st.sampled_from([OURS, OURS, OURS, "", "22222222-2222-4222-8222-222222222222"]),
    st.fixed_dictionaries(
        {},
        optional={"node": st.one_of(node, odd), "display_node": st.one_of(node, odd), "value": odd, "max": odd,
                  "nodes": st.one_of(st.lists(st.one_of(node, odd), max_size=4), odd,
                                     st.dictionaries(node, state, max_size=4))},
    ),
)  # fmt: skip


@st.composite
def graphs(draw):
    """A graph of up to eight nodes, links only to nodes before; and its output nodes."""
    size = draw(st.integers(0, 8))
    graph = {}
    for number in range(size):
        sources = draw(st.lists(st.integers(0, number - 1), max_size=3)) if number else []
        graph[str(number)] = {"class_type": "X", "inputs": {f"i{at}": [str(one), 0] for at, one in enumerate(sources)}}
    return graph, draw(st.lists(st.sampled_from(sorted(graph)), max_size=3)) if graph else []


@CALM
@given(graphs(), st.lists(events, max_size=30))
def test_it_never_goes_down_and_is_whole_only_with_the_verdict(graph, heard):
    progress, before = GraphProgress(*graph, OURS), 0.0
    for event in heard:  # whatever was dropped, doubled, put in another order, or belongs to others
        progress.hear(event)
        assert before <= progress.fraction < 1.0
        before = progress.fraction
    progress.finish()
    assert progress.fraction == 1.0


@CALM
@given(graphs(), st.lists(events, max_size=30))
def test_messages_of_others_change_nothing(graph, heard):
    progress = GraphProgress(*graph, "33333333-3333-4333-8333-333333333333")
    for event in heard:
        progress.hear(event)
    assert (progress.fraction, progress.node) == (0.0, "")


def test_each_node_of_the_whole_counts_the_same():
    progress, told = GraphProgress(GRAPH, ["3"], OURS), []
    for number, value in (("1", 1), ("2", 1), ("2", 2), ("3", 1)):
        most = 2 if number == "2" else 1
        done = "finished" if value == most else "running"
        nodes = {number: {"value": value, "max": most, "state": done, "display_node_id": number}}
        progress.hear(Event(type="progress_state", prompt_id=OURS, data={"nodes": nodes}))
        told.append(round(progress.fraction, 3))
    assert told == [0.333, 0.5, 0.667, 0.999]


def test_kept_results_count_at_once():
    progress = GraphProgress(GRAPH, ["3"], OURS)
    progress.hear(Event(type="execution_cached", prompt_id=OURS, data={"nodes": ["1", "2", "3", "9"]}))
    assert (progress.fraction, progress.count) == (0.999, (3, 3))


def test_nodes_that_a_node_makes_are_parts_of_it():
    progress = GraphProgress(GRAPH, ["3"], OURS)
    for child in ("2.0.0.1", "2.0.0.2"):
        nodes = {child: {"value": 1, "max": 1, "state": "finished", "display_node_id": "2"}}
        progress.hear(Event(type="progress_state", prompt_id=OURS, data={"nodes": nodes}))
    assert 0 < progress.fraction < 1 / 3
    progress.hear(Event(type="executing", prompt_id=OURS, data={"node": "2.0.0.2", "display_node": "2"}))
    assert progress.node == "2"


def test_servers_that_tell_no_states_are_followed_by_what_they_execute():
    progress = GraphProgress(GRAPH, ["3"], OURS)
    for number in ("1", "2", "3"):
        progress.hear(Event(type="executing", prompt_id=OURS, data={"node": number}))
    assert progress.count == (2, 3)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("progress", {"node": "2", "value": 1, "max": 4}),
        ("progress_state", {"nodes": {"1": {"value": 1, "max": 1, "state": "finished"},
                                      "2": {"value": 1, "max": 4, "state": "running"}}}),
    ],
)  # fmt: skip
def test_which_node_runs_is_known_although_nobody_heard_it_begin(kind, data):
    progress = GraphProgress(GRAPH, ["3"], OURS)
    progress.hear(Event(type=kind, prompt_id=OURS, data=data))
    assert progress.node == "2"
