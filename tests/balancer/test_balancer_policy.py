"""Decisions without sockets: table, hash, balancing, and when a moved user goes home."""

import pytest

from lbcert.balancer import parse
from lbcert.balancer.address import Address
from lbcert.balancer.defects import policy_for
from lbcert.balancer.opening import NOTHING, read_opening
from lbcert.balancer.server import Server
from lbcert.wire import CR_VECTORS, MALFORMED_VECTORS

BASE = 'mode: ideal\nlisten: ["192.0.2.9:1"]\nservers: {a: "192.0.2.1:1", b: "192.0.2.2:1", c: "192.0.2.3:1"}\n'


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def make():
    def make(extra=""):
        config = parse(BASE + extra, "test.yaml")
        clock = Clock()
        servers = [Server(name, address) for name, address in config.servers.items()]
        policy = policy_for(config, servers, clock)
        policy.clock = clock
        return policy, *servers

    return make


def names(servers):
    return "".join(server.name for server in servers)


def test_round_robin_skips_servers_that_are_down(make):
    policy, a, b, c = make()
    assert names(policy.balance() for _ in range(4)) == "abca"
    b.up = False
    assert names(policy.balance() for _ in range(4)) == "caca"


def test_least_connections_takes_the_least_loaded_and_turns_among_equals(make):
    policy, a, b, c = make("balance: leastconn\n")
    assert names(policy.balance() for _ in range(3)) == "abc"
    a.load, b.load, c.load = 2, 1, 2
    assert names(policy.balance() for _ in range(2)) == "bb"


def test_nobody_up_is_nobody(make):
    policy, *servers = make()
    for server in servers:
        server.up = False
    assert policy.first(None) is None
    assert policy.first(b"bob") is None
    assert policy.after_failure(b"bob", servers) is None


def test_two_first_connections_of_a_user_agree_before_either_stands(make):
    policy, *_ = make()
    assert policy.first(b"bob") is policy.first(b"bob")


def test_an_entry_is_rewritten_on_redispatch(make):
    policy, a, b, c = make()
    assert policy.first(b"bob") is a
    assert policy.after_failure(b"bob", [a]) is b
    assert policy.first(b"bob") is b


def test_a_user_whose_first_attempt_failed_is_at_home_where_served(make):
    policy, a, b, c = make("persistence: {returns_after_recovery: true}\n")
    policy.first(b"bob")
    assert policy.after_failure(b"bob", [a]) is b
    policy.served(b"bob", b)
    a.proved_at = policy.clock.now = 1.0
    assert policy.first(b"bob") is b


@pytest.mark.parametrize("returns, then", [("true", "a"), ("false", "b")])
def test_a_moved_user_follows_the_declared_rule(make, returns, then):
    policy, a, b, c = make(f"persistence: {{returns_after_recovery: {returns}}}\n")
    policy.served(b"bob", policy.first(b"bob"))
    a.up = False
    policy.clock.now = 1.0
    assert policy.first(b"bob") is b
    a.up, a.proved_at = True, 2.0
    assert policy.first(b"bob").name == then


def test_home_must_have_passed_a_check_since_the_move(make):
    policy, a, b, c = make("persistence: {returns_after_recovery: true}\n")
    policy.served(b"bob", policy.first(b"bob"))
    a.proved_at, policy.clock.now = 0.5, 1.0
    assert policy.after_failure(b"bob", [a]) is b
    assert policy.first(b"bob") is b, "the server refused bob and still counts as up"
    a.proved_at = 1.5
    assert policy.first(b"bob") is a


def test_a_hash_moves_only_the_dead_servers_users_and_takes_them_back(make):
    policy, a, b, c = make("persistence: {method: hash}\n")
    users = [b"user%d" % n for n in range(300)]
    before = {user: policy.first(user) for user in users}
    assert {server.name: sum(s is server for s in before.values()) > 60 for server in (a, b, c)} == dict.fromkeys("abc", True)
    a.up = False
    during = {user: policy.first(user) for user in users}
    assert all(during[user] is before[user] for user in users if before[user] is not a)
    assert {during[user] for user in users if before[user] is a} == {b, c}
    a.up = True
    assert {user: policy.first(user) for user in users} == before


def test_an_unused_entry_expires_and_a_used_one_does_not(make):
    policy, a, b, c = make("persistence: {timer: 10}\n")
    policy.served(b"bob", policy.first(b"bob"))
    policy.clock.now = 100.0
    assert policy.first(b"bob") is a
    policy.left(b"bob")
    policy.clock.now = 110.0
    assert policy.first(b"bob") is a
    policy.clock.now = 110.5
    assert policy.first(b"bob") is b


@pytest.mark.parametrize(
    "vector, user",
    [
        ("CR-01", b"jsmith"), ("CR-02", b"jsmith"), ("CR-03", None), ("CR-04", None), ("CR-05", None),
        ("CR-08", None), ("CR-09", b"jsmith"), ("CR-10", None), ("CR-11", b"u" * 221), ("CR-14", b"eltons"),
    ],
)
def test_keys_of_the_vectors(make, vector, user):
    policy, *_ = make()
    assert policy.key(policy.read(CR_VECTORS[vector]), Address("192.0.2.50", 40000)) == user


@pytest.mark.parametrize("vector, user", [("M-05", None), ("M-07", None), ("M-08", None), ("M-09", b"jsmith"), ("M-10", b"jsmith")])
def test_what_is_malformed_or_nameless_is_no_key(vector, user):
    assert read_opening(MALFORMED_VECTORS[vector]).user == user


def test_an_incomplete_request_is_waited_for():
    data = CR_VECTORS["CR-01"]
    assert [length for length in range(len(data) + 1) if read_opening(data[:length]) is not None] == [len(data)]
    assert read_opening(b"GET / HTTP/1.0") is NOTHING
