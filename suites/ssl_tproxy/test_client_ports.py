"""TP-ADDR-04 and -07: the ports of one client's address."""

from lbcert.api import Ask, Jar, Lab, checks, dial, hang, patience, requirement, requirement_deadline, restore

PAIRS = 10
"""for each order of the two services"""
IN_A_ROW = 1000
"""requests on connections of their own, and as many on kept ones"""
AGAIN = 500
"""ports that are used once more within a minute"""
ON_ONE = 50
"""requests on a kept connection"""
PARALLEL = 500
PATIENT = 60.0
"""s that the parallel clients wait: 250 handshakes at a time take a busy machine of two cores longer than the usual 15"""
BUSY = 1.0
"""s for which the servers leave everybody waiting, so that the first connection is in use when the second comes"""


@requirement("TP-ADDR-04")
def test_one_port_for_two_services(lab: Lab) -> None:
    """With cookies for the same server: while servers are busy, a client asks one service, and from the same port the other."""
    orders = [("http", "https"), ("https", "http")] * PAIRS
    people = [(lab.sources.one(), 20000 + number, Jar(), order) for number, order in enumerate(orders)]
    lab.visit([dial(lab, "http", source, jar=jar, label="before") for source, _, jar, _ in people])
    for server in lab.mocks:
        hang(lab, server)
    talks = []
    for number, label in enumerate(("first", "second")):
        calls = [dial(lab, order[number], source, source_port=port, jar=jar, label=label) for source, port, jar, order in people]
        talks += lab.clients.start(calls)
        lab.watch("both ask at the same time", lambda: all(talk.done for talk in talks[-len(calls) :]), requirement_deadline("busy", BUSY))
    for server in lab.mocks:
        restore(lab, server, "hang")
    lab.wait("what comes of both", lambda: all(talk.done for talk in talks), patience("outcome"))
    lab.judge(checks.one_port_serves_two_services)


@requirement("TP-ADDR-07")
def test_many_connections_of_one_address(lab: Lab) -> None:
    """Short connections in a row, some of their ports once more, long connections in a row, then many at a time.

    The client chooses its ports: left to its kernel, how many of them come twice within a minute would be chance.
    """
    source = lab.sources.one()
    if one_by_one(lab, source, range(10000, 10000 + IN_A_ROW), "single"):
        one_by_one(lab, source, range(10000, 10000 + AGAIN), "again")
    left, port = IN_A_ROW, 12000
    while left > 0:
        [talk] = lab.visit([dial(lab, "http", source, asks=[Ask("/")] * min(ON_ONE, left), source_port=port, label="kept")])
        if talk.outcome not in ("answered", "short"):
            break
        left, port = left - talk.speech.answers, port + 1
    # Each from a port of its own: one port for two services is TP-ADDR-04's subject.
    lab.clients.run_together(
        [dial(lab, ("http", "https")[number % 2], source, source_port=20000 + number, label="parallel", gated=True, patience=PATIENT)
         for number in range(PARALLEL)],
        patience("outcome", PATIENT),
    )  # fmt: skip
    lab.judge(checks.many_connections_are_served, wanted=2 * IN_A_ROW)


def one_by_one(lab: Lab, source: str, ports: range, label: str) -> bool:
    """A request from each port, until one is not answered: each further one may cost a timeout, and would show nothing new."""
    for start in range(ports.start, ports.stop, 10):
        some = range(start, min(start + 10, ports.stop))
        talks = lab.visit([dial(lab, "http", source, source_port=port, label=label, hold=True) for port in some], at_once=1)
        for talk in talks:
            talk.leave(abort=True)  # so that the port is free on our side at once
        if any(talk.outcome != "answered" for talk in talks):
            return False
    return True
