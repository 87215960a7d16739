"""TP-ADDR-04 and -07: a client's ports where the product uses its address, and many connections of one address."""

from __future__ import annotations

from ... import deadlines
from ...verdicts import Verdict
from ..finding import Finding, Tally
from ..history import Event, History
from . import called, served


def one_port_serves_two_services(history: History) -> Finding:
    """TP-ADDR-04: of two calls from one address and port (labels `first`, `second`), the first is answered while the second is served,
    or refused in time and logged."""
    tally = Tally(f"A second connection from a port in use is served, or refused within {deadlines.CONFIRM_WITHIN:g} s with a line in "
                  "the log; the first is answered.")  # fmt: skip
    answers, waits = called.Answers(history), served.Waits(history)
    logged = [event["text"] for event in history.of("log")]
    both = refused = 0
    for call in served.some(called.calls(history, "first"), "first call"):
        if not answers.accept(call):
            tally.faults.append(f"{called.name_of(call)}, the first of two: {called.outcome_text(call)}")
    released = next(history.of("restore"))["t"]
    for call in served.some(called.calls(history, "second"), "second call"):
        who = f"{called.name_of(call)}, the second of two from port {call['port']}"
        if answers.accept(call):
            both += 1
            # Until its server was let go it could not be answered.
            took = max(0.0, (call["answered"] - max(call["started"], released)) / 1e9)
        else:
            refused += 1
            took = waits.until(call, call["t"])
            if call["outcome"] not in ("closed", "reset", "refused") and not call["outcome"].startswith("status 5"):
                tally.faults.append(f"{who}: {called.outcome_text(call)}")
                continue
            if not any(call["source"] in text for text in logged):
                tally.faults.append(f"{who}: {called.outcome_text(call)}, and no line of the log names the client")
        if took > deadlines.CONFIRM_WITHIN:
            tally.faults.append(f"{who}: {call['outcome']} only after {took:.2f} s")
    # No window: servers that were stopped on purpose woke up late, which is no fault of the machine's.
    return tally.finding(f"{both} second connections were served, {refused} were not", Verdict.NON_STRICT)


def many_connections_are_served(history: History, wanted: int) -> Finding:
    """TP-ADDR-07: all requests of one address are answered with 200 by a real server.

    Calls: `single`, `again` (from ports that were used a few seconds before), `kept` (several requests; the product may close in between) and `parallel`. `wanted`: requests of the first two.
    """
    told = called.Answers(history)
    tally = Tally(f"All of {wanted} requests one after the other and of the parallel ones, from one address, are answered by a server.")
    served_by = {request["token"] for request in history.of("request") if request["who"] in served.setup(history)["addresses"]}
    counts = {"single": 0, "again": 0, "kept": 0, "parallel": 0}
    for call in served.some(called.calls(history), "call"):
        good, fault = _good_replies(call, told, served_by)
        counts[call["label"]] += good
        if fault:
            tally.faults.append(f"{called.name_of(call)}, {call['label']}, port {call['port']}: {fault}")
    if not tally.faults and counts["single"] + counts["kept"] < wanted:
        raise ValueError(f"the history holds only {counts['single'] + counts['kept']} of {wanted} requests in a row")
    parts = f"{counts['single']} requests on connections of their own, {counts['again']} from ports used before, {counts['kept']} on kept ones, {counts['parallel']} at a time"
    return tally.finding(f"answered: {parts}", Verdict.NON_STRICT)


def _good_replies(call: Event, told: called.Answers, served_by: set[str]) -> tuple[int, str | None]:
    """Answers of 200 to a call, and what is wrong with it."""
    replies = call["replies"]
    good = sum(1 for reply in replies if reply["status"] == 200 and reply["server"])
    if good < len(replies):
        bad = next(reply for reply in replies if reply["status"] != 200 or not reply["server"])
        return good, f"status {bad['status']}" if bad["status"] != 200 else "answered by nobody that the lab knows"
    # A product that keeps no connection says so, or closes after an answer.
    if call["outcome"] == "short" and good and call["label"] == "kept":
        return good, None
    if call["outcome"] == "answered" and call["token"] in served_by and told.accept(call):
        return good, None
    return good, called.outcome_text(call)
