"""The history: what was added is on disk in order, and a file that a crash cut off is read up to there."""

import json

import pytest

from lbcert.evidence.history import History

EVENTS = [("client", "visit", 3, {"user": "jörg", "answer": None}), ("ts1", "request", 1, {"bytes": "0300"}),
          ("client", "visit", 2, {"user": "ann", "answer": "00"})]  # fmt: skip


@pytest.fixture
def written(tmp_path):
    history = History(tmp_path / "h.jsonl")
    for who, kind, t, facts in EVENTS:
        history.add(who, kind, t, **facts)
    history.close()
    return tmp_path / "h.jsonl", history


def test_what_was_written_is_read_back_in_order(written):
    path, history = written
    assert History.load(path).events == history.events
    assert [event["t"] for event in history.events] == [3, 1, 2]


def test_an_event_without_a_time_happens_now(tmp_path):
    import time

    before = time.time_ns()
    assert before <= History().add("lab", "mark")["t"] <= time.time_ns()


@pytest.mark.parametrize("cut", [1, 10])
def test_a_last_line_cut_off_is_left_out(written, cut):
    path, history = written
    path.write_bytes(path.read_bytes()[:-cut])
    assert History.load(path).events == history.events[:-1]


def test_a_line_that_is_broken_in_the_middle_is_an_error(written):
    path, _ = written
    lines = path.read_text().splitlines(keepends=True)
    path.write_text(lines[0] + lines[1][:5] + "\n" + lines[2])
    with pytest.raises(json.JSONDecodeError):
        History.load(path)


def test_an_empty_file_is_an_empty_history(tmp_path):
    (tmp_path / "h.jsonl").write_text("")
    assert History.load(tmp_path / "h.jsonl").events == []


def test_flush_brings_it_to_the_file(tmp_path):
    history = History(tmp_path / "h.jsonl")
    history.add("lab", "mark", 1, name="quiet")
    history.flush()
    assert History.load(tmp_path / "h.jsonl").events == history.events
    history.close()
    history.close()


def test_events_are_found_by_kind_and_facts(written):
    _, history = written
    assert [event["user"] for event in history.of("visit")] == ["jörg", "ann"]
    assert [event["t"] for event in history.of("visit", user="ann")] == [2]
    assert history.last("visit")["user"] == "ann"
    assert list(history.of("visit", absent=1)) == [] and history.last("fault") is None
