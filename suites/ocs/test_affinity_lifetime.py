"""OCS-AFF-03: how long a client's Front End is remembered.

With a lifetime of 4 s, of which clients who stay away show that it is in force. A deployment that declares `timer: none` and
offers no variant is held to that instead: nobody may be forgotten. The lifetime of the deployment itself, half an hour of it, passes
on a faster clock.
"""

from lbcert.api import POOL_CROWD, SHORT_LIFETIME, Deployment, Lab, be_silent_late, cheap_services, checks, dial, requirement, requirement_deadline

CLIENTS = 60
STRANGERS = 7
FEW = 24
"""clients, who all come back while a second of ours is a minute of the product's clock"""
FULL = 0.9
"""of the entries for which the deployment declares room"""
NEARLY = 0.75
"""of the lifetime, after which a client comes back"""
RETURNS = ["second", "third", "fourth"]


def for_ever(deployment: Deployment) -> bool:
    """Whether it is to be judged as it stands: declared to forget nobody, and no shorter lifetime on offer."""
    return deployment.declares.timer == "none" and "short-lifetime" not in deployment.variants


def limited(deployment: Deployment) -> bool:
    return not for_ever(deployment)


@requirement("OCS-AFF-03", variant="short-lifetime", when=limited)
def test_returning_renews_the_lifetime(lab: Lab) -> None:
    """Sixty clients come back after 3 s, three times; sixty others stay away for 9 s."""
    come_and_go(lab)
    lab.judge(checks.affinity_lasts, lifetime=SHORT_LIFETIME, returns=RETURNS)


@requirement("OCS-AFF-03", when=for_ever)
def test_nobody_is_forgotten(lab: Lab) -> None:
    """The same, where nobody is ever forgotten: those who stayed away must be on their Front Ends as well."""
    come_and_go(lab)
    lab.judge(checks.affinity_lasts, lifetime=None, returns=RETURNS)


@requirement("OCS-AFF-03", long="lifetime", when=limited)
def test_half_an_hour_is_remembered(lab: Lab) -> None:
    """Clients come back when nearly half an hour of the product's clock has passed."""
    lab.need_servers(2)
    if lab.clock is None:
        lab.settle()
    clients = lab.sources.several(FEW)
    come(lab, {"came": clients})
    be_silent_late(lab, [], lambda: come(lab, {"came back": clients}))
    lab.judge(checks.half_an_hour_is_remembered)


@requirement("OCS-AFF-03")
def test_many_clients_are_remembered(lab: Lab) -> None:
    """As many clients come as a pool has in a morning; then the first ones come back, and the last ones."""
    lab.need_servers(2)
    declared = lab.declares.size
    crowd = lab.sources.several(min(POOL_CROWD, int(FULL * declared)) if isinstance(declared, int) else POOL_CROWD)
    few = [*crowd[:FEW], *crowd[-FEW:]]
    plain = cheap_services(lab)
    lab.visit([dial(lab, plain[0], client, label="came") for client in crowd], at_once=8)
    lab.visit([dial(lab, plain[-1], client, label="came back") for client in lab.shuffled(few)])
    lab.judge(checks.many_are_remembered)


def come_and_go(lab: Lab) -> None:
    lab.need_servers(2)
    faithful, away = lab.sources.several(CLIENTS), lab.sources.several(CLIENTS)
    groups = {"first": faithful, "away": away}
    for label in RETURNS:
        # From when they begin to come, so that a slow machine takes nothing from the lifetime.
        back = requirement_deadline("away", NEARLY * SHORT_LIFETIME)
        come(lab, groups)
        lab.watch(f"clients come back ({label})", lambda: False, back)
        groups = {label: faithful, "other": lab.sources.several(STRANGERS)}
    come(lab, groups)
    come(lab, {"away again": away})


def come(lab: Lab, groups: dict[str, list[str]]) -> None:
    """All of them call, on any port, and leave when all have been served: while they are there, load spreads them."""
    plain = [name for name in ("sip", "sharing", "monitoring", "response-group", "attendant") if name in lab.services] or list(lab.services)
    # In about the same order each time, so that a slow machine takes little from the lifetime of anybody.
    places = sorted((place / len(clients), label, client) for label, clients in groups.items() for place, client in enumerate(clients))
    mixed = [one for start in range(0, len(places), FEW) for one in lab.shuffled(places[start : start + FEW])]
    calls = [dial(lab, lab.random.choice(plain), client, label=label, hold=True) for _, label, client in mixed]
    for talk in lab.visit(calls):
        talk.leave()
