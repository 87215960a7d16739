"""What a test of a web farm has noted of the lab while clients are there: processes, senders of packets, bodies, the way of a request."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..endpoints.http_answer import body_of
from ..evidence.sources import sources
from ..topology.plan import CLIENT_HOST, DUT_HOST
from .calling import dial

if TYPE_CHECKING:
    from ..clients.talk import Talk
    from ..lab import Lab


def note_processes(lab: Lab, at_least: int = 0) -> bool:
    """Event `processes`: what of the product runs now, as whom, the connections that each process holds, and what is listened on.

    Only, and True, if the processes hold so many connections of clients.
    """
    told = lab.broker.request("holders", host=DUT_HOST)["processes"]
    services = {tuple(pair) for pair in lab.services.values()}
    if sum(1 for process in told for local, _ in process["connections"] if tuple(local) in services) < at_least:
        return False
    listening = lab.broker.request("listening", host=DUT_HOST)["listening"]
    lab.history.add("dut", "processes", processes=told, listening=listening)
    return True


def note_senders(lab: Lab, host: str = CLIENT_HOST) -> None:
    """Event `senders`: the packets that reached `host` so far, by the address that stands in them as their sender."""
    lab.broker.request("capture_sync")
    lab.history.add("capture", "senders", host=host, packets=sources(lab.files.capture, f"{host}:eth0"))


def trace(lab: Lab, service: str) -> None:
    """One call (label `path`) while nobody else is there, with the processes noted while it is held: the path of one request."""
    [talk] = lab.visit([dial(lab, service, hold=True, label="path")])
    note_processes(lab)
    talk.leave()


def note_bodies(lab: Lab, talks: Sequence[Talk], body: bytes, answer: int) -> None:
    """Event `bodies` for each call: what its client sent, and what servers that answer with so many bytes must have said."""
    for talk in talks:
        length, digest = body_of(talk.speech.token, answer)
        lab.history.add("harness", "bodies", call=talk.number, length=len(body), sha256=hashlib.sha256(body).hexdigest(),
                        answer_length=length, answer_sha256=digest)  # fmt: skip


def note_sent(lab: Lab, talks: Sequence[Talk]) -> None:
    """Event `sent` for each call: the requests that its client said, with all their headers, and the sums of their bodies."""
    for talk in talks:
        requests = [{"method": one.method, "target": one.target, "headers": one.fields, "body_length": len(one.body),
                     "body_sha256": hashlib.sha256(one.body).hexdigest()} for one in talk.speech.sent]  # fmt: skip
        lab.history.add("harness", "sent", call=talk.number, requests=requests)


def filter_reverse_path(lab: Lab) -> None:
    """Have the DUT's kernel drop what comes in where an answer to its sender would not go out (rp_filter 1, ip-sysctl.rst)."""
    names = ["all", "default", "lo", *(link.name for link in lab.plan.host(DUT_HOST).links)]
    settings = [f"net.ipv4.conf.{name}.rp_filter=1" for name in names]
    status, text = lab.broker.run(DUT_HOST, ["/usr/sbin/sysctl", "-q", "-w", *settings])
    if status:
        raise RuntimeError(f"rp_filter cannot be set in the DUT host: {text.strip()}")
    lab.history.add("lab", "rp_filter", value=1)


def note_bypassed(lab: Lab, count: int | None = None) -> None:
    """Event `bypassed`: the first so many servers, or all, answer past the DUT in a lab with that routing."""
    lab.history.add("lab", "bypassed", servers=[server.name for server in lab.mocks[:count]])
