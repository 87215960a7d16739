"""OCS-AFF-01, -02, -06: one client address, one Front End."""

from lbcert.api import Call, Lab, checks, dial, patience, requirement

CLIENTS = 60
FEWEST, MOST = 3, 9
"""ports that a client uses"""
STRANGERS = 7
"""others in each round: an odd number, so that a balancer which goes round in step does not look faithful"""
NEWCOMERS = 50
GROUP = 5
"""newcomers who open all of their ports at the same moment"""
LATER = 3
USERS = 100


@requirement("OCS-AFF-01")
def test_one_front_end_per_client(lab: Lab) -> None:
    """Sixty clients on random ports in random order; half of them keep their connections."""
    lab.need_servers(2)
    services = list(lab.services)
    clients = lab.sources.several(CLIENTS)
    plans = {client: lab.random.sample(services, lab.random.randint(min(FEWEST, len(services)), min(MOST, len(services))))
             for client in clients}  # fmt: skip
    staying = set(lab.random.sample(clients, CLIENTS // 2))
    for turn in range(max(map(len, plans.values()))):
        calls: list[Call] = [dial(lab, plan[turn], client, hold=client in staying) for client, plan in plans.items() if turn < len(plan)]
        calls += [dial(lab, lab.random.choice(services), label="other") for _ in range(STRANGERS)]
        lab.visit(lab.shuffled(calls))
    lab.judge(checks.one_front_end_per_client, services=services)


@requirement("OCS-AFF-02", timing=True)
def test_ports_opened_at_once(lab: Lab) -> None:
    """New clients open all their ports at the same moment, five clients at a time; later each comes again on three ports."""
    lab.need_servers(2)
    services = list(lab.services)
    clients = lab.sources.several(NEWCOMERS)
    for start in range(0, NEWCOMERS, GROUP):
        lab.clients.run_together([dial(lab, service, client, label="first", gated=True)
                                  for client in clients[start : start + GROUP] for service in lab.shuffled(services)],
                                 patience("outcome"))  # fmt: skip
        lab.check_trouble()
    for _ in range(LATER):
        lab.visit([dial(lab, lab.random.choice(services), client, label="later") for client in lab.shuffled(clients)])
    lab.judge(checks.simultaneous_ports_agree, services=services)


@requirement("OCS-AFF-06")
def test_users_behind_one_address(lab: Lab) -> None:
    """A hundred users behind one address, who stay."""
    lab.need_servers(2)
    site = lab.sources.one()
    lab.visit([dial(lab, "sip" if "sip" in lab.services else "sip-tls", site, client=f"user {number}", hold=True)
               for number in range(USERS)])  # fmt: skip
    lab.judge(checks.skew_is_known, key=lab.declares.persistence.get("key"))
