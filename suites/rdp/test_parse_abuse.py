"""RDP-PARSE: clients that say nothing, say it wrongly, or say too much, and everybody else meanwhile."""

from lbcert.api import (
    CR_VECTORS,
    INSPECTION_CEILING,
    MALFORMED_VECTORS,
    MARGIN,
    ConnectionRequest,
    Lab,
    NegotiationRequest,
    Protocols,
    Visit,
    checks,
    greet,
    patience,
    requirement,
    requirement_deadline,
    sequential,
)

SILENT, PARTIAL = 500, 20
PIECE = 5
"""bytes that a partial client sends before it stops"""
GREETING = 0.5
"""s of silence after which a server speaks first, so that a client can tell that it has one"""
INTERVAL = 0.25
"""s between two ordinary clients while others keep the balancer waiting"""

MALFORMED = [f"M-{number:02d}" for number in range(1, 8)]
ODD = [f"M-{number:02d}" for number in range(8, 17)]
KNOWN = 30
"""users whose names are in malformed requests; with two servers, one moved in two, chance hides it below 1e-9"""
HELD = 6
FUZZ, BATCH = 240, 40

LONGEST = 221
"""bytes of a name that fill a request with negotiation data up to its length indicator of 254 (CR-11)"""
TOO_LONG = 240
"""bytes of a name with which a client was seen to let its length indicator run over"""


@requirement("RDP-PARSE-06", timing=True)
def test_silent_clients_are_bounded(lab: Lab) -> None:
    """500 clients say nothing, 20 stop after five bytes; ordinary ones come all the while."""
    greet(lab, GREETING)
    slow = [Visit(lab.sources.one(), segments=(), label="silent") for _ in range(SILENT)]
    slow += [Visit(lab.sources.one(), segments=((CR_VECTORS["CR-01"][:PIECE], 0.0),), label="partial") for _ in range(PARTIAL)]
    crowd = lab.clients.start(lab.shuffled(slow))
    lab.watch("the crowd is connected", lambda: all(one.connected or one.done for one in crowd), patience("answer"))
    users = iter(sequential(200, "usual"))
    begun = []
    lab.every(INTERVAL, requirement_deadline("inspection", INSPECTION_CEILING + MARGIN + GREETING), "slow clients are dealt with",
              lambda: begun.extend(lab.clients.start([Visit(lab.sources.one(), next(users), label="usual")])),
              until=lambda: all(one.done for one in crowd))  # fmt: skip
    lab.wait("every client's outcome", lambda: all(one.done for one in [*crowd, *begun]), patience("outcome"))
    lab.judge(checks.silent_clients_are_bounded)


@requirement("RDP-PARSE-07", timing=True)
def test_malformed_requests_do_no_harm(lab: Lab) -> None:
    """Known users, held sessions, then malformed requests in the known users' names, hostile ones and noise."""
    lab.need_servers(2)
    source = {user: lab.sources.one() for user in [f"kn{number:04d}" for number in range(KNOWN)]}
    lab.visit([Visit(address, user, label="known") for user, address in source.items()])
    held = lab.visit([Visit(lab.sources.one(), user, hold=True, label="held") for user in sequential(HELD, "held")])
    bad = []
    number = 0
    for vector in MALFORMED:
        visits = []
        for user in [*source, *(f"new{vector[-1]}{number:02d}" for number in range(10))]:
            number += 1
            visits.append(Visit(lab.sources.one(), user, malformed(vector, user, number), label=vector))
        bad += lab.clients.start(visits)
        lab.visit([Visit(lab.sources.one(), f"next{vector[-1]}", label="next")])
    bad += lab.clients.start([Visit(lab.sources.one(), request=MALFORMED_VECTORS[name], label="odd") for name in ODD])
    for batch in range(FUZZ // BATCH):
        lab.clients.start([Visit(lab.sources.one(), request=noise(lab), label="noise") for _ in range(BATCH)])
        lab.visit([Visit(lab.sources.one(), f"noisy{batch}", label="next")])
    lab.wait("what comes of malformed requests", lambda: all(one.done for one in bad), patience("outcome"))
    lab.echo(held, "after")
    lab.visit(lab.shuffled([Visit(address, user, label="again") for user, address in source.items()]))
    lab.judge(checks.malformed_does_no_harm)


def malformed(vector: str, user: str, number: int) -> bytes:
    """A malformed vector with another name of six letters, or, where it has none, with other references."""
    name = user.encode()
    data = MALFORMED_VECTORS[vector]
    if b"mstshash=" not in data:
        return data[:6] + number.to_bytes(4, "big")
    return data.replace(b"jsmith", name).replace(b"js\0ith", name[:2] + b"\0" + name[3:])


def noise(lab: Lab) -> bytes:
    """Bytes that some client might send by mistake: a request with a few bits turned, cut off, or blown up; other protocols."""
    random = lab.random
    data = bytearray(random.choice(list({**CR_VECTORS, **MALFORMED_VECTORS}.values())))
    kind = random.randrange(5)
    if kind == 0:
        for _ in range(random.randint(1, 4)):
            data[random.randrange(len(data))] ^= 1 << random.randrange(8)
    elif kind == 1:
        del data[random.randrange(1, len(data)) :]
    elif kind == 2:
        data[2:4] = random.randbytes(2)
        data += random.randbytes(random.randrange(3000))
    elif kind == 3:
        data = bytearray(b"\3\0\xff\xff\xfe\xe0\0\0\0\0\0Cookie: mstshash=" + b"A" * random.randrange(30_000))
    else:
        data = bytearray(random.choice([b"GET / HTTP/1.1\r\n\r\n", b"\x16\3\1\0\xf0\1" + random.randbytes(240), random.randbytes(64)]))
    return bytes(data)


@requirement("RDP-PARSE-10")
def test_largest_request_is_persisted(lab: Lab) -> None:
    """Users with the longest name come again and again; then some whose name is too long for the request."""
    lab.need_servers(2)
    users = {f"{number:02d}".ljust(LONGEST, "u"): lab.sources.one() for number in range(8)}
    strangers = iter(sequential(60, "stranger"))
    for turn in range(12):
        if turn == 8:
            lab.visit([Visit(lab.sources.one(), request=overflowing(number), label="overflow") for number in range(20)])
        others = [Visit(lab.sources.one(), next(strangers), label="other") for _ in range(3)]
        lab.visit(lab.shuffled([*(Visit(address, user, label="largest") for user, address in users.items()), *others]))
    lab.judge(checks.largest_request_is_persisted)


def overflowing(number: int) -> bytes:
    """A request whose length indicator has run over: 273 is sent as 17."""
    name = f"{number:02d}".ljust(TOO_LONG, "v").encode()
    request = ConnectionRequest(cookie=name, negotiation=NegotiationRequest(Protocols.SSL | Protocols.HYBRID), length_indicator=0)
    data = bytearray(request.encode())
    data[4] = (len(data) - 5) & 0xFF
    return bytes(data)
