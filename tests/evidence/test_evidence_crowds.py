"""RDP-PERSIST-11 to -13: what makes each verdict, from literal histories."""

import itertools

import pytest
from evidence_rig import at, ended, event, served, story, unserved

from lbcert.evidence.checks import full_table_serves, new_users_go_where_there_is_room, pairs_agree
from lbcert.verdicts import Verdict

TWO = ("ts1", "ts2")
PORTS = itertools.count(30000)


def pair(user: str, one: str, other: str | None, apart: float = 0.001, captured: bool = True):
    """Two visits of a user, and the capture of their first packets on the clients' link."""
    events = []
    for server, t in ((one, 0.0), (other, apart)):
        port = next(PORTS)
        if server:
            events += served(user, server, t, label="pair", port=port)
        else:
            events.append({**unserved(user, "reset", t, label="pair"), "port": port})
        if captured:
            events.append(event(t, "capture", "flow", link="client:eth0", client="10.1.0.1", cport=port, data_to_server=at(t)))
        # What the balancer sent on towards the server is no first packet of a client.
        events.append(event(t, "capture", "flow", link="ts1:eth0", client="10.1.0.1", cport=port, data_to_server=at(9)))
    return events


AGREE = [*pair("ann", "ts1", "ts1"), *pair("bob", "ts2", "ts2")]
PAIRS = {
    "agree": (AGREE, Verdict.PASS, "2 of 2 pairs agreed"),
    "split": ([*AGREE, *pair("eve", "ts1", "ts2")], Verdict.NON_STRICT, "user eve was on ts1 and ts2"),
    "split within 5 ms": ([*AGREE, *pair("eve", "ts1", "ts2", 0.005)], Verdict.NON_STRICT, "2 of 3 pairs agreed"),
    "split, but not together": ([*AGREE, *pair("eve", "ts1", "ts2", 0.006)], Verdict.PASS, "2 of 2 pairs agreed"),
    "one not served": ([*AGREE, *pair("eve", "ts1", None)], Verdict.NON_STRICT, "user eve: reset without an answer"),
    "all on one": ([*pair("ann", "ts1", "ts1"), *pair("bob", "ts1", "ts1")], Verdict.BLOCKED, "all 2 users are on one server"),
    "half of them together": ([*AGREE, *pair("x", "ts1", "ts1", 1), *pair("y", "ts1", "ts1", 1)], Verdict.PASS, "2 of 2"),
    "too few together": ([*pair("ann", "ts1", "ts1"), *pair("x", "ts1", "ts1", 1), *pair("y", "ts1", "ts1", 1)],
                         Verdict.HARNESS_ERROR, "machine too slow: only 1 of 3 pairs"),
    "not captured": (pair("ann", "ts1", "ts1", captured=False), Verdict.HARNESS_ERROR, "only 0 of 1 pairs"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", PAIRS.values(), ids=PAIRS.keys())
def test_pairs(events, verdict, observed):
    finding = pairs_agree(story(*events))
    assert finding.verdict is verdict
    assert observed in finding.observed


def comers(newest: int, oldest: int, count: int = 24) -> list:
    """As many old users and new ones, in turn on two servers; so many of each are on their server when they come again."""
    events = []
    for label, kept in (("early", oldest), ("newest", newest)):
        again = {"early": "oldest again", "newest": "newest again"}[label]
        for number in range(count):
            home, other = (TWO, TWO[::-1])[number % 2]
            events += served(f"{label}{number}", home, 0.0, label=label)
            events += served(f"{label}{number}", home if number < kept else other, 1.0, label=again)
    return events


FULL = {
    "newest kept": (comers(24, 12), 24, Verdict.PASS, "24 of the newest 24 users and 12 of the oldest 24"),
    "one of the newest lost": (comers(23, 12), 24, Verdict.NON_STRICT, "user newest23 was on ts2, then on ts1"),
    "one not served": ([*comers(24, 12), unserved("late", "refused", label="early")], 24, Verdict.NON_STRICT, "(early): refused"),
    "limit not in force": (comers(24, 24), 24, Verdict.BLOCKED, "the variant's limit of 24 users is not in force"),
    "in force as far as chance can tell": (comers(24, 23), 24, Verdict.PASS, "23 of the oldest"),
    "without table": (comers(24, 24), None, Verdict.PASS, "24 of the oldest 24"),
    "without table, oldest lost": (comers(24, 23), None, Verdict.NON_STRICT, "user early23"),
}


@pytest.mark.parametrize("events, room, verdict, observed", FULL.values(), ids=FULL.keys())
def test_full_table(events, room, verdict, observed):
    finding = full_table_serves(story(*events, servers=TWO), room=room)
    assert finding.verdict is verdict
    assert observed in finding.observed


def test_all_users_on_one_server_tell_nothing_of_the_table():
    events = [served(user, "ts1", label=label) for user, label in
              (("a", "early"), ("b", "newest"), ("b", "newest again"), ("a", "oldest again"))]  # fmt: skip
    assert full_table_serves(story(*events), room=1).verdict is Verdict.BLOCKED


@pytest.mark.parametrize("labels", [(), ("early", "newest", "newest again"), ("early", "newest", "oldest again")])
def test_a_full_table_without_one_of_the_groups_is_no_verdict(labels):
    with pytest.raises(ValueError, match="the history holds no visit"):
        full_table_serves(story(*[served("ann", "ts1", label=label) for label in labels]), room=1)


def sessions(label: str, *counts: int) -> list[list]:
    return [served(f"{label}{server}{number}", server, label=label, held=True)
            for server, count in zip(TWO, counts, strict=True) for number in range(count)]  # fmt: skip


def room(held, left, newcomers, how="left"):
    """Sessions (ts1, ts2), how many of those on ts1 end, and newcomers (ts1, ts2)."""
    first = sessions("held", *held)
    return [*first, *(ended(session, 1.0, how) for session in first[:left]), *sessions("newcomer", *newcomers)]


ROOM = {
    "even": (room((5, 5), 5, (6, 1)), Verdict.PASS, "10 sessions: ts1 5, ts2 5; 5 sessions ended, 7 new ones: ts1 6, ts2 6"),
    "one apart": (room((5, 4), 5, (5, 0)), Verdict.PASS, "ts1 5, ts2 4"),
    "two apart": (room((6, 4), 6, (5, 0)), Verdict.NON_STRICT, "10 sessions: ts1 6, ts2 4"),
    "in turn": (room((5, 5), 5, (3, 4)), Verdict.NON_STRICT, "ts1 3, ts2 9"),
    "cut by the balancer": (room((5, 5), 5, (6, 1), "closed"), Verdict.NON_STRICT, "5 held sessions were closed by the balancer"),
    "not served": ([*room((5, 5), 5, (6, 1)), unserved("late", "closed", label="newcomer")], Verdict.NON_STRICT, "user late"),
}


@pytest.mark.parametrize("events, verdict, observed", ROOM.values(), ids=ROOM.keys())
def test_room(events, verdict, observed):
    finding = new_users_go_where_there_is_room(story(*events, servers=TWO))
    assert finding.verdict is verdict
    assert observed in finding.observed


@pytest.mark.parametrize("events", [[], sessions("held", 2, 2), sessions("newcomer", 2, 2)], ids=["none", "held", "newcomer"])
def test_room_without_one_of_the_groups_is_no_verdict(events):
    with pytest.raises(ValueError, match="the history holds no"):
        new_users_go_where_there_is_room(story(*events, servers=TWO))
