"""RDP-PARSE: the server's answer, and all that follows it, in both directions."""

from lbcert.api import (
    CC_VECTORS,
    CLOSE_WITHIN,
    MARGIN,
    ConnectionConfirm,
    ConnectionRequest,
    Lab,
    NegotiationFailure,
    NegotiationResponse,
    Visit,
    checks,
    converse,
    patience,
    requirement,
    requirement_deadline,
    sequential,
    tell_conversations,
)

BODY = 65536
"""bytes each way behind the vectors of the catalogue"""
LITTLE = 2048
"""bytes each way behind the other answers"""
TAIL = 64
"""bytes that a server says last, when it has heard everything"""
DRIP = 0.02
"""s between single bytes of an answer that comes in pieces"""
ANSWERS = {
    **{f"flags {1 << bit:#04x}": NegotiationResponse(2, 1 << bit) for bit in range(8)},
    **{f"protocol {chosen:#04x}": NegotiationResponse(chosen) for chosen in (0, 1, 2, 4, 8, 16)},
    **{f"failure {code}": NegotiationFailure(code) for code in range(1, 8)},
}
"""every flag, protocol and reason that a Confirm can hold, one at a time"""


@requirement("RDP-PARSE-02")
def test_answer_arrives_unchanged(lab: Lab) -> None:
    """Each user has a conversation of its own with whichever server: an answer, then long bodies both ways at once."""
    plans, visits = {}, []

    def plan(label: str, answer: bytes, size: int, drip: float = 0.0, finish: bool = False) -> None:
        user = f"talk{len(visits):03d}"
        plans[user] = {"answer": answer.hex(), "body": size, "expect": "eof" if finish else size, "tail": TAIL, "drip": drip}
        visits.append(Visit(lab.sources.one(), user, hold=True, pour=size, finish=finish, label=label))

    for vector, answer in CC_VECTORS.items():
        plan(vector, answer, BODY)
        plan(f"{vector} in pieces", answer, BODY, drip=DRIP)
        plan(f"{vector}, client half-closes", answer, LITTLE, finish=True)
    for label, negotiation in ANSWERS.items():
        plan(label, ConnectionConfirm(negotiation=negotiation).encode(), LITTLE)
    converse(lab, plans)
    made = lab.visit(visits)
    lengths = {user: len(told["answer"]) // 2 + told["body"] + TAIL for user, told in plans.items()}
    lab.watch("everything has arrived", lambda: all(not one.alive or len(one.heard) >= lengths[one.visit.user] for one in made),
              patience("sessions"))  # fmt: skip
    ended = [one for one in made if not one.visit.finish]
    lab.watch("clients are told that their servers have closed", lambda: not any(one.alive for one in ended),
              requirement_deadline("close", CLOSE_WITHIN + MARGIN))  # fmt: skip
    for one in made:
        one.leave()
    tell_conversations(lab)
    lab.judge(checks.answer_arrives_unchanged)


@requirement("RDP-PARSE-12")
def test_request_without_negotiation_is_answered_in_kind(lab: Lab) -> None:
    """Old clients, standard security: a name, no negotiation data, and plain data after the eleven bytes of the answer."""
    visits = [
        Visit(lab.sources.one(), user, ConnectionRequest(cookie=user.encode()).encode(), hold=True, label="CR-02")
        for user in sequential(20, "old")
    ]
    lab.echo(lab.visit(visits), "after the Confirm")
    lab.judge(checks.is_answered_in_kind)
