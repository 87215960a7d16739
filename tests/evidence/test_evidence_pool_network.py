"""OCS-NET-01, -05, -07, -08 with literal histories."""

from __future__ import annotations

import pytest
from calls_rig import PORTS, answered, pool, syn, unanswered
from evidence_rig import at, event

from lbcert.evidence.checks import both_ways_cross_the_product, front_ends_reach_the_vip, front_ends_see_the_product, vip_has_one_owner
from lbcert.verdicts import Verdict


def question(t: float, *answers: tuple[str, float]):
    return event(t + 1, "client", "arp", asked=at(t), answers=[[mac, at(t + after)] for mac, after in answers])


ARP = {
    "one": ([question(0, ("aa", 0.001)), question(1, ("aa", 0.001))], {}, Verdict.PASS),
    "two at once": ([question(0, ("aa", 0.001), ("bb", 0.002)), question(1, ("aa", 0.001))], {}, Verdict.FAIL),
    "now this, now that": ([question(0, ("aa", 0.001)), question(1, ("bb", 0.001))], {}, Verdict.FAIL),
    "late": ([question(0, ("aa", 1.5)), question(1, ("aa", 0.001))], {}, Verdict.FAIL),
    "silent": ([question(0, ("aa", 0.001)), question(1)], {}, Verdict.FAIL),
    "two addresses": ([question(0, ("aa", 0.001)), question(1, ("aa", 0.001))], {"web": "10.10.2.21"}, Verdict.FAIL),
}


@pytest.mark.parametrize("questions, elsewhere, verdict", ARP.values(), ids=ARP.keys())
def test_arp(questions, elsewhere, verdict):
    assert vip_has_one_owner(pool(*questions, vip=elsewhere), asked=2).verdict is verdict


def test_too_few_questions_are_no_verdict():
    with pytest.raises(ValueError, match="1 questions"):
        vip_has_one_owner(pool(question(0, ("aa", 0.001))), asked=2)


def everybody(peer: str = "10.10.2.20", but: str = "") -> list[list]:
    return [answered(f"10.1.0.{n}", service, "fe1", n, peer=peer) for n, service in enumerate(PORTS) if service != but]


SEEN = {
    "product": (everybody(), Verdict.PASS, "one arm; connections on 3 of 3 ports came from 10.10.2.20 (3)"),
    "itself": ([*everybody(but="web"), answered("10.1.0.9", "web", "fe2", peer="10.1.0.9")], Verdict.FAIL, "own address 10.1.0.9"),
    "another address of its own": (everybody("10.10.2.99"), Verdict.PASS, "dut.yaml does not name 10.10.2.99"),
    "a server's address": (everybody("10.10.2.5"), Verdict.FAIL, "saw 10.10.2.5, which is fe2's"),
    "another client's": ([*everybody(but="web"), answered("10.1.0.9", "web", "fe2", peer="10.1.0.0")], Verdict.FAIL, "another client's"),
    "unanswered": ([*everybody(but="web"), unanswered("10.1.0.9", "web")], Verdict.BLOCKED, "OCS-NET-02"),
    "not called": (everybody(but="web"), Verdict.BLOCKED, "no client called web"),
    "itself, and one not answered": (
        [answered("10.1.0.8", "sip", "fe2", peer="10.1.0.8"), unanswered("10.1.0.9", "web")], Verdict.FAIL, "own address"),
}  # fmt: skip


@pytest.mark.parametrize("events, verdict, observed", SEEN.values(), ids=SEEN.keys())
def test_front_ends_see_the_product(events, verdict, observed):
    finding = front_ends_see_the_product(pool(*events), PORTS)
    assert finding.verdict is verdict
    assert observed in finding.observed


def hairpin(*links: str, server: str = "fe2", **more) -> list:
    call = answered("10.10.2.4", "web", server, 0.0, label="fe1", **more)
    return [*call, *(syn(call, 0.001, link) for link in links)]


HAIRPIN = {
    "by way of the product": (hairpin("fe1:eth0", "dut:eth0"), Verdict.PASS),
    "to itself": (hairpin("fe1:eth0", "dut:eth0", server="fe1"), Verdict.PASS),
    "never left": (hairpin(server="fe1"), Verdict.FAIL),
    "past the product": (hairpin("fe1:eth0", "fe2:eth0"), Verdict.FAIL),
    "not answered": ([unanswered("10.10.2.4", "web", "timeout", label="fe1")], Verdict.FAIL),
    "not by a server": (hairpin("fe1:eth0", "dut:eth0", record=False), Verdict.FAIL),
    "by the fallback": (hairpin("fe1:eth0", "dut:eth0", server="fallback"), Verdict.FAIL),
}


@pytest.mark.parametrize("events, verdict", HAIRPIN.values(), ids=HAIRPIN.keys())
def test_front_ends_reach_the_vip(events, verdict):
    assert front_ends_reach_the_vip(pool(*events)).verdict is verdict


def carriers(to_client: dict, to_server: dict):
    return event(9, "capture", "carriers", to_client=to_client, to_server=to_server)


DUT = {"dut:eth0": 40}
CARRIERS = {
    "both by the product": (everybody(), DUT, DUT, Verdict.PASS),
    "direct return": (everybody(), {"fe1:eth0": 40}, DUT, Verdict.FAIL),
    "some past it": (everybody(), {"dut:eth0": 40, "fe2:eth0": 1}, DUT, Verdict.FAIL),
    "to a server": (everybody(), DUT, {"fe1:eth0": 3, "dut:eth0": 3}, Verdict.FAIL),
    "from nobody known": (everybody(), {"02:00:00:00:00:01": 9}, DUT, Verdict.FAIL),
    "not answered": ([*everybody(), unanswered("10.1.0.9", "web")], DUT, DUT, Verdict.BLOCKED),
    "direct return, and not answered": ([unanswered("10.1.0.9", "web")], {"fe1:eth0": 2}, DUT, Verdict.FAIL),
    "no packet": (everybody(), {}, DUT, Verdict.BLOCKED),
}


@pytest.mark.parametrize("events, to_client, to_server, verdict", CARRIERS.values(), ids=CARRIERS.keys())
def test_both_ways_cross_the_product(events, to_client, to_server, verdict):
    finding = both_ways_cross_the_product(pool(*events, carriers(to_client, to_server)))
    assert finding.verdict is verdict
    assert finding.verdict is not Verdict.PASS or finding.silence


@pytest.mark.parametrize("check, parameters", [(front_ends_see_the_product, {"ports": PORTS}), (front_ends_reach_the_vip, {}),
                                               (both_ways_cross_the_product, {})])  # fmt: skip
def test_without_calls_there_is_no_verdict(check, parameters):
    with pytest.raises(ValueError, match="holds no call"):
        check(pool(), **parameters)
