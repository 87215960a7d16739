"""OCS-NET-01, -05, -07, -08: whose address the VIP is, and which way connections of a pool go."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import called, served

ARP_WITHIN = 1.0
"""s until the owner of an address must have answered"""
_ARMS = {1: "one arm", 2: "two arms"}


def vip_has_one_owner(history: History, asked: int) -> Finding:
    """OCS-NET-01: each of `asked` questions by ARP is answered, by one MAC, and all services are on that one address.

    Events: `arp` {asked (ns), answers: [[mac, ns], ...]}, one for each question.
    """
    tally = Tally(f"All services are on one address, and one MAC answers each of {asked} questions for it within {ARP_WITHIN:g} s.")
    setup = served.setup(history)
    addresses = sorted({address for address, _ in setup["services"].values()})
    if len(addresses) > 1:
        tally.faults.append(f"the services are on {len(addresses)} addresses: {', '.join(addresses)}")
    questions = list(history.of("arp"))
    if len(questions) != asked:
        raise ValueError(f"{len(questions)} questions were asked, not {asked}")
    owners: Counter[str] = Counter()
    unanswered = 0
    for question in questions:
        owners.update(mac for mac, _ in question["answers"])
        if not any(t - question["asked"] <= ARP_WITHIN * 1e9 for _, t in question["answers"]):
            unanswered += 1
    if unanswered:
        tally.faults.append(f"{unanswered} of {asked} questions were not answered within {ARP_WITHIN:g} s")
    if len(owners) > 1:
        tally.faults.append("several machines answer: " + ", ".join(f"{mac} {count} times" for mac, count in owners.items()))
    observed = f"{', '.join(addresses)}: {asked - unanswered} of {asked} questions answered, by {', '.join(owners) or 'nobody'}"
    # Lateness of ours can only make an answer late.
    window = (questions[0]["asked"], questions[-1]["t"]) if unanswered else None
    return tally.finding(observed, window=window, margin=ARP_WITHIN)


def front_ends_see_the_product(history: History, ports: Mapping[str, int]) -> Finding:
    """OCS-NET-05: on each of `ports` Front Ends have their clients' connections from an address of the product."""
    tally = Tally("Front Ends see an address of the product on every port.")
    setup, answers = served.setup(history), called.Answers(history)
    # A product may have addresses that dut.yaml does not name; those of clients and servers are not its own.
    others = {address: name for name, pairs in setup["addresses"].items() for address, _ in pairs}
    others |= {call["source"]: "another client" for call in called.calls(history)}
    seen: Counter[str] = Counter()
    reached: set[str] = set()
    lost = ""
    for call in served.some(called.calls(history), "call"):
        accept = answers.accept(call)
        if accept is None:
            lost = lost or f"{called.name_of(call)}: {called.outcome_text(call)} (OCS-NET-02)"
            continue
        reached.add(call["service"])
        peer = accept["peer"][0]
        seen[peer] += 1
        if peer == call["source"]:
            tally.faults.append(f"{call['server']} saw the client's own address {peer} on port {ports[call['service']]}")
        elif peer in others:
            tally.faults.append(f"{call['server']} saw {peer}, which is {others[peer]}'s, on port {ports[call['service']]}")
    observed = f"{_ARMS.get(setup['arms'], setup['arms'])}; connections on {len(reached)} of {len(ports)} ports came from "
    observed += ", ".join(f"{peer} ({count})" for peer, count in seen.most_common(5)) or "nowhere"
    if strange := sorted(set(seen) - set(setup["product"])):
        observed += f"; dut.yaml does not name {', '.join(strange[:5])}"
    if (lost or reached != set(ports)) and not tally.faults:
        reason = lost or f"no client called {', '.join(sorted(set(ports) - reached))}"
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason)
    return tally.finding(observed)


def front_ends_reach_the_vip(history: History) -> Finding:
    """OCS-NET-07: calls from Front Ends (the label is the host) are answered by a Front End, by way of the product."""
    tally = Tally("A Front End that connects to the VIP is answered by some Front End, by way of the product.")
    answers, setup = called.Answers(history), served.setup(history)
    left = _seen_on(history)
    good: Counter[str] = Counter()
    everyone = served.some(called.calls(history), "call")
    for call in everyone:
        who = f"{call['label']} on {call['service']}"
        links = {flow["link"] for flow in left[call["source"], call["port"]] if flow["syn"] >= call["started"]}
        if answers.server(call) not in setup["servers"]:
            tally.faults.append(f"{who}: {called.outcome_text(call)}")
        elif not any(link.startswith("dut:") for link in links):
            tally.faults.append(f"{who}: answered, but the connection did not pass the product")
        else:
            good[call["label"]] += 1
    observed = f"{sum(good.values())} of {len(everyone)} connections from {len({call['label'] for call in everyone})} Front Ends"
    return tally.finding(f"{observed} were answered by way of the product")


def _seen_on(history: History) -> dict[tuple[str, int], list[Event]]:
    """Connections as captured, by their client's address and port."""
    found: dict[tuple[str, int], list[Event]] = defaultdict(list)
    for flow in history.of("flow"):
        if "syn" in flow:
            found[flow["client"], flow["cport"]].append(flow)
    return found


def both_ways_cross_the_product(history: History) -> Finding:
    """OCS-NET-08: every packet between clients and the VIP is sent to the product, or by it, on the clients' link.

    Event: `carriers` {to_client: {owner of the sending MAC: packets}, to_server: {owner of the receiving MAC: packets}}; an owner
    is a link, `host:interface`, or the MAC itself where it is nobody's.
    """
    tally = Tally("Every packet from the VIP carries the product's MAC address, and every packet to it goes there.")
    answers = called.Answers(history)
    everyone = served.some(called.calls(history), "call")
    answered = sum(1 for call in everyone if answers.server(call))
    carriers = next(history.of("carriers"))
    seen = []
    for way, words in (("to_client", "from the VIP came from"), ("to_server", "to the VIP went to")):
        for owner, packets in sorted(carriers[way].items()):
            seen.append(f"{packets} packets {words} {owner}")
            if not owner.startswith("dut:"):
                tally.faults.append(f"{packets} packets {words} {owner}, past the product")
    observed = "; ".join(seen)
    if not tally.faults and (answered < len(everyone) or not carriers["to_client"] or not carriers["to_server"]):
        reason = f"only {answered} of {len(everyone)} clients were answered (OCS-NET-02)"
        return Finding(Verdict.BLOCKED, tally.expected, f"{observed}. {reason}", reason)
    return tally.finding(observed, silence=True)
