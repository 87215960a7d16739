"""What the product says of itself against what dut.yaml declares: a promise beyond it is a setup-error, not a verdict."""

from pathlib import Path

import pytest

from lbcert.drivers.base import Build, Discovery, Memory
from lbcert.drivers.haproxy import _check_counts
from lbcert.drivers.haproxy_tables import memories
from lbcert.dut import declares
from lbcert.dut_model import Deployment
from lbcert.run.session import _contradiction

BUILD = Build("1.0", "test", "")
TABLES = "# table: rdp, type: string, size:1024, used:0\n# table: counters, type: ip, size:10, used:0\n"


def contradiction(persistence, lifetime, size, variant=None, profile="rdp"):
    deployment = Deployment("rdp", profile, Path("x.cfg"), "", declares=declares({"persistence": persistence}), variant=variant)
    return _contradiction(deployment, Discovery(BUILD, (), (), memories={"rdp": Memory(lifetime, size)})) or ""


CASES = {
    "as declared": ({"timer": 28800, "size": 1024}, 28800.0, 1024, None, ""),
    "more than declared": ({"timer": 3600, "size": 100}, 28800.0, 1024, None, ""),
    "for ever": ({"timer": 28800}, None, 1024, None, ""),
    "nothing declared": ({}, 3600.0, 10, None, ""),
    "forgets sooner": ({"timer": 28800}, 1800.0, 1024, None, "timer 28800 s for rdp, but the product's table rdp keeps a user for 1800 s"),
    "forgets at all": ({"timer": "none"}, 1800.0, 1024, None, "declares persistence.timer none"),
    "forgets at all, and traffic shows it": ({"timer": "none"}, 4.0, 1024, None, ""),
    "less room": ({"size": 1025}, None, 1024, None, "has room for 1024"),
    "no table that could be full": ({"size": "none"}, None, 1024, None, ""),
    "a variant is shorter": ({"timer": 28800}, 4.0, 1024, "short-lifetime", ""),
}


@pytest.mark.parametrize("persistence, lifetime, size, variant, message", CASES.values(), ids=CASES)
def test_a_promise_beyond_the_product(persistence, lifetime, size, variant, message):
    found = contradiction(persistence, lifetime, size, variant)
    assert message in found and bool(message) == bool(found)


@pytest.mark.parametrize("timer, lifetime, message", [
    (1800, 300.0, ""), (1800, 1680.0, "keeps a user for 1680 s"), (28800, 1800.0, "keeps a user for 1800 s")])
def test_half_an_hour_of_a_pool_is_seen_in_traffic(timer, lifetime, message):
    assert message in (found := contradiction({"timer": timer}, lifetime, 1024, profile="ocs")) and bool(message) == bool(found)


@pytest.mark.parametrize("size, message", [(500, ""), (100_000, "has room for 100000")])
def test_room_for_few_clients_of_a_pool_is_seen_in_traffic(size, message):
    assert message in (found := contradiction({"size": 1_048_576}, None, size, profile="ocs")) and bool(message) == bool(found)


@pytest.mark.parametrize("profile, fall, rise, message", [
    ("ocs", 9, 2, ""), ("ocs", 3, 20, ""), ("ocs", 4, 2, "fall 4"), ("ocs", 3, 3, "rise 3"), ("ocs", 1, 2, "fall 1"), ("rdp", 9, 2, "fall 9")])
def test_checks_that_decide_late_in_a_pool_are_seen_in_traffic(profile, fall, rise, message):
    check = {"inter": 2.0, "fall": 3, "rise": 2, "timeout": 2.0, "kind": "tcp"}
    deployment = Deployment("pool", profile, Path("x.cfg"), "", declares=declares({"health_check": check}))
    found = _contradiction(deployment, Discovery(BUILD, (), (), check_counts={"fe1": (fall, rise)})) or ""
    assert message in found and bool(message) == bool(found)


def test_a_server_that_one_section_does_not_check_is_unchecked():
    checked = {"type": "2", "check_status": "L4OK", "check_fall": "3", "check_rise": "2"}
    rows = [{"svname": "a", **checked}, {"svname": "b", **checked}, {"svname": "a", "type": "2", "tracked": "sip/a"},
            {"svname": "b", "type": "2"}]  # fmt: skip
    assert _check_counts(rows) == {"a": (3, 2)}


@pytest.mark.parametrize("exp, lifetime", [("1800000", 1800.0), ("0", None)])
def test_haproxy_tells_how_long_an_entry_lives(exp, lifetime):
    """By an entry made by hand, in the pool's own table only."""
    asked = []

    def admin(command):
        asked.append(command)
        line = f"0x7f: key=lbcert use=0 exp={exp} shard=0 server_id=1 server_key=-\n"
        return TABLES if command == "show table" else TABLES.splitlines()[0] + "\n" + line if command == "show table rdp" else ""

    assert memories(admin, {"rdp"}) == {"rdp": Memory(lifetime, 1024)}
    assert asked == ["show table", "set table rdp key lbcert data.server_id 1", "show table rdp"]


def test_a_table_that_only_counts_is_no_memory():
    line = "0x7f: key=192.0.2.1 use=0 exp=10000 shard=0 conn_rate(10000)=0\n"
    answers = {"show table": TABLES, "show table counters": line}
    assert memories(lambda command: answers.get(command, ""), {"counters"}) == {}
