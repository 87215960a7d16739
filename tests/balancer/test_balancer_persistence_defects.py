"""The table's lifetime and size, names that name nobody, the choice for new users: as they should be, and each switch."""

import pytest

from lbcert.balancer import parse
from lbcert.balancer.address import Address
from lbcert.balancer.config import ConfigError
from lbcert.balancer.defects import policy_for
from lbcert.balancer.opening import read_opening
from lbcert.balancer.server import Server
from lbcert.wire import CR_VECTORS, ConnectionRequest

BASE = 'mode: ideal\nlisten: ["192.0.2.9:1"]\nservers: {a: "192.0.2.1:1", b: "192.0.2.2:1", c: "192.0.2.3:1"}\n'


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def make():
    def make(persistence="{}", defects=None, balance="roundrobin"):
        text = f"{BASE}balance: {balance}\npersistence: {persistence}\n"
        switch = ", ".join(f"{name}: {str(value).lower()}" for name, value in (defects or {}).items())
        config = parse(f"{text}defects: {{{switch}}}\n", "test.yaml")
        clock = Clock()
        policy = policy_for(config, [Server(name, address) for name, address in config.servers.items()], clock)
        return policy, clock

    return make


def come(policy, user):
    """A session begins; the server that has it."""
    server = policy.first(user)
    if server is not None:
        policy.served(user, server)
    return server


def visit(policy, user):
    server = come(policy, user)
    policy.left(user)
    return server


def remembered(policy, user, server):
    """Whether `user` is still sent to `server`, told by the entry: a new one could be there by chance."""
    entry = policy.table.get(user)
    return entry is not None and entry.server is server


# -- how long an entry lives: seconds after which the user is asked for, and whether it is still known


LIVES = {
    "as it should": ({}, 3.9, True, 3.9, True),
    "in session": ({"expire-in-session": True}, 3.9, True, 3.9, True),
    "from creation": ({"expire-from-creation": True}, 3.9, True, 3.9, False),
    "early": ({"expire-early": 0.5}, 1.9, True, 2.1, False),
}


@pytest.mark.parametrize("defects, first, known, second, still", LIVES.values(), ids=LIVES.keys())
def test_lifetime_of_users_who_come_and_go(make, defects, first, known, second, still):
    policy, clock = make("{timer: 4}", defects)
    home = visit(policy, b"bob")
    clock.now += first
    assert remembered(policy, b"bob", home) is known
    visit(policy, b"bob")
    clock.now += second
    assert remembered(policy, b"bob", home) is still


@pytest.mark.parametrize(
    "defects, known",
    [({}, True), ({"expire-in-session": True}, False), ({"expire-from-creation": True}, False), ({"expire-early": 0.5}, True)],
    ids=["as it should", "in session", "from creation", "early"],
)
def test_lifetime_after_a_long_session(make, defects, known):
    policy, clock = make("{timer: 4}", defects)
    home = come(policy, b"bob")
    clock.now += 6
    policy.left(b"bob")
    assert remembered(policy, b"bob", home) is known


def test_nobody_is_forgotten_without_a_timer(make):
    for defects in ({}, {"expire-in-session": True}, {"expire-from-creation": True}, {"expire-early": 0.5}):
        policy, clock = make("{timer: none}", defects)
        home = visit(policy, b"bob")
        clock.now += 1e6
        assert remembered(policy, b"bob", home)


# -- a full table


def test_a_full_table_forgets_who_was_there_longest_ago(make):
    policy, _ = make("{size: 3}")
    for user in (b"u1", b"u2", b"u3", b"u1", b"u4"):
        assert visit(policy, user) is not None
    assert [policy.table.get(user) is not None for user in (b"u1", b"u2", b"u3", b"u4")] == [True, False, True, True]


def test_a_full_table_keeps_who_is_connected(make):
    policy, _ = make("{size: 2}")
    home = come(policy, b"held")
    for user in (b"u1", b"u2", b"u3"):
        visit(policy, user)
    assert remembered(policy, b"held", home) and policy.table.get(b"u2") is None
    come(policy, b"u4"), come(policy, b"u5")
    assert len(policy.table) == 2, "nobody is idle, and still there is room for two only"


@pytest.mark.parametrize("how, served", [("refuses", False), ("keeps-oldest", True)])
def test_full_table(make, how, served):
    policy, _ = make("{size: 2}", {"full-table": how})
    homes = {user: visit(policy, user) for user in (b"u1", b"u2")}
    assert (visit(policy, b"u3") is not None) is served
    assert policy.table.get(b"u3") is None
    assert all(visit(policy, user) is home for user, home in homes.items())
    assert (policy.after_failure(b"u3", policy.servers[:1]) is not None) is served


def test_size_is_for_tables():
    with pytest.raises(ConfigError, match="a hash keeps nothing that could fill up"):
        parse(BASE + "persistence: {method: hash, size: 3}\n", "test.yaml")


def test_late_entry(make):
    policy, _ = make(defects={"late-entry": True})
    first, second = policy.first(b"bob"), policy.first(b"bob")
    assert first is not second
    policy.served(b"bob", first), policy.served(b"bob", second)
    assert policy.first(b"bob") is first
    assert policy.after_failure(b"new", [first]) is not first


# -- who has no name


def key(policy, cookie, host="192.0.2.77"):
    request = CR_VECTORS["CR-03"] if cookie is None else ConnectionRequest(cookie=cookie).encode()
    return policy.key(read_opening(request), Address(host, 1))


def test_keys_as_they_should_be(make):
    policy, _ = make()
    assert key(policy, b"DOM\\bob") == b"DOM\\bob"
    assert [key(policy, cookie) for cookie in (b"", b"MYDOMAIN\\", None)] == [None] * 3


NAMES = {
    "empty": ({"empty-name-is-a-user": True}, b""),
    "domain": ({"domain-is-a-user": True}, b"MYDOMAIN\\"),
    "source": ({"nameless-by-source": True}, None),
}


@pytest.mark.parametrize("defects, cookie", NAMES.values(), ids=NAMES.keys())
def test_one_kind_of_nameless_client_gets_a_key(make, defects, cookie):
    policy, _ = make(defects=defects)
    others = [each for _, each in NAMES.values() if each != cookie]
    assert key(policy, cookie) is not None
    assert key(policy, b"bob") == b"bob" and [key(policy, other) for other in others] == [None, None]


def test_nameless_by_source(make):
    policy, _ = make(defects={"nameless-by-source": True})
    assert key(policy, None, "192.0.2.77") == key(policy, None, "192.0.2.77") != key(policy, None, "192.0.2.78")


def test_nameless_to_first(make):
    policy, _ = make(defects={"nameless-to-first": True})
    assert {policy.first(key(policy, None)).name for _ in range(3)} == {"a"}
    policy.servers[0].up = False
    assert policy.first(key(policy, None)).name == "b"
    policy.servers[0].up = True
    assert {policy.first(key(policy, b"")).name for _ in range(3)} == {"a", "b", "c"}


# -- who is new


@pytest.mark.parametrize("defects", [{"ignore-load": True}, {"count-comers": True}], ids=["ignore-load", "count-comers"])
def test_choices_that_do_not_see_the_load(make, defects):
    policy, _ = make(defects=defects, balance="leastconn")
    policy.servers[0].load = policy.servers[1].load = 20
    assert sorted(visit(policy, f"u{number}".encode()).name for number in range(9)) == list("aaabbbccc")


def test_count_comers_leaves_out_servers_that_cannot_serve(make):
    policy, _ = make(defects={"count-comers": True}, balance="leastconn")
    a, b, c = policy.servers
    b.up = False
    assert policy.balance([a]) is c
    c.up = False
    assert policy.balance([a]) is None
