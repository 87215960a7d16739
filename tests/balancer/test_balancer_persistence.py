"""A user stays on one server."""


def test_users_are_spread_and_stay(rig):
    rig = rig()
    homes = {user: rig.visit(user) for user in (f"user{n}" for n in range(30))}
    assert sorted(homes.values()).count("ts1") == 10
    order = sorted(homes, reverse=True) + sorted(homes, key=lambda user: user[::-1])
    assert all(rig.visit(user) == homes[user] for user in order)


def test_a_user_is_followed_across_addresses(rig):
    rig = rig()
    home = rig.visit("bob")
    sources = [f"127.0.0.{n}" for n in range(2, 7)]
    assert [rig.visit("bob", source) for source in sources] == [home] * 5


def test_names_are_compared_whole(rig):
    rig = rig()
    users = ["x" * 39 + letter for letter in "abc"]
    assert {rig.visit(user) for user in users} == {"ts1", "ts2", "ts3"}


def test_a_hash_needs_no_memory(rig):
    rig = rig(persistence={"method": "hash"})
    homes = {user: rig.visit(user) for user in (f"user{n}" for n in range(40))}
    assert set(homes.values()) == {"ts1", "ts2", "ts3"}
    assert all(rig.visit(user) == home for user, home in homes.items())


def test_least_connections_evens_out_held_sessions(rig):
    rig = rig(balance="leastconn")
    held = [rig.open(f"user{n}") for n in range(6)]
    freed = held[0].server
    seen = rig.wait_seen(freed, b"user0")
    held[0].close()
    rig.wait("the end at the server", lambda: seen.ended)
    assert rig.open("new").server == freed
    for session in held:
        session.close()
