"""The model by itself: who is right where, as declared; what it forbids, and what it must let pass."""

import pytest

from lbcert.dut_model import Declares
from lbcert.explore.model import Model

SERVERS = ("ts1", "ts2", "ts3")
TABLE = {"key": "rdp-cookie", "timer": "none", "size": 10000, "returns_after_recovery": False}
RETURNING = {**TABLE, "returns_after_recovery": True}
HASH = {**RETURNING, "size": "none"}


class Story:
    """A model and what is told to it; `wrong` is the requirement that a visit violates, or None."""

    def __init__(self, declared):
        self.model = Model(SERVERS, Declares(persistence=declared))

    def visit(self, server, user=0, place=0, at=0.0):
        right = self.model.expected(user, place, at, server)
        wrong = None if server in right.servers else right.requirement
        self.model.visited(user, place, server, at, at)
        return wrong

    def fails(self, server):
        self.model.down[server] = "crash"

    def returns(self, server):
        self.model.recovered(server)


@pytest.mark.parametrize("declared", [TABLE, RETURNING, HASH], ids=["table", "returning", "hash"])
def test_a_user_stays_on_one_server(declared):
    story = Story(declared)
    assert [story.visit("ts1"), story.visit("ts1", place=2)] == [None, None]
    assert story.visit("ts2") == "RDP-PERSIST-01"


def test_by_address_the_user_does_not_matter():
    story = Story({**TABLE, "key": "source"})
    assert [story.visit("ts1", user=0, place=0), story.visit("ts2", user=0, place=1)] == [None, None]
    assert story.visit("ts2", user=1, place=0) == "RDP-PERSIST-01"


def test_without_a_key_every_server_is_right():
    story = Story({"key": "none", "returns_after_recovery": False})
    assert [story.visit(server) for server in SERVERS] == [None, None, None]


@pytest.mark.parametrize(
    "declared, back, wrong",
    [(TABLE, "ts2", "ts1"), (RETURNING, "ts1", "ts2"), (HASH, "ts1", "ts2")],
    ids=["stays", "returns", "hash returns"],
)
def test_the_rule_of_return(declared, back, wrong):
    for server, expected in ((back, None), (wrong, "RDP-FAIL-06")):
        story = Story(declared)
        story.visit("ts1")
        story.fails("ts1")
        assert story.visit("ts2") is None
        story.returns("ts1")
        assert story.visit(server) == expected


def test_where_nothing_is_declared_either_way_back_is_right():
    for server in ("ts1", "ts2"):
        story = Story({"key": "rdp-cookie", "size": 10000})
        story.visit("ts1")
        story.fails("ts1")
        story.visit("ts2")
        story.returns("ts1")
        assert story.visit(server) is None


@pytest.mark.parametrize("declared", [TABLE, RETURNING, HASH], ids=["table", "returning", "hash"])
def test_a_moved_user_goes_straight_to_the_new_server(declared):
    story = Story(declared)
    story.visit("ts1")
    story.fails("ts1")
    assert story.visit("ts2") is None
    assert story.visit("ts3") == "RDP-FAIL-09"


def test_a_hash_may_move_everybody_when_a_server_fails_and_is_the_same_again_afterwards():
    story = Story(HASH)
    story.visit("ts2")
    story.fails("ts1")
    assert [story.visit("ts3"), story.visit("ts3")] == [None, None]
    assert story.visit("ts2") is not None
    story.returns("ts1")
    assert story.visit("ts2") is None


def test_a_table_moves_nobody_whose_server_is_up():
    story = Story(TABLE)
    story.visit("ts2")
    story.fails("ts1")
    assert story.visit("ts3") == "RDP-PERSIST-01"


def test_a_user_may_be_anywhere_while_a_failure_is_not_known_to_a_hash():
    story = Story(HASH)
    story.visit("ts1")
    story.fails("ts1")
    story.model.failing = "ts1"
    assert [story.visit("ts2"), story.visit("ts3")] == [None, None]


@pytest.mark.parametrize("server", ["ts1", "ts2"])
def test_whether_known_users_stay_on_a_drained_server_is_the_products_rule(server):
    story = Story(TABLE)
    story.visit("ts1")
    story.model.drained.append("ts1")
    assert story.visit(server) is None
    story.model.drained.clear()
    assert story.visit(server) is None
    assert story.visit("ts3") == "RDP-PERSIST-01"


def test_new_users_do_not_reach_a_drained_server():
    story = Story(TABLE)
    story.model.drained.append("ts1")
    assert story.visit("ts1") == "RDP-SESS-04"


def test_a_reload_forgets_nobody_unless_that_is_left_out():
    for remembered, expected in ((True, "RDP-SESS-06"), (False, None)):
        story = Story(TABLE)
        story.visit("ts1")
        story.model.was_reloaded(remembered)
        assert story.visit("ts2") == expected


LIFETIMES = {"soon": (1.0, "RDP-PERSIST-01"), "later": (3.0, "RDP-PERSIST-05"), "after it": (4.0, None)}


@pytest.mark.parametrize("at, expected", LIFETIMES.values(), ids=LIFETIMES)
def test_a_lifetime(at, expected):
    story = Story({**TABLE, "timer": 4.0})
    story.visit("ts1")
    assert story.visit("ts2", at=at) == expected


def test_a_lifetime_begins_at_the_end_of_the_session():
    story = Story({**TABLE, "timer": 4.0})
    story.visit("ts1")
    story.model.connected(0, 0, 6.0)
    assert story.visit("ts2", at=7.0) == "RDP-PERSIST-04"


def test_a_visit_that_took_long_may_have_come_after_the_lifetime():
    story = Story({**TABLE, "timer": 4.0})
    story.visit("ts1")
    story.model.visited(0, 0, "ts1", 1.0, 3.0)
    assert story.visit("ts2", at=4.9) is None
