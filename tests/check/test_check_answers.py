"""Ten configurations: what is guessed about each, and which line is named for what it does not do."""

import pytest
from check_rig import ANSWERS, CONFIGS

from lbcert import catalogue
from lbcert.check.explain import EXPLAINED, changes


DAILY = {"05", "07"}
"""each needs a start of HAProxy of its own; the others are for the night"""


@pytest.fixture(params=[pytest.param(answer, id=f"{answer.file}-{answer.number}",
                                     marks=[] if answer.file in DAILY else [pytest.mark.nightly]) for answer in ANSWERS])  # fmt: skip
def answer(request):
    return request.param


@pytest.fixture
def one(answer, examined):
    return examined(answer).candidates[answer.number]


def test_each_configuration_has_an_answer():
    assert len(list(CONFIGS.glob("*.cfg"))) == 10 == len({answer.file for answer in ANSWERS})


def test_what_is_tested_and_what_it_is_held_to(answer, one):
    assert one.get("services.rdp") == answer.vip
    assert one.get("servers") == answer.servers
    assert one.get("declares.health_check") == answer.check
    assert one.get("declares.persistence") == answer.persistence


def test_what_is_not_tested_and_what_is_made_up(answer, examined):
    found = examined(answer)
    left_out = "\n".join(f"{what}: {why}" for what, why in found.choice.left_out)
    made_up = "\n".join(what for what, _ in found.assumed.said)
    assert all(part in left_out for part in answer.left_out), left_out
    assert all(part in made_up for part in answer.made_up), made_up
    assert bool(answer.left_out) == bool(left_out) and (bool(answer.made_up) or "/etc/haproxy/errors" in made_up) == bool(made_up)


def test_which_line_to_change(answer, one):
    for requirement, wanted in answer.changes.items():
        found = changes(requirement, one)
        assert [change.line.number for change in found] == [line for line, _ in wanted], [change.text for change in found]
        for change, (_, part) in zip(found, wanted, strict=True):
            assert part in ", ".join(change.new) and bool(part) == bool(change.new), change.text


def test_every_explanation_can_be_made(one, answer):
    for requirement in EXPLAINED:
        for change in changes(requirement, one):
            assert change.text.startswith(f"{answer.path}, ")


def test_explanations_are_of_requirements():
    assert set(catalogue.requirements()) >= EXPLAINED
