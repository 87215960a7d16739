"""RDP-PERSIST: one user, one server, whoever else comes and wherever the user is."""

from lbcert.api import (
    Lab,
    Visit,
    checks,
    doubled_digits,
    long_names,
    random_letters,
    requirement,
    sequential,
)

USERS, ROUNDS = 50, 20
ROAMING_USERS = 20
FAMILY = 200


@requirement("RDP-PERSIST-01")
def test_user_returns_to_own_server(lab: Lab) -> None:
    """Fifty users connect twenty times each, in a new order every round, each from an address of their own."""
    lab.need_servers(2)
    lab.settle()  # a check that takes a server which is well for a dead one, and moves its users, has done so by now
    source = {user: lab.sources.one() for user in sequential(USERS)}
    strangers = iter(sequential(ROUNDS * 3, "stranger"))
    for _ in range(ROUNDS):
        # An odd number of others, so that a balancer in lock-step with the round is not taken for a faithful one.
        others = [Visit(lab.sources.one(), next(strangers), label="other") for _ in range(3)]
        lab.visit(lab.shuffled([*(Visit(address, user) for user, address in source.items()), *others]))
    lab.judge(checks.one_server_per_user, visits_each=ROUNDS)


@requirement("RDP-PERSIST-02")
def test_user_is_followed_across_addresses(lab: Lab) -> None:
    """Each user comes from five addresses, some close to each other, some far apart, one after the other."""
    lab.need_servers(2)
    lab.settle()  # as above
    places = {user: lab.shuffled(lab.sources.roaming()) for user in sequential(ROAMING_USERS, "roamer")}
    strangers = iter(sequential(5 * 3, "stranger"))
    for turn in range(5):
        # In turns: two first connections of one user at the same moment are another requirement (RDP-PERSIST-11).
        others = [Visit(lab.sources.one(), next(strangers), label="other") for _ in range(3)]
        lab.visit(lab.shuffled([*(Visit(addresses[turn], user) for user, addresses in places.items()), *others]))
    lab.judge(checks.one_server_per_user, visits_each=5)


@requirement("RDP-PERSIST-03")
def test_users_behind_one_address_are_spread(lab: Lab) -> None:
    """Four families of names, two hundred users each, all behind one address (a branch office's NAT)."""
    lab.need_servers(2)
    lab.settle()  # as above
    office = lab.sources.one()
    families = {
        "sequential names": sequential(FAMILY),
        "doubled digits": doubled_digits(FAMILY),
        "random letters": random_letters(FAMILY, lab.random),
        "long names differing in one place": long_names(FAMILY),
    }
    for family, users in families.items():
        # One at a time: to least connections a server that is slow to close, on a busy machine, would look like a loaded one.
        lab.visit([Visit(office, user, label=family) for user in lab.shuffled(users)], at_once=1)
    lab.judge(checks.users_are_spread)
