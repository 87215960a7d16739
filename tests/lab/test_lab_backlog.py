"""The mock server is never the bottleneck: its queue of connections holds thousands while it is busy."""

from lab_rig import direct, soon

from lbcert.clients.rdp import Visit
from lbcert.deadlines import patience
from lbcert.endpoints.mock import BACKLOG
from lbcert.faults import hang, restore

CROWD = 2500


def test_a_queue_as_long_as_it_says(made):
    made.broker.request("tick")
    output = made.files.output.with_name("ss.log")
    with output.open("w") as file:
        made.broker.request("spawn", [file.fileno()], host="ts1", argv=["/usr/bin/env", "ss", "-ltnH"])
    soon(made, "ss", lambda: output.read_text().endswith("\n"))
    assert output.read_text().split()[2] == str(BACKLOG)


def test_thousands_wait_while_the_server_is_busy_and_all_are_answered(made):
    server = made.servers[0]
    hang(made, server)
    clients = direct(made, server)
    waiting = [one for _ in range(CROWD // 250) for one in clients.start([Visit(made.sources.one(), "jsmith") for _ in range(250)])]
    soon(made, "handshakes", lambda: all(one.port for one in waiting), patience("outcome"))
    restore(made, server, "hang")
    assert clients.wait(waiting, patience("outcome"))
    assert {one.outcome for one in waiting} == {"answered"}
