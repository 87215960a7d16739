"""A client's wait is what the capture says: the time in which our own client had not sent its request yet is no wait."""

import pytest
from evidence_rig import at, event, served, story

from lbcert.evidence.checks.served import Waits

STORIES = {
    "all at once": (dict(syn=0.0, synack=0.1, data_to_server=0.1, data_to_client=2.0), 2.0),
    "our client sent late": (dict(syn=0.0, synack=0.1, data_to_server=1.6, data_to_client=2.0), 0.5),
    "the first SYN was lost": (dict(syn=0.0, synack=1.0, data_to_server=1.0, data_to_client=2.0), 2.0),
    "answered before it was asked": (dict(syn=0.0, synack=0.1, data_to_server=2.5), 2.0),
    "never accepted": (dict(syn=0.0), 2.0),
    "another connection from that port, earlier": (dict(syn=-5.0, synack=-5.0, data_to_server=-4.0), 2.0),
}


@pytest.mark.parametrize("flow, waited", STORIES.values(), ids=STORIES)
def test_wait_until_the_answer(flow, waited):
    visit = served("ann", "ts1", 0.0, took=2.0)
    stamps = {name: at(seconds) for name, seconds in flow.items()}
    seen = event(flow["syn"], "capture", "flow", link="client:eth0", client="10.1.0.1", cport=40000, **stamps)
    assert Waits(story(visit, seen)).answer(visit[-1]) == pytest.approx(waited)


def test_without_a_capture_our_own_clock_has_to_do():
    visit = served("ann", "ts1", 0.0, took=2.0)
    assert Waits(story(visit)).answer(visit[-1]) == pytest.approx(2.0)


def test_our_own_part_of_a_tls_handshake_is_no_wait():
    """Of 2.0 s, 0.5 s went by before we sent our hello, and 1.2 s until we answered the product's."""
    visit = served("ann", "ts1", 0.0, took=2.0)
    visit[-1] = {**visit[-1], "own": int(1.2e9)}
    stamps = {name: at(seconds) for name, seconds in dict(syn=0.0, synack=0.1, data_to_server=0.6, data_to_client=0.7).items()}
    seen = event(0.0, "capture", "flow", link="client:eth0", client="10.1.0.1", cport=40000, **stamps)
    assert Waits(story(visit, seen)).answer(visit[-1]) == pytest.approx(0.3)
