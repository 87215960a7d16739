"""SIPp in a lab of a pool: a scenario that registers, and where it runs. What came of it is read from our own events."""

from __future__ import annotations

from pathlib import Path

from peers_rig import PACKAGES, Program, Programs

from lbcert.steps.calling import dial
from lbcert.deadlines import patience
from lbcert.topology.plan import CLIENT_HOST

SIPP = "/usr/bin/sipp"
PACKAGES[SIPP] = "sip-tester"
REGISTER = (Path(__file__).parent / "register.xml").read_bytes()
SCENARIO = "/etc/register.xml"


def sipp(programs: Programs, address: str, *options: str, host: str = CLIENT_HOST) -> Program:
    """Start SIPp there: over TCP, with a connection for each call, without a keyboard; as a server without `-t`."""
    return programs.start(host, SIPP, "-i", address, "-nostdin", "-max_socket", "1000", *options, TERM="dumb", HOME="/tmp")


def client_address(programs: Programs) -> str:
    """Of the client host itself."""
    host = programs.lab.plan.host(CLIENT_HOST)
    return host.links[0].addresses[0].partition("/")[0]


def home_of(programs: Programs, source: str):
    """The server that this source address is sent to."""
    lab = programs.lab
    (talk,) = lab.visit([dial(lab, "sip", source)])
    assert talk.outcome == "answered", talk.outcome
    return lab.server(talk.server)


def requests(programs: Programs, method: str) -> list:
    return [event for event in programs.lab.history.of("request") if event.get("method") == method]


def finished(programs: Programs, program: Program, what: str) -> None:
    programs.wait(what, lambda: program.status is not None, program, patience("outcome"))
