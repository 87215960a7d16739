"""OCS-APP-01 on literal histories: RFC 4475's messages, by the digests of both ends."""

import pytest
from evidence_rig import event
from outage_rig import call, pool

from lbcert.evidence import checks
from lbcert.verdicts import Verdict


def recital(came=("aa", 100), went=("bb", 50), alive=True, heard=True):
    """A client that sent ("aa", 100) and received ("bb", 50); what its Front End says came and went."""
    made = call("a", "fe1", held=True)
    told = made[-1]
    events = [*made, event(1, "client", "recited", call=told["call"], alive=alive, messages=43, went=["aa", 100], came=["bb", 50])]
    return [*events, event(1, "fe1", "digest", conn=told["conn"], came=list(came), went=list(went))] if heard else events


STORIES = {
    "unchanged": (recital(), Verdict.PASS, "43 messages on 1 ports"),
    "longer": (recital(came=("cc", 180)), Verdict.FAIL, "of 100 bytes to the Front End, 180 arrived"),
    "other-bytes-back": (recital(went=("dd", 50)), Verdict.FAIL, "of 50 bytes to the client, 50 arrived, or others in their place"),
    "cut": (recital(alive=False), Verdict.FAIL, "the connection ended before all was said"),
    "never-told": (recital(heard=False), Verdict.FAIL, "the connection ended before all was said"),
}


@pytest.mark.parametrize("events, verdict, observed", STORIES.values(), ids=STORIES)
def test_torture(events, verdict, observed):
    finding = checks.torture_arrives(pool(*events))
    assert (finding.verdict, observed in finding.observed) == (verdict, True), finding


def test_other_ports_are_judged_alike():
    finding = checks.bytes_arrive(pool(recital(went=("dd", 50))))
    assert finding.verdict is Verdict.FAIL and "that do not speak SIP" in finding.expected


def test_nobody_recited():
    with pytest.raises(ValueError, match="no recital"):
        checks.torture_arrives(pool())
