"""Two ends of TLS in one process, and certificates made once."""

from functools import cache

from lbcert.security.authority import Authority, authority
from lbcert.security.tls import Tls

FE, POOL = "fe1.pool.lbcert.test", "pool.lbcert.test"


@cache
def front_end():
    return authority().front_end(FE, POOL, ["192.168.0.11", "fd00::11"])


def root():
    return authority().root_pem


@cache
def client():
    return authority().client("client1.lbcert.test")


@cache
def stranger():
    """A certificate of another authority with the same names."""
    return Authority().front_end(FE, POOL)


def meet(client_side, server_side, name=None):
    """(client, server) after the handshake and a word from each; SecurityError where one side refuses."""
    ours, theirs = Tls(client_side, False, name), Tls(server_side, True)
    ours.feed()
    while data := ours.take():
        theirs.feed(data)
        ours.feed(theirs.take())
    ours.say(b"ping")
    assert theirs.feed(ours.take()) == b"ping"
    return ours, theirs
