"""The switches about live sessions and the administrator, each beside the balancer without it."""

import time

import pytest
from balancer_rig import PATIENCE, ask_control, keepalive_due

FAST = {"inter": 0.03, "fall": 2, "rise": 2, "timeout": 0.2}


@pytest.fixture
def administered(rig, tmp_path):
    """A balancer with a control socket, and a function that gives it orders."""

    def start(**config):
        path = str(tmp_path / "control.sock")
        made = rig(control=path, **config)
        return made, lambda order: ask_control(path, order)

    return start


def held(rig, count):
    """Sessions of as many users, in turn on ts1, ts2, ts3."""
    return [rig.open(f"user{number}") for number in range(count)]


def gone(rig, session):
    """How the server saw the end of a session; None while it has not."""
    seen = next(s for s in rig.servers[session.server].connections if s.peer is not None and session.user in s.received)
    return seen.ended


@pytest.mark.parametrize("passed", [True, False])
def test_server_close_not_passed(rig, passed):
    rig = rig(defects={} if passed else {"server-close-not-passed": True})
    session = rig.open("ann")
    rig.loop.call_soon_threadsafe(rig.servers[session.server].users[-1].transport.close)
    if passed:
        assert session.ending() == "fin"
    else:
        with pytest.raises(TimeoutError):
            session.sock.settimeout(0.3)
            session.sock.recv(1)


def sessions(rig, *users):
    made = []
    for user in users:
        session = rig.open(user)
        session.user = user.encode()
        made.append(session)
    return made


# -- a client that goes away


@pytest.mark.parametrize("leave", ["close", "abort"])
def test_a_client_that_goes_is_told_of_at_once(rig, leave):
    rig = rig()
    (session,) = sessions(rig, "anna")
    getattr(session, leave)()
    rig.wait("its end at the server", lambda: gone(rig, session), 0.5)


def test_close_not_passed_every(rig):
    rig = rig(defects={"close-not-passed-every": 2})
    first, second, third, fourth, fifth = sessions(rig, "anna", "berta", "clara", "dora", "emma")
    first.close()
    rig.wait("the first", lambda: gone(rig, first))
    second.abort()
    # Later ones are seen to come through: the others have had their time.
    third.abort()
    rig.wait("the third", lambda: gone(rig, third))
    fourth.close()
    fifth.close()
    rig.wait("the fifth", lambda: gone(rig, fifth))
    assert (gone(rig, second), gone(rig, fourth)) == (None, None)


@pytest.mark.parametrize("leave", ["close", "abort"])
def test_close_passed_late(rig, leave):
    rig = rig(defects={"close-passed-late": 0.6})
    (session,) = sessions(rig, "anna")
    left = time.monotonic()
    getattr(session, leave)()
    rig.wait("its end at the server", lambda: gone(rig, session))
    assert time.monotonic() - left > 0.5


def test_close_passed_late_to_a_server_that_has_gone_meanwhile(rig):
    rig = rig(defects={"close-passed-late": 0.3})
    first, second = sessions(rig, "anna", "berta")
    first.close()
    rig.servers[first.server].kill()
    second.close()
    rig.wait("the second", lambda: gone(rig, second))
    assert not any("Traceback" in line for line in rig.log)


def test_reset_not_passed(rig):
    rig = rig(defects={"reset-not-passed": True})
    reset, closed = sessions(rig, "anna", "berta")
    reset.abort()
    closed.close()
    rig.wait("the other", lambda: gone(rig, closed))
    assert gone(rig, reset) is None


# -- taking a server out and putting it back


def test_drained_server_keeps_its_sessions_and_users_but_gets_no_new_one(administered):
    rig, order = administered()
    alive = held(rig, 3)
    assert order("drain ts1") == "done"
    assert {rig.visit(f"new{n}") for n in range(6)} == {"ts2", "ts3"}
    assert {rig.visit(None) for _ in range(6)} == {"ts2", "ts3"}
    assert rig.visit("user0") == "ts1"
    assert order("ready ts1") == "done"
    assert {rig.visit(f"newer{n}") for n in range(3)} == {"ts1", "ts2", "ts3"}
    assert [session.echo() for session in alive] == [b"ping"] * 3


def test_a_hash_moves_users_of_a_drained_server(administered):
    rig, order = administered(persistence={"method": "hash"})
    home = rig.visit("bob")
    order(f"drain {home}")
    assert rig.visit("bob") != home
    order(f"ready {home}")
    assert rig.visit("bob") == home


def test_null_can_be_drained(administered):
    rig, order = administered(mode="null", connect_timeout=1)
    order("drain ts1")
    assert {rig.visit("bob") for _ in range(6)} == {"ts2", "ts3"}


def test_drain_ignored(administered):
    rig, order = administered(defects={"drain-ignored": True})
    assert order("drain ts1") == "done"
    assert {rig.visit(f"new{n}") for n in range(3)} == {"ts1", "ts2", "ts3"}


def test_drain_leaks_every(administered):
    rig, order = administered(defects={"drain-leaks-every": 4})
    order("drain ts1")
    assert [rig.visit(f"new{n}") == "ts1" for n in range(9)] == [False, False, False, True] * 2 + [False]
    order("ready ts1")
    assert {rig.visit(f"newer{n}") for n in range(3)} == {"ts1", "ts2", "ts3"}


def test_drain_cuts_sessions(administered):
    rig, order = administered(defects={"drain-cuts-sessions": 0.4})
    there, elsewhere, _ = held(rig, 3)
    drained = time.monotonic()
    order("drain ts1")
    assert there.echo() == b"ping"
    assert there.ending() == "rst"
    assert time.monotonic() - drained > 0.3
    assert elsewhere.echo() == b"ping"


def test_ready_cuts_others(administered):
    rig, order = administered(defects={"ready-cuts-others": True})
    there, *others = held(rig, 3)
    order("drain ts1")
    assert [session.echo() for session in others] == [b"ping"] * 2
    order("ready ts1")
    assert [session.ending() for session in others] == ["rst"] * 2
    assert there.echo() == b"ping"


def test_ready_ignored(administered):
    rig, order = administered(defects={"ready-ignored": True})
    order("drain ts1")
    assert order("ready ts1") == "done"
    assert {rig.visit(f"new{n}") for n in range(6)} == {"ts2", "ts3"}


# -- reading the configuration again


def test_a_reload_keeps_sessions_users_and_drained_servers(administered):
    rig, order = administered()
    alive = held(rig, 6)
    order("drain ts3")
    assert order("reload") == "done"
    assert [session.echo() for session in alive] == [b"ping"] * 6
    assert [rig.visit(f"user{n}") for n in range(6)] == [session.server for session in alive]
    assert {rig.visit(f"new{n}") for n in range(4)} == {"ts1", "ts2"}


def test_reload_cuts_sessions(administered):
    rig, order = administered(defects={"reload-cuts-sessions": 0.4})
    alive = held(rig, 3)
    reloaded = time.monotonic()
    order("reload")
    assert [session.echo() for session in alive] == [b"ping"] * 3
    assert [session.ending() for session in alive] == ["rst"] * 3
    assert time.monotonic() - reloaded > 0.3


@pytest.mark.parametrize("number, kept", [(1, set()), (3, {0, 1, 3, 4, 6, 7})], ids=["all", "some"])
def test_reload_forgets_every(administered, number, kept):
    rig, order = administered(defects={"reload-forgets-every": number}, health_check=FAST)
    home = {n: rig.visit(f"user{n}") for n in range(9)}
    order("reload")
    # One that is forgotten goes to the server whose turn it is; two others in between make that another one.
    rig.visit("other")
    now = {n: rig.visit(f"user{n}") for n in range(9)}
    assert {n for n in home if home[n] == now[n]} >= kept
    assert any(home[n] != now[n] for n in set(home) - kept)


# -- keepalive


CASES = {
    "none-configured": ({}, None, None),
    "configured": ({"keepalive": 7}, 7, 7),
    "no-keepalive-at-all": ({"keepalive": 7, "defects": {"no-keepalive": "both"}}, None, None),
    "not-to-clients": ({"keepalive": 7, "defects": {"no-keepalive": "client"}}, None, 7),
    "not-to-servers": ({"keepalive": 7, "defects": {"no-keepalive": "server"}}, 7, None),
    "another-interval": ({"keepalive": 7, "defects": {"keepalive-idle": 7200}}, 7200, 7200),
}


@pytest.mark.parametrize("config, client, server", CASES.values(), ids=CASES.keys())
def test_keepalive(rig, config, client, server):
    rig = rig(**config)
    session = rig.open("anna")
    assert session.echo() == b"ping"
    seen = rig.wait_seen(session.server, b"anna")
    ends = {"client": (("127.0.0.1", rig.port), session.source),
            "server": (seen.peer, ("127.0.0.1", rig.servers[session.server].port))}  # fmt: skip
    for side, expected in (("client", client), ("server", server)):
        due = keepalive_due(*ends[side])
        assert (due is None) if expected is None else expected - PATIENCE < due <= expected, side


# -- silence

IDLE = 0.3
SILENCE = {
    "configured": ({"idle_timeout": IDLE}, IDLE, True, True),
    "early": ({"idle_timeout": 2 * IDLE, "defects": {"idle-early": 0.5}}, IDLE, True, True),
    "tells-client": ({"idle_timeout": IDLE, "defects": {"idle-tells": "client"}}, IDLE, True, False),
    "tells-server": ({"idle_timeout": IDLE, "defects": {"idle-tells": "server"}}, IDLE, False, True),
}


@pytest.mark.parametrize("config, after, client, server", SILENCE.values(), ids=SILENCE)
def test_a_silent_session_is_ended(rig, config, after, client, server):
    made = rig(**config)
    session = made.open(b"reader")
    assert session.echo() == b"ping"
    begun = time.monotonic()
    seen = made.wait_seen(session.server, b"reader")
    if server:
        made.wait("the server is told", lambda: seen.ended)
        assert 0.95 * after <= time.monotonic() - begun < PATIENCE
    if client:
        assert session.ending() == "fin"
        assert 0.95 * after <= time.monotonic() - begun < PATIENCE
    # Whoever was not told finds the connection as it was.
    if not client:
        session.sock.settimeout(0.05)
        with pytest.raises(TimeoutError):
            session.sock.recv(1)
    if not server:
        assert seen.ended is None


@pytest.mark.parametrize("config", [{}, {"idle_timeout": "none"}, {"idle_timeout": 0.05, "defects": {"idle-never": True}}],
                         ids=["by-default", "none", "never"])  # fmt: skip
def test_a_silent_session_lives(rig, config):
    made = rig(**config)
    first, second = made.open(b"reader"), made.open(b"another")
    assert first.echo() == second.echo() == b"ping"
    assert (first.sock.settimeout(0.2), first.echo()) == (None, b"ping")


def test_data_keep_a_session_from_being_idle(rig):
    session = rig(idle_timeout=0.5).open(b"writer")
    end = time.monotonic() + 1.2
    while time.monotonic() < end:
        assert session.echo() == b"ping"
    assert session.ending() == "fin"
