"""What tests of a pool find out about its network: who owns the VIP, who carries packets, which ports are open and lead where."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import struct
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

from ..clients.knock import Knock
from ..clients.talk import Call
from ..deadlines import patience, requirement
from ..evidence import carriers, flows
from ..evidence.checks.pool_network import ARP_WITHIN
from ..loop import READ
from ..topology.plan import CLIENT_HOST, DUT_HOST

if TYPE_CHECKING:
    from ..lab import Lab

_ARP = 0x0806
_FRAME = struct.Struct("!6s6sHHHBBH6s4s6s4s")
"""Ethernet header and ARP for IPv4 (RFC 826)"""
_ONE_BY_ONE = 10
"""unknown ports that are tried one after the other, so that it shows where each of them leads"""


def ask_arp(lab: Lab, times: int) -> None:
    """Ask on the front network who has the VIP: one `arp` event for each question, with who answered and when."""
    link = lab.plan.host(CLIENT_HOST).links[0]
    own, vip = link.addresses[0].partition("/")[0], lab.vip[0]
    reply, fds = lab.broker.request_fds("packets", host=CLIENT_HOST, interface=link.name, protocol=_ARP)
    mac = bytes.fromhex(reply["mac"].replace(":", ""))
    answers: list[tuple[str, int]] = []
    with socket.socket(fileno=fds[0]) as sock:
        question = _FRAME.pack(b"\xff" * 6, mac, _ARP, 1, 0x0800, 6, 4, 1, mac, socket.inet_aton(own), b"\0" * 6, socket.inet_aton(vip))

        def hear(_events: int) -> None:
            with contextlib.suppress(BlockingIOError):
                while frame := sock.recv(2048):
                    if len(frame) < _FRAME.size:
                        continue
                    _, _, _, _, _, _, _, kind, sender, address, _, _ = _FRAME.unpack_from(frame)
                    if kind == 2 and address == socket.inet_aton(vip):
                        answers.append((sender.hex(":"), time.time_ns()))

        lab.loop.watch(sock.fileno(), READ, hear)
        asked: list[tuple[int, int]] = []
        for _ in range(times):
            before = len(answers)
            asked.append((time.time_ns(), before))
            sock.send(question)
            lab.watch("the VIP's owner answers", lambda b=before: len(answers) > b, requirement("arp", ARP_WITHIN))
        # A second owner may be slower than the first.
        lab.watch("a second owner answers", lambda: False, patience("pause"))
        lab.loop.forget(sock.fileno())
    ends = [count for _, count in asked[1:]] + [len(answers)]
    for (stamp, start), end in zip(asked, ends, strict=True):
        lab.history.add("client", "arp", asked=stamp, answers=answers[start:end])


def note_carriers(lab: Lab) -> None:
    """Record which machines carried the packets between clients and the VIP, by the MAC addresses on the clients' link."""
    lab.broker.request("capture_sync")
    ports = {port for _, port in lab.services.values()}
    found = carriers.carriers(lab.files.capture, f"{CLIENT_HOST}:{lab.plan.host(CLIENT_HOST).links[0].name}", lab.vip[0], ports)
    lab.history.add("capture", "carriers", **found)


def scan_ports(lab: Lab) -> None:
    """Try all ports of the VIP from a client's address, and each open one that is not of the pool once more: who is there?

    Events: `listeners` (the product's kernel), `scan`, and a `probe` for each port beyond the pool's.
    """
    listening = lab.broker.request("listening", host=DUT_HOST)["listening"]
    lab.history.add("dut", "listeners", listening=listening)
    before = time.time_ns()
    result: dict[str, Any] = {}
    source = lab.sources.one()
    # A quarter of a million packets that nobody asks for would fill the capture.
    quiet = ":" not in source
    if quiet:
        lab.broker.request("capture_leave_out", address=source)
    _, fds = lab.broker.request_fds("scan", host=CLIENT_HOST, source=source, address=lab.vip[0])
    heard = b""

    def read(_events: int) -> None:
        nonlocal heard
        data = os.read(fds[0], 1 << 16)
        heard += data
        if not data:
            lab.loop.forget(fds[0])
            result.update(json.loads(heard))

    lab.loop.watch(fds[0], READ, read)
    try:
        lab.wait("all ports of the VIP are tried", lambda: bool(result), patience("scan"))
    finally:
        lab.loop.forget(fds[0])
        os.close(fds[0])
        if quiet:
            lab.broker.request("capture_leave_out", address=None)
    lab.history.add("client", "scan", address=lab.vip[0], **result)
    extra = sorted(set(result["open"]) - {port for _, port in lab.services.values()} - set(lab.offer.services.values()))
    _probe(lab, extra, before)


def _probe(lab: Lab, extra: list[int], scanned: int) -> None:
    """Knock at each of these ports and see which connections to real servers follow from it."""
    group = 1 if len(extra) <= _ONE_BY_ONE else 50
    knocks: list[tuple[int, Any, int, int]] = []
    for start in range(0, len(extra), group):
        part, begun = extra[start : start + group], time.time_ns()
        calls = [Call(lab.sources.one(), "unknown", Knock(lab.vip[0]), address=(lab.vip[0], port)) for port in part]
        talks = lab.clients.start(calls)
        lab.watch(f"who is at port {part[0]}", lambda t=talks: all(talk.done for talk in t), patience("probe"))
        knocks += [(port, talk, begun, time.time_ns()) for port, talk in zip(part, talks, strict=True)]
    lab.broker.request("capture_sync")
    known = {port for server in lab.mocks for _, port in server.listen}
    links = {f"{server.host}:eth0": server.name for server in lab.mocks}
    towards = [flow for flow in flows.flows(lab.files.capture, known | set(extra)) if flow["link"] in links and "syn" in flow] if extra else []
    # What was seen before the scan is health checks: the same port, with or without data.
    checks = Counter((flow["sport"], "data_to_server" in flow) for flow in towards if flow["syn"] < scanned)
    for port, talk, begun, ended in knocks:
        reached = []
        for flow in towards:
            there = flow["sport"]
            own = group == 1 and there not in extra and (there, "data_to_server" in flow) not in checks
            if begun <= flow["syn"] <= ended and (there == port or own):
                reached.append([links[flow["link"]], there])
        lab.history.add("client", "probe", port=port, said=talk.speech.said, reached=reached)
