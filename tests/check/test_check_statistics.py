"""The page of statistics that a pool's configuration has: what dut.yaml is to say of it, and what stays to be written."""

import pytest

from lbcert.check.reader import Text
from lbcert.check.statistics import page

VIP, POOL = "10.10.2.20", [5060, 5061, 8404]
HTTP = "listen s\n mode http\n"
AUTH = " stats auth me:Se:cret\n"
AT = {"statistics": "10.10.2.20:7777"}
OPENS = {**AT, "user": "me", "password": "Se:cret"}


def found(config, vip=VIP):
    declared, unknown = page(Text([("h.cfg", config)]), vip, POOL)
    return declared, " ".join(unknown)


@pytest.mark.parametrize(("config", "declared", "unknown"), [
    (f"{HTTP} bind :7777\n stats uri /\n{AUTH}", OPENS, ""),
    (f"{HTTP} bind 10.10.2.20:7777\n{AUTH}", OPENS, ""),
    (f"frontend f\n mode http\n bind *:7777\n default_backend b\nbackend b\n mode http\n{AUTH}", OPENS, ""),
    (f"defaults\n mode http\n{AUTH}listen s\n bind *:7777\n", OPENS, ""),
    # A line of its own: nothing of defaults is inherited.
    (f"defaults\n mode http\n{AUTH}listen s\n bind *:7777\n stats enable\n", AT, "h.cfg, line 6, there is no `stats auth`"),
    (f"{HTTP} bind :7777 ssl crt x.pem\n{AUTH}", AT, "h.cfg, line 3, it is in TLS"),
    (f"{HTTP} bind :7777\n stats uri /lb\n{AUTH}", AT, "it is at /lb, and OCS-ADMIN-01 asks at /, /haproxy?stats,"),
    (f"{HTTP} bind :7777\n stats uri /haproxy\n{AUTH}", OPENS, ""),
    (f"{HTTP} bind :7777\n bind :7778\n{AUTH}", OPENS, "h.cfg, line 4, port 7778; one can be declared"),
    (f"{HTTP} bind :9000\n stats enable\n{HTTP} bind :7777\n{AUTH}", OPENS, "h.cfg, line 3, port 9000"),
    (f"{HTTP} bind 10.9.9.9:7777\n{AUTH}", {}, "h.cfg, line 3, a page of statistics at 10.9.9.9:7777, which is not the VIP"),
    (f"{HTTP} bind 127.0.0.1:7777\n{AUTH}", {}, ""),
    (f"{HTTP} bind :7777\n", {}, ""),
    (f"listen s\n mode tcp\n bind :7777\n{AUTH}", {}, ""),
    (f"{HTTP} bind :5061\n{AUTH}", {}, ""),
    ("global\n stats socket ipv4@10.10.2.20:7777 level admin\n", {}, ""),
])  # fmt: skip
def test_page(config, declared, unknown):
    assert found(config)[0] == declared
    assert unknown in found(config)[1] if unknown else found(config)[1] == ""


def test_no_address_is_made_up():
    declared, unknown = found(f"{HTTP} bind :7777\n{AUTH}", vip="0.0.0.0")
    assert declared == {} and "declares.administration.statistics: h.cfg, line 3, a page of statistics at port 7777 of the VIP" in unknown


def test_address_of_ipv6():
    assert found(f"{HTTP} bind :::7777\n{AUTH}", vip="2001:db8::1")[0]["statistics"] == "[2001:db8::1]:7777"
