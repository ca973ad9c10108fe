"""The ledger proves that what was sent is what came, and tells every way in which it is not."""

import json

from storycore.sink.ledger import Entry, Ledger, compare, read


def came(message_id, *, body="a", verified=True, status=204):
    return Entry(received_at="", id=message_id, sha256=body, verified=verified, status=status, path="/")


def test_what_was_sent_and_came_agrees_even_if_it_came_twice():
    found = compare(["1", "2"], [came("1"), came("2"), came("2")])
    assert (found.agrees, found.received, found.repeated) == (True, 2, {"2": 2})


def test_what_came_and_was_not_taken_was_sent_all_the_same():
    refused = came("2", status=503)
    assert compare(["1"], [came("1"), refused]).unknown == ("2",)
    assert compare(["1"], [came("1"), refused], tried=["2", "3"]).agrees


def test_each_disagreement_is_told():
    entries = [
        came("1", status=500), came("3"), came("4", body="a"), came("4", body="b"), came("5", verified=False),
    ]  # fmt: skip
    found = compare(["1", "2", "4", "5"], entries)
    assert not found.agrees
    assert (found.missing, found.unknown, found.changed, found.unverified) == (("1", "2"), ("3",), ("4",), ("5",))


def test_entries_are_written_line_by_line_and_read_back(tmp_path):
    path = tmp_path / "ledger.jsonl"
    with path.open("w", encoding="utf-8") as file:
        ledger = Ledger(file)
        ledger.note(message_id="evt_1", body=b"{}", verified=True, status=204, path="/hook")
        ledger.note(message_id="evt_é", body=b"", verified=None, status=0, path="/never")
        file.write('{"received_at": "cut o')
    found = list(read(path))
    assert [(it.id, it.verified, it.status, it.path) for it in found] == [
        ("evt_1", True, 204, "/hook"), ("evt_é", None, 0, "/never"),
    ]  # fmt: skip
    assert json.loads(path.read_text(encoding="utf-8").splitlines()[0])["sha256"].startswith("44136fa3")
