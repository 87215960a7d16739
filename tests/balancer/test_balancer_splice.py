"""Two connections become one: bytes, back-pressure, FIN and RST, over both families."""

import socket
import threading

import pytest
from balancer_rig import request


def test_megabytes_go_both_ways_with_a_slow_reader(rig):
    rig = rig()
    session = rig.open("bob")
    data = bytes(range(256)) * 32768
    writer = threading.Thread(target=session.sock.sendall, args=(data,))
    writer.start()
    # Until the buffers on the way are full, the client reads nothing: the balancer must stop reading, not swallow it.
    seen = rig.wait_seen(session.server, b"bob")
    rig.wait("the server got something", lambda: len(seen.received) > 200_000)
    back = bytearray()
    while len(back) < len(data):
        back += session.sock.recv(65536)
    writer.join()
    assert back == data


def test_a_stopped_reader_stops_the_sender(rig):
    rig = rig()
    session = rig.open("bob")
    seen = rig.wait_seen(session.server, b"bob")
    rig.loop.call_soon_threadsafe(seen.transport.pause_reading)
    session.sock.settimeout(1.0)
    sent = 0
    with pytest.raises(socket.timeout):
        while sent < 256 << 20:
            sent += session.sock.send(bytes(65536))
    assert sent < 64 << 20
    assert memory(rig.pid) < 64 << 10, "the balancer keeps what its reader does not take"


def test_a_flood_behind_the_request_is_held_back_too(rig):
    """The first write towards a server can be more than its socket takes, and comes before the splice has settled."""
    rig = rig(health_check={"kind": "tcp"})
    for server in rig.servers.values():
        server.deaf = True
    with rig.connect() as sock:
        sock.settimeout(1.0)
        flood = request("bob") + bytes(128 << 20)
        with pytest.raises(socket.timeout):
            sock.sendall(flood)
    assert memory(rig.pid) < 64 << 10


def test_a_client_may_end_its_direction_first(rig):
    rig = rig()
    for server in rig.servers.values():
        server.keeps_half_open = True
    session = rig.open("bob")
    session.sock.sendall(b"last words")
    session.sock.shutdown(socket.SHUT_WR)
    seen = rig.wait_seen(session.server, b"bob")
    rig.wait("FIN at the server", lambda: seen.ended == "fin")
    assert session.sock.recv(65536) == b"last words"
    rig.loop.call_soon_threadsafe(seen.transport.write, b"answer after your end")
    assert session.sock.recv(65536) == b"answer after your end"
    rig.loop.call_soon_threadsafe(seen.transport.close)
    assert session.ending() == "fin"


def test_a_server_may_end_its_direction_first(rig):
    rig = rig()
    session = rig.open("bob")
    seen = rig.wait_seen(session.server, b"bob")
    rig.loop.call_soon_threadsafe(seen.finish)
    assert session.ending() == "fin"
    session.sock.sendall(b"answer after your end")
    rig.wait("the client's bytes", lambda: seen.received.endswith(b"answer after your end"))
    session.close()
    rig.wait("FIN at the server", lambda: seen.ended == "fin")


def test_a_clients_reset_reaches_the_server(rig):
    rig = rig()
    session = rig.open("bob")
    seen = rig.wait_seen(session.server, b"bob")
    session.abort()
    rig.wait("RST at the server", lambda: seen.ended == "rst")


def test_a_servers_reset_reaches_the_client(rig):
    rig = rig()
    session = rig.open("bob")
    seen = rig.wait_seen(session.server, b"bob")

    def abort():
        seen.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        seen.transport.abort()

    rig.loop.call_soon_threadsafe(abort)
    assert session.ending() == "rst"


def test_ipv6_on_both_sides(rig):
    rig = rig(host="::1")
    home = rig.visit("bob")
    rig.visit("eve")
    assert rig.visit("bob") == home
    rig.servers[home].kill()
    rig.wait_state(home, "DOWN")
    assert rig.visit("bob") != home


def test_two_hundred_sessions_at_once(rig):
    rig = rig()
    sessions = [rig.open(f"user{n}") for n in range(200)]
    assert all(session.echo(b"%d" % n) == b"%d" % n for n, session in enumerate(sessions))
    for session in sessions:
        session.close()


def test_what_a_client_sends_while_its_server_is_sought_is_kept(rig):
    rig = rig(connect_timeout=0.2)
    home = rig.visit("bob")
    rig.servers[home].darken()
    with rig.connect() as sock:
        sock.sendall(request("bob"))
        sock.sendall(b"more")
        got = b""
        while len(got) < 15:
            got += sock.recv(15)
        assert got[11:] == b"more"


def memory(pid):
    """kB that a process occupies."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
