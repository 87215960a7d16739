"""TP-PROXY and TP-SEC-02: the PROXY protocol, sent and received, and from strangers."""

from lbcert.api import (
    LENIENT,
    MALFORMED_PROXY,
    PIECES,
    Ask,
    Deployment,
    Lab,
    checks,
    claiming,
    dial,
    listeners,
    patience,
    proxy_headers,
    requirement,
    requirement_deadline,
)

CLIENTS = 10
"""for each service"""
PAUSE = 1.0
"""s between the two pieces of a header (3 s are what a receiver has to wait at least)"""
REQUEST = "GET /behind?token={token} HTTP/1.1\r\nHost: www.lbcert.test\r\n\r\n"


def declared(deployment: Deployment) -> dict:
    return deployment.declares.raw.get("proxy_protocol", {})


def behind(start: bytes):
    """Bytes of a request behind a beginning."""
    return lambda token: start + REQUEST.format(token=token).encode()


@requirement("TP-PROXY-01", when=lambda deployment: declared(deployment).get("send") == "v1")
def test_sent_header_of_version_1_is_exact(lab: Lab) -> None:
    come_and_be_checked(lab)
    lab.judge(checks.sent_header_is_exact, version=1, checks_too=not lab.declares.health_check.passive)


@requirement("TP-PROXY-01", variant="proxy-v1", when=lambda deployment: "proxy-v1" in deployment.variants)
def test_sent_header_of_version_1_is_exact_in_a_variant(lab: Lab) -> None:
    come_and_be_checked(lab)
    lab.judge(checks.sent_header_is_exact, version=1, checks_too=not lab.declares.health_check.passive)


@requirement("TP-PROXY-02", when=lambda deployment: declared(deployment).get("send") == "v2")
def test_sent_header_of_version_2_is_exact(lab: Lab) -> None:
    come_and_be_checked(lab)
    lab.judge(checks.sent_header_is_exact, version=2, checks_too=not lab.declares.health_check.passive)


def come_and_be_checked(lab: Lab) -> None:
    """Clients of both services, each with two requests that claim another address, until every server has been checked some times."""
    asks = [Ask(target, headers=claiming("192.0.2.9")) for target in ("/one", "/two")]
    lab.visit([dial(lab, service, asks=asks) for service in ("http", "https") for _ in range(CLIENTS)])
    lab.settle()


@requirement("TP-PROXY-03", when=lambda deployment: "accept" in declared(deployment))
def test_receiver_never_guesses(lab: Lab) -> None:
    """Good headers whole and in two pieces, malformed ones, half ones and none, from the declared sender; good ones from strangers."""
    host, _, port = declared(lab.deployment)["accept"].rpartition(":")
    listener, sender = (host, int(port)), declared(lab.deployment)["from"][0]
    strange = stranger(lab)

    def knock(source: str, label: str, raw):
        return dial(lab, "http", source, address=listener, raw=raw, label=label)

    good = {f"{name}{cut}": header for number, cut in enumerate(("", PIECES))
            for name, header in proxy_headers(number, listener).items()}  # fmt: skip
    lab.visit([dial(lab, "http", label="usual")])
    calls = [knock(sender, name, behind(start)) for name, start in {**MALFORMED_PROXY, **LENIENT}.items()]
    calls += [knock(source, name, behind(good[name].encode())) for name in proxy_headers(0, listener) for source in (sender, strange)]
    calls += [knock(sender, f"{name} cut off", lambda _, name=name: good[name].encode()[:20]) for name in ("version 1", "version 2")]
    whole = lab.clients.start(calls)
    cut = {name: header.encode() for name, header in good.items() if name.endswith(PIECES)}
    halves = lab.clients.start([knock(sender, name, lambda _, data=data: data[:14]) for name, data in cut.items()])
    lab.watch("the second pieces come later", lambda: False, requirement_deadline("pause", PAUSE))
    for talk in halves:
        talk.send(behind(cut[talk.visit.label][14:])(talk.speech.token))
    lab.wait("what comes of them", lambda: all(talk.done for talk in [*whole, *halves]), patience("outcome"))
    lab.judge(checks.receiver_never_guesses, named={name: header.source[0] for name, header in good.items()}, sender=sender)


@requirement("TP-SEC-02")
def test_strangers_are_not_believed(lab: Lab) -> None:
    """Strangers begin with a PROXY header on every port of the VIP, at the HTTPS port before TLS and inside it."""
    calls, forged = [], []
    places = [(service, lab.services[service], True) for service in ("http", "https")]
    places += [("http", place, False) for place in listeners(lab)]
    for number, (service, place, known) in enumerate(places):
        headers = proxy_headers(number, place)
        forged += [header.source[0] for header in headers.values()]
        for name, header in headers.items():
            label = f"{name}, {'first inside ' + service if known else f'port {place[1]}'}"
            calls.append(dial(lab, service, stranger(lab), address=place, raw=behind(header.encode()), label=label))
            if service == "https":
                calls.append(dial(lab, service, stranger(lab), prefix=header.encode(), label=f"{name}, before TLS"))
    usual = ("http", "https")
    lab.visit([dial(lab, service, stranger(lab), label="usual") for service in usual])
    lab.visit(calls, at_once=len(calls))
    lab.visit([dial(lab, service, stranger(lab), label="usual") for service in usual for _ in range(3)])
    lab.judge(checks.strangers_are_not_believed, forged=sorted(set(forged)))


def stranger(lab: Lab) -> str:
    """An address that may send no PROXY header."""
    return next(one for one in iter(lab.sources.one, None) if one not in declared(lab.deployment).get("from", ()))
