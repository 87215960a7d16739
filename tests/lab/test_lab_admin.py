"""What an administrator asks of the product, and what a test learns of held sessions meanwhile."""

import pytest
from lab_rig import direct, soon

from lbcert.steps.admin import drain, ready, reload
from lbcert.clients.rdp import Visit
from lbcert.drivers import DriverError, NotAble
from lbcert.drivers.haproxy_admin import _named
from lbcert.lab import Ended
from lbcert.verdicts import Verdict


def users(lab, count, stem):
    return [visit.server for visit in lab.visit([Visit(lab.sources.one(), f"{stem}{n}") for n in range(count)])]


def test_a_drained_server_is_left_until_it_is_ready(shared):
    server = shared.servers[0]
    drain(shared, server)
    assert server.name not in users(shared, 9, "during")
    ready(shared, server)
    assert server.name in users(shared, 9, "after")


def test_each_act_is_an_event_with_both_its_times(shared):
    server = shared.servers[1]
    stamps = [drain(shared, server), ready(shared, server), reload(shared)]
    acts = list(shared.history.of("admin"))[-3:]
    assert [(act["who"], act["action"], act.get("server")) for act in acts] == [
        ("harness", "drain", server.name), ("harness", "ready", server.name), ("harness", "reload", None)]  # fmt: skip
    assert [act["t"] for act in acts] == stamps
    assert all(act["begun"] <= act["t"] for act in acts) and acts[0]["t"] <= acts[1]["begun"]


def not_able(*_):
    raise NotAble("rdp.yaml has no control socket")


@pytest.mark.parametrize(
    "method, reason",
    [(None, "the driver of this product cannot drain"), (not_able, "drain: rdp.yaml has no control socket")],
    ids=["driver-without-it", "deployment-without-it"],
)
def test_what_cannot_be_asked_was_not_tried(shared, monkeypatch, method, reason):
    monkeypatch.setattr(shared.driver, "drain", method, raising=False)
    with pytest.raises(Ended, match=reason) as ended:
        drain(shared, shared.servers[0])
    assert ended.value.verdict is Verdict.NOT_RUN


def test_a_product_that_refuses_is_an_error(shared):
    with pytest.raises(DriverError, match="drain ts9: no server ts9"):
        shared.driver._order(shared.broker, shared.deployment, "drain ts9")


def test_echo_tells_live_sessions_from_dead_ones(shared):
    held = shared.visit([Visit(shared.sources.one(), f"holder{n}", hold=True) for n in range(3)])
    shared.echo(held, "first")
    held[1].leave()
    shared.echo(held, "second")
    told = {(event["visit"], event["phase"]): event["ok"] for event in shared.history.of("echo")}
    assert [told[session.number, "first"] for session in held] == [True] * 3
    assert [told[session.number, "second"] for session in held] == [True, False, True]
    for session in held:
        session.leave()


def test_a_session_whose_echo_is_something_else_is_dead(shared, monkeypatch):
    server = shared.servers[0]
    (session,) = direct(shared, server).run([Visit(shared.sources.one(), "jsmith", hold=True)])
    server.tell("send", conn=next(n for n, peer in server.connected.items() if peer[1] == session.port), data=b"noise".hex())
    soon(shared, "the noise", lambda: session.echoed)
    monkeypatch.setattr(session, "send", lambda payload: setattr(session, "echoed", session.echoed + b"other bytes"))
    monkeypatch.setitem(__import__("lbcert.deadlines").deadlines.PATIENCE, "answer", 0.3)
    shared.echo([session], "changed")
    assert shared.history.last("echo")["ok"] is False
    session.leave()


def test_timers_are_noted_once_everything_is_acknowledged(shared):
    held = shared.visit([Visit(shared.sources.one(), f"silent{n}", hold=True) for n in range(3)])
    shared.echo(held, "begin")
    assert len([due for due in shared.note_keepalive() if 0 < due <= 1.0]) >= 6
    noted = shared.history.last("timers")["connections"]
    assert {session.port for session in held} <= {one["remote"][1] for one in noted if one["timer"] == "keepalive"}
    for session in held:
        session.leave()


TABLE = """1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight
2 rdp 1 ts1 192.168.0.11 2 0 1
2 rdp 2 ts2 192.168.0.12 2 0 1
3 web 1 first 192.168.0.11 2 0 1
"""


def test_every_line_of_a_machine_in_haproxy_is_meant():
    assert _named(TABLE, "192.168.0.11") == ["rdp/ts1", "web/first"]
    with pytest.raises(DriverError, match="no server with the address 192.168.0.1$"):
        _named(TABLE, "192.168.0.1")
