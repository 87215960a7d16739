"""A limit of connections, source addresses and ports that run out, and the statistics page."""

import contextlib
import socket
import time

import pytest
from pool_rig import OWN_PORTS, ask_page

from balancer_rig import PATIENCE


def test_more_than_maxconn_wait_and_harm_nobody(pool):
    p = pool(maxconn=3)
    held = [p.at(client) for client in range(3)]
    waiting = p.begin(3, p.ports[1])
    waiting.settimeout(0.3)
    with pytest.raises(TimeoutError):
        waiting.recv(1)
    assert all(session.echo() == b"ping" for session in held)
    held[1].close()
    waiting.settimeout(PATIENCE)
    assert waiting.recv(2) == b"fe"
    waiting.close()
    assert all(p.at(client).server for client in (4,))


def test_maxconn_counts_who_goes_in_any_way(pool):
    p = pool(maxconn=2)
    for number in range(10):
        session = p.at(number % 3)
        session.close() if number % 2 else session.abort()
    assert [p.at(client).echo() for client in (1, 2)] == [b"ping"] * 2


@pytest.mark.parametrize("addresses, room", [(["NET.20"], 8), (["NET.20", "NET.21"], 16)])
def test_ports_that_run_out_refuse_the_newcomer_alone(pool, addresses, room):
    first = OWN_PORTS[0]
    p = pool(source_addresses=addresses, source_ports=f"{first}-{first + 7}", health_check={"inter": 60})
    held = [p.at(1) for _ in range(room)]
    home = held[0].server
    sources = {seen.peer for seen in p.servers[f"{home}:{p.ports[0]}"].connections if not seen.ended}
    assert len(sources) == room and {host for host, _ in sources} == {each.replace("NET", p.net) for each in addresses}
    with pytest.raises(ConnectionResetError):
        p.begin(1).recv(1)
    assert all(session.echo() == b"ping" for session in held)
    assert p.home(1, p.ports[1]) == home, "the client stays where it is, and a port serves another destination"
    held.pop().close()
    # The server may know of the end before the balancer's port is free.
    deadline = time.monotonic() + PATIENCE
    while True:
        with contextlib.suppress(ConnectionResetError):
            assert p.home(1) == home
            break
        assert time.monotonic() < deadline


def test_source_address_without_ports(pool):
    p = pool(source_addresses=["NET.33"])
    session = p.at(1)
    seen = [s for s in p.servers[f"{session.server}:{p.ports[0]}"].connections if not s.ended]
    assert seen[-1].peer[0] == f"{p.net}.33"


@pytest.fixture
def page(pool):
    port = OWN_PORTS[0]
    p = pool(stats={"listen": f"NET.20:{port}", "user": "admin", "password": "s3:cret"}, fallback=True)
    return lambda *arguments, **more: ask_page(p.host, port, *arguments, **more)


def test_the_statistics_page_shows_the_servers_to_who_knows_the_password(page):
    status, text = page("admin:s3:cret")
    assert status == 200 and all(f"<td>{name}</td>" in text for name in ("fe1", "fe2", "fe3", "fallback", "UP", "backup"))


@pytest.mark.parametrize("credentials", [None, "", "admin", "admin:", "admin:wrong", "Admin:s3:cret", ":s3:cret"])
def test_the_statistics_page_is_for_nobody_else(page, credentials):
    status, text = page(credentials)
    assert status == 401 and "WWW-Authenticate: Basic realm=" in text and "fe1" not in text


REQUESTS = {
    "post": ("POST / HTTP/1.1", 405), "no http": ("GET /", 400), "head": ("HEAD / HTTP/1.1", 200), "long": ("GET /" + "x" * 9000, 400),
}  # fmt: skip


@pytest.mark.parametrize("line, status", REQUESTS.values(), ids=REQUESTS)
def test_requests_to_the_statistics_page(page, line, status):
    assert page("admin:s3:cret", line)[0] == status


def test_a_silent_visitor_of_the_page_keeps_nobody_waiting(pool):
    port = OWN_PORTS[0]
    p = pool(stats={"listen": f"NET.20:{port}", "user": "admin", "password": "x"})
    with socket.create_connection((p.host, port)):
        assert ask_page(p.host, port, "admin:x")[0] == 200 and p.at(1).echo() == b"ping"
