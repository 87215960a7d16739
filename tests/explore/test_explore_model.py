"""The model of the explorer against a product told in a few words: what it forbids, and what it lets pass."""

from types import SimpleNamespace

import pytest

from lbcert.explore import Explorer, Violation


class Farm:
    """A lab whose product answers as `answer(user, place, up)` says."""

    def __init__(self, answer, returns=False):
        self.answer = answer
        self.servers = [SimpleNamespace(name=name) for name in ("ts1", "ts2", "ts3")]
        self.declares = SimpleNamespace(returns_after_recovery=returns)
        self.sources = SimpleNamespace(one=iter(range(1000)).__next__)
        self.explorer = None

    def need_servers(self, count):
        assert count <= len(self.servers)

    def visit(self, visits):
        made = []
        for visit in visits:
            user = int(visit.user.removeprefix("explorer"))
            server = self.answer(user, self.explorer.places[user].index(visit.source), self.explorer.up)
            made.append(SimpleNamespace(server=server, outcome="answered" if server else "closed", alive=visit.hold, visit=visit))
        return made


def explorer(answer, returns=False) -> Explorer:
    farm = Farm(answer, returns)
    farm.explorer = Explorer(farm)
    return farm.explorer


def violated(requirement, *steps):
    with pytest.raises(Violation) as found:
        for step in steps:
            step()
    assert found.value.requirement == requirement


def test_a_user_who_moves_for_no_reason():
    answers = iter(["ts1", "ts1", "ts2"])
    one = explorer(lambda *_: next(answers))
    violated("RDP-PERSIST-01", lambda: one.connect(0, 0), one.everybody)


def test_a_user_who_is_not_followed():
    one = explorer(lambda user, place, up: f"ts{place + 1}")
    violated("RDP-PERSIST-02", lambda: one.connect(0, 0), lambda: one.connect(0, 1))


def test_no_service_while_a_server_is_down():
    one = explorer(lambda user, place, up: "ts1" if "ts1" in up else None)
    one.connect(0, 0)
    one.down["ts1"] = "crash"
    violated("RDP-FAIL-01", one.everybody)


def test_served_by_the_dead():
    one = explorer(lambda *_: "ts1")
    one.connect(0, 0)
    one.down["ts1"] = "crash"
    violated("RDP-FAIL-01", one.everybody)


@pytest.mark.parametrize("returns, back, wrong", [(True, "ts1", "ts2"), (False, "ts2", "ts1")], ids=["returns", "stays"])
def test_the_rule_of_return(returns, back, wrong):
    for answer in (back, wrong):
        one = explorer(lambda user, place, up, answer=answer: "ts2" if "ts1" not in up else one.told, returns)
        one.told = "ts1"
        one.connect(0, 0)
        one.down["ts1"] = "crash"
        one.everybody()
        del one.down["ts1"]
        one.told = answer
        if answer == back:
            one.everybody()
        else:
            violated("RDP-FAIL-06", one.everybody)


def test_a_hash_may_choose_anew_when_another_server_fails():
    one = explorer(lambda user, place, up: sorted(up)[-1] if "ts1" not in up else "ts1", returns=True)
    one.connect(0, 0)
    one.down["ts1"] = "crash"
    one.everybody()
    one.down["ts3"] = "crash"
    one.everybody()


def test_the_sequence_can_be_pasted():
    one = explorer(lambda user, place, up: f"ts{place + 1}")
    one.connect(0, 0)
    with pytest.raises(Violation) as found:
        one.connect(0, 2)
    code = one.as_test(found.value)
    compile(code, "pasted", "exec")
    assert "    explorer.connect(0, 0)\n    explorer.connect(0, 2)\n    explorer.finish()\n" in code
