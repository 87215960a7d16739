"""The ten configurations and the right answers about them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lbcert.check.change import Change

CONFIGS = Path(__file__).parent / "configs"


@dataclass(frozen=True)
class Answer:
    """What is right about one configuration."""

    file: str
    vip: str
    servers: str
    check: dict[str, Any] | None
    persistence: dict[str, Any]
    changes: dict[str, list[tuple[int, str]]]
    """requirement -> (line, a part of the new text), one for each change, in order"""
    left_out: list[str] = field(default_factory=list)
    """parts of what is said about listeners that are not tested"""
    made_up: list[str] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    number: int = 0
    """which of the deployments"""

    @property
    def path(self) -> Path:
        return next(CONFIGS.glob(f"{self.file}-*.cfg"))


def check(inter: float, fall: int, rise: int, timeout: float, kind: str = "tcp") -> dict[str, Any]:
    return {"inter": inter, "fall": fall, "rise": rise, "timeout": timeout, "kind": kind}


def table(timer: Any, size: int, key: str = "rdp-cookie", **more: Any) -> dict[str, Any]:
    return {"key": key, "timer": timer, "size": size, "returns_after_recovery": False, **more}


def hashed(key: str) -> dict[str, Any]:
    return {"key": key, "timer": "none", "size": "none", "returns_after_recovery": True}


ANSWERS = [
    Answer("01", "10.20.1.10:3389", "rdsh1 10.20.1.21, rdsh2 10.20.1.22", check(3.0, 3, 2, 3.0, "rdp"), table(86400.0, 10240), {
        "RDP-FAIL-01": [(30, "option redispatch 1"), (28, "inter 2s")],
        "RDP-FAIL-02": [(10, "timeout connect 3s"), (30, "option redispatch 1"), (28, "inter 2s")],
        "RDP-FAIL-05": [(28, "inter 2s rise 2 fall 3 on-marked-down shutdown-sessions")],
        "RDP-PERSIST-09": [(22, "len 64")], "RDP-PERSIST-12": [(22, "size 100k")], "RDP-PERSIST-04": [],
        "RDP-PERSIST-01": [],
    }),
    Answer("02", "172.30.4.5:3389", "win1 172.30.4.11, win2 172.30.4.12, win3 172.30.4.13", check(2.0, 3, 2, 2.0),
           hashed("rdp-cookie"), {
        "RDP-FAIL-01": [(24, "balance leastconn"), (30, "stick on req.rdp_cookie(mstshash)")],
        "RDP-FAIL-02": [(30, "timeout connect 3s")],
        "RDP-FAIL-03": [(30, "tcp-check send-binary")],
        "RDP-PERSIST-03": [(24, "hash-type map-based sdbm avalanche")],
        "RDP-PERSIST-13": [(24, "balance leastconn"), (30, "stick-table type string")],
        "RDP-SESS-07": [(30, "option tcpka")],
    }, made_up=["/etc/haproxy/errors/400.http"]),
    Answer("03", "192.168.50.10:3389", "sh1 192.168.50.21, sh2 192.168.50.22", check(5.0, 3, 2, 3.0),
           {"key": "rdp-token", "timer": "none", "size": "none"}, {
        "RDP-PERSIST-01": [(17, "stick on req.rdp_cookie(mstshash)")],
        "RDP-FAIL-02": [(4, "timeout connect 3s"), (16, "inter 2s"), (17, "inter 2s")],
        "RDP-FAIL-05": [(16, "inter 2s"), (17, "inter 2s"), (16, "default-server on-marked-down shutdown-sessions")],
    }),
    Answer("04", "192.168.1.50:3389", "rds1 192.168.1.51, rds2 192.168.1.52", check(2.0, 3, 2, 2.0), hashed("source"), {
        "RDP-PERSIST-02": [(11, "balance leastconn"), (13, "tcp-request content accept if RDP_COOKIE")],
        "RDP-PARSE-03": [(13, "tcp-request inspect-delay 5s")],
        "RDP-FAIL-02": [(4, "timeout connect 3s")],
    }),
    Answer("05", "10.8.0.5:3389", "sh1 10.8.0.41, sh2 10.8.0.42", check(10.0, 5, 1, 10.0), table(1800.0, 51200, "source"), {
        "RDP-PERSIST-02": [(28, "stick on req.rdp_cookie(mstshash)"), (27, "type string len 64 size 50k"), (31, "inspect-delay")],
        "RDP-PERSIST-04": [(27, "expire 24h")],
        "RDP-FAIL-08": [(30, "check inter 2s fall 3 rise 2"), (31, "check inter 2s fall 3 rise 2")],
        "RDP-FAIL-01": [(31, "option redispatch 1"), (30, "inter 2s fall 3"), (31, "inter 2s fall 3")],
        "RDP-FAIL-02": [(9, "timeout connect 3s"), (31, "option redispatch 1, timeout check 2s"),
                        (30, "inter 2s fall 3"), (31, "inter 2s fall 3")],
    }, left_out=["10.8.0.5:443: a web site"], made_up=["rdgw.example.org.pem is self-signed", "user rdplb", "/srv/haproxy-empty"]),
    Answer("06", "10.5.0.9:3389", "alpha 10.5.0.11, b 10.5.0.12", check(1.5, 2, 3, 1.5), table(36000.0, 204800), {
        "RDP-FAIL-02": [], "RDP-FAIL-05": [], "RDP-PERSIST-01": [],
        "RDP-PERSIST-08": [(22, "stick on req.rdp_cookie(mstshash),lower if { req.rdp_cookie(mstshash),length gt 0 }")],
    }, made_up=["rdsh-a.corp.example is 10.5.0.11"], env={"RDP_VIP": "10.5.0.9", "HOST_A": "alpha"}),
    Answer("07", "10.40.0.10:3389", "d1 10.40.0.21, d2 10.40.0.22, d3 10.40.0.23", check(2.0, 3, 2, 1.0), table("none", 1048576), {
        "RDP-FAIL-09": [(32, "stick on req.rdp_cookie(mstshash)")],
        "RDP-PERSIST-01": [(32, "stick on req.rdp_cookie(mstshash)")],
        "RDP-PERSIST-09": [(31, "len 64")],
    }, left_out=["10.40.0.10:20003 and 296 more", "10.40.0.11:3389: the same section", "127.0.0.1:8404: it listens on the machine"]),
    Answer("08", "[2001:db8:7::10]:13389", "v6a 2001:db8:8::21, v6b 2001:db8:8::22", check(1.0, 4, 2, 1.0), hashed("rdp-cookie"), {
        "RDP-PERSIST-03": [(16, "hash-type map-based sdbm avalanche")],
        "RDP-PARSE-05": [(11, "req.payload(0,11)")],
        "RDP-PARSE-03": [],
    }),
    Answer("09", "10.60.0.10:3389", "s1 10.60.1.1, s2 10.60.1.2", check(1.0, 3, 2, 2.0), table(43200.0, 20480, fallback="source"), {
        "RDP-FAIL-05": [], "RDP-PARSE-04": [], "RDP-PERSIST-09": [],
    }),
    Answer("09", "10.60.0.20:3389", "w1 10.60.2.1, w2 10.60.2.2", check(2.0, 3, 2, 2.0), table(43200.0, 20480), {
        "RDP-PARSE-04": [(28, "")], "RDP-PERSIST-09": [(29, "len 64")], "RDP-PERSIST-03": [(29, "len 64")],
        "RDP-FAIL-05": [(31, "default-server on-marked-down shutdown-sessions")],
    }, number=1),
    Answer("10", "192.168.77.10:3389", "a 192.168.77.11, b 192.168.77.12", None, {"key": "none", "size": "none"}, {
        "RDP-FAIL-01": [(7, "check"), (8, "check"), (8, "option redispatch 1")],
        "RDP-FAIL-02": [(7, "check"), (8, "check"), (8, "timeout connect 3s")],
        "RDP-PERSIST-01": [(8, "stick on req.rdp_cookie(mstshash)")],
    }),
]  # fmt: skip


def applied(text: str, changes: list[Change]) -> str:
    """The configuration with changes made in it, as a user would make them."""
    lines: dict[int, list[str]] = {number: [line] for number, line in enumerate(text.splitlines(), start=1)}
    for change in changes:
        own = lines[change.line.number]
        if change.how == "behind":
            own += change.new
        elif change.how == "before":
            own[:0] = change.new
        else:
            place = next(place for place, line in enumerate(own) if line.strip().startswith(change.line.text))
            own[place : place + 1] = change.new
    return "".join(f"{line}\n" for number in sorted(lines) for line in lines[number])
