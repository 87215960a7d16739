"""RDP-PERSIST-06 to -10: names that are cut, written in other ways, empty, long, or not there at all.

Where clients may share a key they come one after the other (`at_once=1`): the race for a new entry would spread them.
"""

from lbcert.api import CR_VECTORS, Lab, Visit, checks, connection_request, random_letters, requirement, sequential

CLIENTS = 60
"""of one kind; with two servers each has 12 to 48 of them unless the choice is unfair (exact region at 1e-6)"""
NAMES = 24
"""two keys of one name agree so often by chance: with two servers in turn 1 in C(24, 12), which is below 1e-6"""
FORMS = {
    "upper case": str.upper,
    "domain in front": lambda name: f"LAB\\{name}",
    "domain behind": lambda name: f"{name}@lab",
    "space behind": lambda name: f"{name} ",
}


@requirement("RDP-PERSIST-06")
def test_names_cut_to_their_domain_are_spread(lab: Lab) -> None:
    """Users of a domain with eight letters, whose clients send nine characters: the domain and its backslash."""
    lab.need_servers(2)
    lab.visit([Visit(lab.sources.one(), "MYDOMAIN\\", label="cut to MYDOMAIN\\") for _ in range(CLIENTS)], at_once=1)
    lab.judge(checks.alike_clients_are_spread)


@requirement("RDP-PERSIST-07")
def test_forms_of_one_name(lab: Lab) -> None:
    """Each user comes with the plain name, then with every other way of writing it, and plain once more."""
    lab.need_servers(2)
    source = {name: lab.sources.one() for name in sequential(NAMES, "jsmith")}
    plain = [Visit(address, name, label="plain") for name, address in source.items()]
    lab.visit(lab.shuffled(plain))
    written = [Visit(address, name, connection_request(write(name)), label=form)
               for form, write in FORMS.items() for name, address in source.items()]  # fmt: skip
    lab.visit(lab.shuffled(written))
    lab.visit(lab.shuffled([Visit(address, name, label="plain again") for name, address in source.items()]))
    lab.judge(checks.forms_of_a_name)


@requirement("RDP-PERSIST-08")
def test_empty_names_are_spread(lab: Lab) -> None:
    """Clients that send the cookie with nothing behind `mstshash=`, each from an address of its own."""
    lab.need_servers(2)
    lab.visit([Visit(lab.sources.one(), "", label="empty name") for _ in range(CLIENTS)], at_once=1)
    lab.judge(checks.alike_clients_are_spread)


@requirement("RDP-PERSIST-09")
def test_long_names_do_not_collide(lab: Lab) -> None:
    """Pairs of names of 40 characters that differ in the last one only."""
    lab.need_servers(2)
    stems = [f"{stem}-terminal-server-user-of-branch" for stem in random_letters(NAMES, lab.random)]
    pairs = [(stem + first, stem + second) for stem in stems for first, second in [lab.random.sample("abcdefghijkl", 2)]]
    assert all(len(name) == 40 for pair in pairs for name in pair)
    lab.visit(lab.shuffled([Visit(lab.sources.one(), name, label="pair") for pair in pairs for name in pair]), at_once=1)
    lab.judge(checks.long_names_are_told_apart)


@requirement("RDP-PERSIST-10")
def test_clients_without_name_follow_the_fallback(lab: Lab) -> None:
    """Clients without a cookie, each from an address of its own, and as many behind one address."""
    lab.need_servers(2)
    office = lab.sources.one()
    many = [Visit(lab.sources.one(), request=CR_VECTORS["CR-03"], label="many addresses") for _ in range(CLIENTS)]
    lab.visit([*many, *(Visit(office, request=CR_VECTORS["CR-03"], label="one address") for _ in range(CLIENTS))], at_once=1)
    lab.judge(checks.fallback_is_followed)
