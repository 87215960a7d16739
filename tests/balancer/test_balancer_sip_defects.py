"""Each switch about what a SIP connection carries, its silence, what runs out, and the statistics page."""

import threading

import pytest
import yaml
from balancer_rig import drain, receive
from pool_rig import OWN_PORTS, ask_page

from lbcert.balancer import parse
from lbcert.balancer.defects import policy_for
from lbcert.balancer.opening import NOTHING, Opening

PING = b"\r\n\r\n"
REGISTER = b"REGISTER sip:example.com SIP/2.0\r\nCall-ID: A1\r\nExpires: 600\r\nCSeq: 1 REGISTER\r\n\r\nbody: X"
ANSWER = b"SIP/2.0 200 OK\r\nCall-ID: A1\r\nExpires: 600\r\n\r\n"


def seen_by(p, session):
    """The connection as the server has it."""
    return [seen for seen in p.servers[f"{session.server}:{session.port}"].connections if not seen.ended][-1]


def arrives(p, session, data, mark=b"<mark>"):
    """What the server gets for what the client sends, until a mark behind it."""
    seen = seen_by(p, session)
    session.sock.sendall(data)
    drain(session.sock)
    session.sock.sendall(mark)
    p.wait("the mark", lambda: seen.received.endswith(mark))
    return seen.received[: -len(mark)]


def comes_back(p, session, data, mark=b"<mark>"):
    """What the client gets for what the server sends."""
    seen = seen_by(p, session)

    async def write(piece):
        seen.transport.write(piece)

    for piece in (data, mark):
        p.call(write, piece)
        drain(seen.transport.get_extra_info("socket"))
    got = b""
    while not got.endswith(mark):
        got += receive(session.sock, 1)
    return got[: -len(mark)]


HEADS = {
    "via": ({"rewrite-sip": "via"}, REGISTER.replace(b"2.0\r\n", b"2.0\r\nVia: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bKbalancer\r\n", 1), ANSWER),
    "order": (
        {"rewrite-sip": "order"},
        b"REGISTER sip:example.com SIP/2.0\r\nCSeq: 1 REGISTER\r\nExpires: 600\r\nCall-ID: A1\r\n\r\nbody: X",
        b"SIP/2.0 200 OK\r\nExpires: 600\r\nCall-ID: A1\r\n\r\n",
    ),
    "case": (
        {"rewrite-sip": "case"},
        b"REGISTER sip:example.com SIP/2.0\r\ncall-id: A1\r\nexpires: 600\r\ncseq: 1 REGISTER\r\n\r\nbody: X",
        b"SIP/2.0 200 OK\r\ncall-id: A1\r\nexpires: 600\r\n\r\n",
    ),
    "expires": ({"rewrite-sip": "expires"}, REGISTER.replace(b"600", b"3599"), ANSWER.replace(b"600", b"3599")),
}  # fmt: skip


@pytest.mark.parametrize("defects, request_, answer", HEADS.values(), ids=HEADS)
def test_rewrite_sip(pool, defects, request_, answer):
    p = pool(defects=defects)
    session = p.at(1)
    seen_by(p, session)
    p.servers[f"{session.server}:{session.port}"].answer = "silent"
    assert arrives(p, session, REGISTER) == request_
    assert comes_back(p, session, ANSWER) == answer
    assert comes_back(p, session, b"GET / HTTP/1.1\r\nA: b\r\n\r\n") == b"GET / HTTP/1.1\r\nA: b\r\n\r\n"


def test_a_letter_is_spoiled_on_one_port_towards_the_client_behind_a_thousand_bytes():
    its_policy = policy(**{"spoil-on": 5069})
    spoil = its_policy.altered(Opening(port=5069), "client")
    assert spoil(b"a" * 600) + spoil(b"a" * 600) + spoil(b"a") == b"a" * 1000 + b"A" + b"a" * 200
    assert its_policy.altered(Opening(port=5069), "server") is None
    assert its_policy.altered(Opening(port=5060), "client") is None


KEEP_ALIVES = {
    # what the server sees of a ping; what the client sees of it without the server's help; of a server's pong
    "as it should": ({}, PING, b"", b"\r\n"),
    "swallowed": ({"swallow-keep-alive": True}, b"", b"", b"\r\n"),
    "answered": ({"answer-keep-alive": True}, b"", b"\r\n", b"\r\n"),
    "pong swallowed": ({"swallow-pong": True}, PING, b"", b""),
}


@pytest.mark.parametrize("defects, at_server, at_client, pong", KEEP_ALIVES.values(), ids=KEEP_ALIVES)
def test_keep_alives(pool, defects, at_server, at_client, pong):
    p = pool(defects=defects)
    session = p.at(1)
    p.servers[f"{session.server}:{session.port}"].answer = "silent"
    assert arrives(p, session, PING) == at_server
    assert comes_back(p, session, b"x") == at_client + b"x"
    assert comes_back(p, session, b"\r\n") == pong
    assert comes_back(p, session, REGISTER) == REGISTER


SILENCE = {
    # whose words of which kind keep a session from being silent
    "as it should": ({}, {("client", PING), ("client", b"words"), ("server", b"\r\n"), ("server", b"words")}),
    "unheard": ({"keep-alive-unheard": True}, {("client", b"words"), ("server", b"words")}),
    "heeds client": ({"idle-heeds": "client"}, {("client", PING), ("client", b"words")}),
    "heeds server": ({"idle-heeds": "server"}, {("server", b"\r\n"), ("server", b"words")}),
}
POOL = 'mode: ideal\nlisten: ["192.0.2.9:1"]\nservers: {a: "192.0.2.1"}\nhealth_check: {port: 1}\npersistence: {key: source}\nidle_timeout: 10\n'


def policy(now=lambda: 0.0, **defects):
    return policy_for(parse(POOL + yaml.safe_dump({"defects": defects}), "test.yaml"), [], now)


@pytest.mark.parametrize("defects, heard", SILENCE.values(), ids=SILENCE)
def test_silence(defects, heard):
    found = set()
    for side, data in SILENCE["as it should"][1]:
        hear = policy(**defects).heard(side, lambda data, side=side: found.add((side, data)))
        if hear is not None:
            hear(data)
    assert found == heard


def test_what_is_not_heard_does_not_keep_a_session(pool):
    p = pool(idle_timeout=0.3, defects={"idle-heeds": "server"})
    session = p.at(1)
    p.servers[f"{session.server}:{session.port}"].answer = "silent"
    pause = threading.Event()
    with pytest.raises(OSError):
        while True:
            session.sock.sendall(b"words")
            pause.wait(0.02)


def test_drop_after_silence():
    clock = [0.0]
    defects = {"drop-after-silence": 0.3}
    between = policy(lambda: clock[0], **defects).between(NOTHING, None, None)
    assert between.from_server(b"soon") == b"soon"
    clock[0] += 2.9
    assert between.from_client(b"words") == b"words"
    clock[0] += 3.1
    assert between.from_server(b"late") == b"" and between.from_server(b"soon") == b"soon"
    clock[0] += 3.1
    assert between.from_client(b"words") == b"words" and between.from_server(b"soon") == b"soon"


def test_sip_messages_in_turn(pool):
    p = pool(defects={"sip-messages-in-turn": True})
    session = p.at(1)
    first = session.echo(REGISTER)
    assert first == REGISTER
    session.sock.sendall(REGISTER)
    p.wait("another server gets it", lambda: any(
        REGISTER == seen.received for key, server in p.servers.items() if not key.startswith(session.server)
        for seen in server.connections
    ))  # fmt: skip
    assert receive(session.sock, 4 + len(f":{session.port}") + len(REGISTER)).endswith(REGISTER)
    assert session.echo(REGISTER) == REGISTER


def test_a_connection_without_sip_stays_where_it_is(pool):
    p = pool(defects={"sip-messages-in-turn": True})
    session = p.at(1)
    assert [session.echo(b"words") for _ in range(3)] == [b"words"] * 3


# -- what runs out


def test_maxconn_cuts_one(pool):
    p = pool(maxconn=2, defects={"maxconn-cuts-one": True})
    held = [p.at(client) for client in (1, 2)]
    assert [session.echo() for session in held] == [b"ping"] * 2
    assert p.at(3).echo() == b"ping"
    assert sorted(_is_cut(session) for session in held) == [False, True]


@pytest.mark.parametrize("defects", [{"exhausted": "cuts-one"}, {"exhausted": "holds"}], ids=["cuts-one", "holds"])
def test_exhausted(pool, defects):
    first = OWN_PORTS[0]
    p = pool(source_addresses=["NET.20"], source_ports=f"{first}-{first + 3}", health_check={"inter": 60}, defects=defects)
    held = [p.at(1) for _ in range(4)]
    assert [session.echo() for session in held] == [b"ping"] * 4
    if defects["exhausted"] == "cuts-one":
        with pytest.raises(ConnectionResetError):
            p.begin(1).recv(1)
        cut = [session for session in held if session.sock.fileno() >= 0 and _is_cut(session)]
        assert len(cut) == 1
    else:
        more = p.begin(1)
        more.settimeout(0.3)
        with pytest.raises(TimeoutError):
            more.recv(1)
        assert [session.echo() for session in held] == [b"ping"] * 4


def _is_cut(session):
    try:
        return session.echo() != b"ping"
    except OSError:
        return True


# -- the statistics page


PAGES = {
    # who sees it: nobody in particular, the right name, a well-known one, the right one
    "as it should": ({}, [401, 401, 401, 200]),
    "open": ({"stats-open": True}, [200, 200, 200, 200]),
    "any password": ({"stats-any-password": True}, [401, 200, 401, 200]),
    "defaults": ({"stats-take-defaults": True}, [401, 401, 200, 200]),
}


@pytest.mark.parametrize("defects, statuses", PAGES.values(), ids=PAGES)
def test_who_sees_the_page(pool, defects, statuses):
    port = OWN_PORTS[0]
    p = pool(stats={"listen": f"NET.20:{port}", "user": "op", "password": "x"}, defects=defects)
    asked = [ask_page(p.host, port, who)[0] for who in (None, "op:", "loadbalancer:loadbalancer", "op:x")]
    assert asked == statuses


def test_stats_also_on(pool):
    port, other, *_ = OWN_PORTS
    defects = {"stats-also-on": other}
    p = pool(stats={"listen": f"NET.21:{port}", "user": "op", "password": "x"}, defects=defects)
    assert ask_page(p.host, other, "op:x")[0] == 200 and ask_page(f"{p.net}.21", port)[0] == 401
