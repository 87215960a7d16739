"""Mutated SIP: neither end raises, hangs or holds more than its bounds, whatever comes."""

import random

import pytest
from sip_rig import R2, SIG, TORTURE, Pool, meet

from lbcert.clients.sip import Invite, Register, SignedRegister, Subscribe
from lbcert.security.login import Login
from lbcert.wire.sip_stream import MAX_BODY, MAX_HEAD

pytestmark = pytest.mark.xdist_group("sip-fuzz")

LOGIN = Login("ann", "secret")
GUARDED = {"auth": "ntlm", "accounts": {"ann": "secret", "User": R2.accounts["User"]}}
BITS = [b"\r\n", b"\r\n\r\n", b"\r", b"\n", b"\0", b'"', b"<", b">", b";", b",", b"=", b":", b" ", b"\xff", b"SIP/2.0",
        b"l: 5\r\n", b"Content-Length: -1\r\n", b"\r\n ", b"a" * 300, b"99999999999",
        b"gssapi-data=\"", b"NTLM ", b";tag="]  # fmt: skip


def talks() -> tuple[list[bytes], list[bytes]]:
    """What clients and servers say in good order, the vectors among it: what the mutants are made of."""
    requests, answers = [R2.request, *TORTURE.values()], [R2.response, SIG.response]
    for speech, options in ((SignedRegister(LOGIN), GUARDED), (Register(), {}), (Invite(), {}), (Subscribe(), {})):
        service = Pool(**options).service(1)
        says = speech.begin()
        while says:
            requests.append(says)
            answers.append(service.take(says))
            says = speech.take(answers[-1])
    return [one for one in requests if one], [one for one in answers if one]


def mutant(rng: random.Random, some: list[bytes]) -> bytes:
    data = bytearray(rng.choice(some))
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(5):
            case 0:
                data[at : at + 1] = bytes((rng.randrange(256),))
            case 1:
                data[at:at] = rng.choice(BITS)
            case 2:
                del data[at : at + rng.choice((1, 3, 40))]
            case 3:
                other = rng.choice(some)
                start = rng.randrange(len(other))
                data[at : at + 30] = other[start : start + 30]
            case 4:
                del data[at:]
                data += rng.choice(some)
    return bytes(data)


def pieces(rng: random.Random, data: bytes) -> list[bytes]:
    cut = rng.randrange(len(data) + 1)
    return [data[:cut], data[cut:]]


COUNTS = [1_000, pytest.param(10_000, marks=pytest.mark.nightly), pytest.param(500_000, marks=pytest.mark.nightly)]
"""inputs for each end"""


@pytest.mark.parametrize("count", COUNTS)
def test_the_service_reports_and_goes_on(count):
    rng, (requests, _) = random.Random(count), talks()
    pools = [Pool(), Pool(**GUARDED)]
    for number in range(count):
        pool = pools[number % 2]
        service = pool.service(1 + number % 2)
        for piece in pieces(rng, mutant(rng, requests)):
            service.take(piece)
        assert service._stream.pending <= MAX_HEAD + MAX_BODY
        if number % 100 == 0:
            pool.reports.clear()
    speech = SignedRegister(LOGIN)
    meet(speech, pools[1].service(2))
    assert speech.outcome == "answered"


@pytest.mark.parametrize("count", COUNTS)
def test_the_client_ends_with_a_word(count):
    rng, (_, answers) = random.Random(count), talks()
    words = set()
    for _number in range(count):
        speech = rng.choice((SignedRegister(LOGIN), Register(), Invite(), Subscribe()))
        speech.begin()
        data = mutant(rng, answers)
        if rng.random() < 0.8:
            # Answers to another client would be strange at once.
            data = data.replace(b"Call-ID: ", b"Call-ID: " + speech.token.encode() + b"\r\nX: ", 1)
        for piece in pieces(rng, data):
            speech.take(piece)
        speech.told()
        words.add(speech.outcome)
    assert {None, "strange", "malformed"} <= words
