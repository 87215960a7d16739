"""Several ports before one pool: ports kept, one table, and what is passed on; all with key source."""

import socket
import threading

import pytest

from balancer_rig import PATIENCE, RST, receive


def test_each_port_is_kept_and_the_server_may_speak_first(pool):
    p = pool()
    for port in p.ports:
        assert p.at(1, port).port == port


def test_all_ports_of_a_client_are_on_one_front_end_and_clients_are_spread(pool):
    p = pool()
    held = [p.at(client, port) for client in range(6) for port in p.ports]
    homes = [{session.server for session in held[n * 4 : n * 4 + 4]} for n in range(6)]
    assert all(len(home) == 1 for home in homes)
    assert sorted(home for each in homes for home in each) == ["fe1", "fe1", "fe2", "fe2", "fe3", "fe3"]


def test_first_connections_at_one_moment_agree(pool):
    p = pool()
    for client in range(10):
        servers, gate = [], threading.Barrier(len(p.ports))

        def one(port):
            gate.wait()
            servers.append(p.at(client, port).server)

        threads = [threading.Thread(target=one, args=(port,)) for port in p.ports]
        [thread.start() for thread in threads], [thread.join() for thread in threads]
        assert len(servers) == 4 and len(set(servers)) == 1


def test_whatever_comes_first_passes_as_it_is(pool):
    p = pool()
    session = p.at(1)
    for data in (b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"\x05\x00\x0b\x03", b"REGISTER sip:a SIP/2.0\r\n"):
        assert session.echo(data) == data


def test_a_client_is_known_by_its_address_until_its_time_is_over(pool):
    p = pool(persistence={"key": "source", "timer": 0.3})
    for client in range(1, 4):
        assert len({p.home(client, port) for port in p.ports}) == 1
    kept = p.at(1)
    threading.Event().wait(0.4)
    assert p.home(1) == kept.server, "a live session keeps the entry"


def test_a_dead_check_port_takes_the_whole_front_end_out(pool):
    p = pool()
    held = {client: p.at(client) for client in range(3)}
    home = held[0].server
    p.kill(home, p.ports[-2])
    p.wait_state(home, "DOWN")
    assert held[0].ending() == "rst"
    assert held[1].echo() == b"ping" and held[2].echo() == b"ping"
    moved = {p.home(0, port) for port in p.ports[:2]}
    assert len(moved) == 1 and home not in moved
    p.revive(home, p.ports[-2])
    p.wait_state(home, "UP")
    assert {p.home(0, port) for port in p.ports} == moved


def test_ports_move_together_before_the_check_has_noticed(pool):
    p = pool(health_check={"inter": 60})
    homes = {client: p.home(client) for client in range(6)}
    p.kill("fe2")
    for client, home in homes.items():
        now = {p.home(client, port) for port in p.ports}
        assert len(now) == 1 and "fe2" not in now
        assert home == "fe2" or now == {home}


def test_a_hung_front_end_is_noticed_by_options(pool):
    p = pool(health_check={"kind": "sip", "timeout": 0.1})
    asked = p.servers[f"fe1:{p.ports[-1]}"].connections
    p.wait("fe1 is asked", lambda: sum(seen.received.startswith(b"OPTIONS ") for seen in asked) > 4)
    assert not any(" DOWN:" in line for line in p.log)
    p.servers[f"fe3:{p.ports[-1]}"].answer = "silent"
    p.wait_state("fe3", "DOWN")
    assert not any("fe1 DOWN:" in line for line in p.log)


def test_a_returned_front_end_gets_new_clients_first(pool):
    p = pool()
    p.kill("fe1")
    p.wait_state("fe1", "DOWN")
    held = [p.at(client) for client in range(6)]
    assert "fe1" not in {session.server for session in held}
    p.revive("fe1")
    p.wait_state("fe1", "UP")
    assert [p.at(client).server for client in (6, 7, 8)] == ["fe1"] * 3


def test_the_fallback_serves_only_while_nobody_else_does(pool):
    p = pool(fallback=True)
    homes = [p.home(client) for client in range(3)]
    assert "fallback" not in homes
    for name in ("fe1", "fe2", "fe3"):
        p.kill(name)
        p.wait_state(name, "DOWN")
    assert {p.home(client, port) for client in range(4) for port in p.ports} == {"fallback"}
    p.revive("fe2")
    p.wait_state("fe2", "UP")
    assert {p.home(client, port) for client in range(5) for port in p.ports} == {"fe2"}


def test_both_ends_of_a_silent_session_are_told(pool):
    p = pool(idle_timeout=0.3)
    session = p.at(1)
    seen = p.servers[f"{session.server}:{p.ports[0]}"].connections[-1]
    assert session.ending() == "fin"
    assert p.wait("the server is told", lambda: seen.ended) == "fin"


@pytest.mark.parametrize("side", ["client", "server"])
def test_either_side_keeps_a_session_alive(pool, side):
    p = pool(idle_timeout=0.8)
    session = p.at(1)
    server = p.servers[f"{session.server}:{p.ports[0]}"]
    server.answer = "silent"
    seen = next(seen for seen in server.connections if not seen.ended)
    pause = threading.Event()
    for _ in range(10):
        pause.wait(0.1)
        if side == "client":
            session.sock.sendall(b"\r\n\r\n")
        else:
            p.loop.call_soon_threadsafe(seen.transport.write, b"ping")
            assert receive(session.sock, 4) == b"ping"
    assert seen.ended is None


def test_a_reset_is_passed_on(pool):
    p = pool()
    session = p.at(1)
    seen = p.servers[f"{session.server}:{p.ports[0]}"].connections[-1]
    session.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
    session.close()
    assert p.wait("the server is told", lambda: seen.ended) == "rst"


def test_a_connection_that_comes_about_late_goes_where_the_others_have_gone(pool):
    p = pool(connect_timeout=4, health_check={"inter": 60})
    assert p.home(1) == "fe1"
    refusing, slow = p.ports[:2]
    p.servers[f"fe1:{slow}"].darken()
    late = p.begin(1, slow)
    p.kill("fe1", refusing)
    moved = p.home(1, refusing)
    assert moved != "fe1"
    # The SYN that comes again is answered.
    p.servers[f"fe1:{slow}"].start()
    late.settimeout(PATIENCE)
    assert late.recv(3).decode() == moved
    late.close()
