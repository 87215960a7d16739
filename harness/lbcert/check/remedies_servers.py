"""Where the remedies of RDP-FAIL and RDP-SESS go in a configuration of HAProxy (the remedies: catalogue)."""

from __future__ import annotations

from collections.abc import Iterator

from ..dut_model import DETECTION_CEILING
from .change import (
    STICK, TABLE, Change, added, balance_line, follows, for_servers, hashes, pool_of, replaced, table_line, with_option,
    with_timeout,
)  # fmt: skip
from .guess import Candidate, server_lines, server_setting
from .reader import seconds
from .remedies_users import short_wait

_SPEAKS = ("option tcp-check", "tcp-check connect linger", "tcp-check send-binary 030000130ee000000000000100080003000000",
           "tcp-check expect binary 0300")  # fmt: skip


def with_checks(one: Candidate) -> Iterator[Change]:
    """Health checks at all."""
    for line in server_lines(one):
        if line.words[1] in one.farm.unchecked:
            yield replaced(line, f"{line.text} check", "the product does not check this server")


def refused(one: Candidate) -> Iterator[Change]:
    yield from with_checks(one)
    if hashes(one) and not follows(one):
        balance = balance_line(one)
        yield replaced(balance, "balance leastconn", "a retry hashes to the dead server again")
        if balance.words[1].startswith("rdp-cookie"):
            yield added(pool_of(one), TABLE, STICK, why="the table takes the hash's place")
    line = pool_of(one).option("redispatch")
    if line is None:
        yield added(pool_of(one), "option redispatch 1", why="without it every retry goes to the same server")
    yield from detection(one)


def detection(one: Candidate, **more: str) -> Iterator[Change]:
    """Settings of the servers that bring detection below its ceiling, and `more` (with - for _)."""
    settings = {word.replace("_", "-"): value for word, value in more.items()}
    check = one.get("declares.health_check")
    if check and check["fall"] * (check["inter"] + check["timeout"]) > DETECTION_CEILING:
        settings = {"inter": "2s", **({"fall": "3"} if check["fall"] > 3 else {}), **settings}
        yield from for_servers(one, settings, f"a dead server is to be known within {DETECTION_CEILING:g} s")
    elif settings:
        yield from for_servers(one, settings)


def dark(one: Candidate) -> Iterator[Change]:
    yield from with_checks(one)
    yield from with_timeout(one, "connect", "3s", 3.0, "one attempt at a dark server takes this long")
    yield from with_option(one, "redispatch 1", "the next attempt is to go elsewhere")
    retries = pool_of(one).find("retries")
    if retries and retries.words[1:] == ("0",):
        yield replaced(retries, "retries 3")
    check = one.get("declares.health_check")
    if check and pool_of(one).find("timeout", "check") is None and check["inter"] > 2:
        yield added(pool_of(one), "timeout check 2s", why="a silent server is to fail its check")
    yield from detection(one)


def hung(one: Candidate) -> Iterator[Change]:
    yield from with_checks(one)
    check = one.get("declares.health_check")
    if not check or check["kind"] == "tcp":
        yield added(pool_of(one), *_SPEAKS, why="a check that only connects is answered by a hung server's kernel")
    yield from detection(one)


def polite(one: Candidate) -> Iterator[Change]:
    for line in (line for name in ("httpchk", "ssl-hello-chk") if (line := pool_of(one).option(name))):
        yield replaced(line, "option tcp-check", "the terminal server speaks RDP")
    for line in (line for line in pool_of(one).all("tcp-check", "connect") if "linger" not in line.words):
        yield replaced(line, f"{line.text} linger")


def cut(one: Candidate) -> Iterator[Change]:
    yield from with_checks(one)
    missing = server_setting(one, "on-marked-down")[0] != "shutdown-sessions"
    yield from detection(one, **({"on_marked_down": "shutdown-sessions"} if missing else {}))


def returning(one: Candidate) -> Iterator[Change]:
    yield from with_checks(one)
    rises = [rise for _, rise in one.farm.check_counts.values()]
    yield from detection(one, **({"rise": "2"} if rises and min(rises) < 2 else {}))


def none_left(one: Candidate) -> Iterator[Change]:
    yield from with_checks(one)
    line = pool_of(one).find("timeout", "queue")
    if line is not None and len(line.words) > 2 and (seconds(line.words[2]) or 0) > 1:
        yield replaced(line, "timeout queue 1s")
    yield from detection(one)
    yield from short_wait(2.0)(one)


def reload(one: Candidate) -> Iterator[Change]:
    table = table_line(one)
    if table and table.value("peers") is None:
        yield replaced(table, f"{table.text} peers local", "with a section `peers local` that holds this machine alone")


def keepalive(one: Candidate) -> Iterator[Change]:
    section = pool_of(one)
    missing = [f"{word} {value}" for word, value in (("clitcpka-idle", "5m"), ("clitcpka-intvl", "30s"), ("srvtcpka-idle", "5m"),
                                                     ("srvtcpka-intvl", "30s")) if one.find(word) is None]  # fmt: skip
    if section.option("tcpka") is None:
        missing.insert(0, "option tcpka")
    if missing:
        target = section if section.kind == "listen" or section.defaults is None else section.defaults
        yield added(target, *missing)
