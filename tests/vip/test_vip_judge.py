"""What a probe's history tells, and above all what it does not."""

import pytest
from vip_rig import PRINTS, alternate, farm

from lbcert.vip import scheme
from lbcert.vip.judge import JUDGED, judge

PLACES = ["10.0.0.1", "10.0.1.1"]


def verdicts(made):
    return {name.removeprefix("RDP-"): finding.verdict.value for name, finding in judge(made).items()}


def reason(made, requirement):
    finding = judge(made)[requirement]
    assert finding.verdict == "not-run"
    return finding.reason


def test_a_farm_in_order_passes_everything():
    made = farm(50, alternate, places=2, sources=PLACES)
    assert list(judge(made)) == list(JUDGED) and set(verdicts(made).values()) == {"pass"}


def test_one_return_elsewhere_fails():
    made = farm(50, lambda user, turn: "ts2" if (user, turn) == (6, 5) else alternate(user, turn))
    finding = judge(made)["RDP-PERSIST-01"]
    assert finding.verdict == "fail"
    assert finding.reason == "user u6 was on certificate 11111111 6 times, certificate 22222222 1 times"


DOUBTS = [
    pytest.param({"servers": None}, "it is not said how many servers there are", id="servers not said"),
    pytest.param({"servers": 3}, "2 certificates were seen for 3 servers", id="certificates shared, or a server idle"),
    pytest.param({"servers": None, "map": {PRINTS["ts1"]: "a", PRINTS["ts9"]: "b"}}, "the map lacks a", id="not in map"),
]


@pytest.mark.parametrize("given, words", DOUBTS)
@pytest.mark.parametrize("requirement", ["RDP-PERSIST-01", "RDP-PERSIST-02", "RDP-PERSIST-03", "RDP-PERSIST-10"])
def test_nothing_passes_where_servers_may_look_alike(given, words, requirement):
    assert words in reason(farm(50, alternate, places=2, sources=PLACES, **given), requirement)


@pytest.mark.parametrize("requirement", ["RDP-PERSIST-01", "RDP-PERSIST-02", "RDP-PERSIST-03", "RDP-PERSIST-10"])
def test_one_certificate_tells_nothing(requirement):
    made = farm(50, lambda *_: "ts1", nameless=lambda _: "ts1", places=2, sources=PLACES)
    assert "certificate" in reason(made, requirement)


def test_more_certificates_than_servers_are_no_moved_users():
    made = farm(50, lambda user, turn: f"ts{1 + (user + turn) % 3}")
    assert "more than the 2 servers" in reason(made, "RDP-PERSIST-01")


def test_certificates_that_begin_alike_are_two_servers(monkeypatch):
    monkeypatch.setitem(PRINTS, "ts2", PRINTS["ts1"][:-1] + "2")
    made = farm(50, lambda user, turn: f"ts{1 + (user + turn) % 2}")
    assert verdicts(made)["PERSIST-01"] == "fail"


@pytest.mark.parametrize("users, rounds", [(14, 20), (50, 6)])
def test_too_few_returns_are_no_pass(users, rounds):
    assert "users are too few: 15 are needed" in reason(farm(users, alternate, rounds=rounds), "RDP-PERSIST-01")


def test_users_who_are_nearly_all_on_one_server_prove_little():
    made = farm(280, lambda user, _turn: "ts2" if user == 0 else "ts1", rounds=2, even=False)
    assert "could be chance" in reason(made, "RDP-PERSIST-01")


def test_a_client_without_service_leaves_it_open():
    assert "1 of 350 connections got as far as no certificate: closed (1)" in reason(
        farm(50, lambda user, turn: None if (user, turn) == (3, 3) else alternate(user, turn)), "RDP-PERSIST-01")  # fmt: skip


@pytest.mark.parametrize("sources, words", [([""], "give --source twice"), (["10.0.0.1", "10.0.0.9"], "in one /24 network"),
                                            (["2001:db8::1", "2001:db8::2"], "in one /64 network")])  # fmt: skip
def test_addresses_must_differ(sources, words):
    assert words in reason(farm(50, alternate, places=len(sources), sources=sources), "RDP-PERSIST-02")


def test_users_who_change_with_the_address_fail():
    made = farm(50, lambda user, turn: f"ts{1 + (user + (turn > 7)) % 2}", places=2, sources=PLACES)
    assert verdicts(made)["PERSIST-01"] == "pass" and verdicts(made)["PERSIST-02"] == "fail"


@pytest.mark.parametrize("even, verdict", [(True, "fail"), (False, "not-run")])
def test_an_uneven_spread_fails_only_where_it_must_be_even(even, verdict):
    made = farm(50, lambda user, _turn: "ts2" if user < 3 else "ts1", even=even)
    assert verdicts(made)["PERSIST-03"] == verdict
    assert verdicts(made)["PERSIST-10"] == ("blocked" if even else "pass")


def test_few_users_show_no_spread():
    assert f"too few for 2 servers: {scheme.needed(2)} are needed" in reason(farm(16, alternate, rounds=20), "RDP-PERSIST-03")


NAMELESS = [
    pytest.param({"nameless": lambda _: None}, "fail", id="all without a name turned away"),
    pytest.param({"nameless": lambda number: None if number == 1 else "ts1"}, "not-run", id="one turned away"),
    pytest.param({"bare": "closed"}, "fail", id="only the bare one turned away"),
    pytest.param({"bare": "closed", "named_bare": "closed"}, "not-run", id="servers want TLS"),
    pytest.param({}, "pass", id="all served"),
]


@pytest.mark.parametrize("what, verdict", NAMELESS)
def test_requests_without_a_name_are_compared_with_those_that_have_one(what, verdict):
    assert verdicts(farm(20, alternate, rounds=16, **what))["PARSE-04"] == verdict


FALLBACK = [
    pytest.param("source", lambda number: f"ts{1 + number % 2}", "fail", id="source, spread"),
    pytest.param("source", lambda _: "ts1", "not-run", id="source, together"),
    pytest.param("balance", lambda _: "ts1", "fail", id="balance, together"),
    pytest.param(None, lambda number: f"ts{1 + number % 2}", "not-run", id="not said"),
]


@pytest.mark.parametrize("rule, nameless, verdict", FALLBACK)
def test_the_fallback_is_what_was_said(rule, nameless, verdict):
    assert verdicts(farm(20, alternate, nameless, rounds=16, fallback=rule))["PERSIST-10"] == verdict


def test_what_was_stopped_passes_nothing_but_may_have_failed():
    made = farm(50, alternate)
    made.add("client", "stopped", why="interrupted")
    assert set(verdicts(made).values()) == {"not-run"} and reason(made, "RDP-PERSIST-01") == "interrupted"
    split = farm(50, lambda user, turn: f"ts{1 + (user + turn) % 2}")
    split.add("client", "stopped", why="interrupted")
    assert verdicts(split)["PERSIST-01"] == "fail"


@pytest.mark.parametrize("servers", range(2, 13))
def test_a_sample_excludes_a_server_left_out_and_one_with_twice_its_share(servers):
    sample = scheme.needed(servers)
    assert scheme.enough(sample, servers) and not scheme.enough(sample // 2, servers)
