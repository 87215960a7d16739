"""Vectors and helpers of the SIP tests."""

import json
from types import SimpleNamespace

from Cryptodome.Cipher import ARC4

from lbcert.endpoints.sip import FrontEnd, SipService
from lbcert.wire.sip_vectors import recorded, torture
from lbcert.wire.talk import Identity, Place

TORTURE = torture()
_sig, _r2 = recorded("ocs2007"), recorded("r2")

SIG = SimpleNamespace(
    key=_sig["key"],
    response=_sig["response"],
    content=(
        b"<NTLM><0878F41B><1><SIP Communications Service><ocs1.ocs.provo.novell.com><8592g5DCBa1694i5887m0D0Bt2247b3F38xAE9Fx>"
        b"<3><REGISTER><sip:gabriel@ocs.provo.novell.com><2947328781><B816D65C2300A32CFA6D371F2AF537FD><900><200>"
    ),
    signatures={
        b"ocs1.ocs.provo.novell.com": "0100000000000000BF2E52667DDF6DED",
        b"ocs2.ocs.provo.novell.com": "0100000000000000974D42CF7DDF6DED",
    },
)
"""vector SIP-SIG of the catalogue"""

R2 = SimpleNamespace(
    accounts={"User": _r2["password"]},
    challenge=_r2["challenge"],
    answer=_r2["answer"],
    request=_r2["request"],
    response=_r2["response"],
    nonce=bytes.fromhex("dd1baaf4e7e218d1"),
    chance=bytes.fromhex("d6ae875cb0fdaa41"),
    moment=int.from_bytes(bytes.fromhex("59519a1727b9ca01"), "little"),
    session=b"",
    request_content=(
        b"<NTLM><13317733><1><SIP Communications Service><cosmo-ocs-r2.cosmo.local><4037df9284354df39065195bd57a4b14>"
        b"<3><REGISTER><sip:user@cosmo.local><3e49177a52><sip:user@cosmo.local><><><><>"
    ),
    request_signature="0100000029618E9651B65A7764000000",
)


def _exported_key() -> bytes:
    """The session key of the R2 exchange: what its answer encrypts with the key that password and proof give."""
    import hmac

    from lbcert.security.ntlm_datagram import _known

    key = _known("User", R2.accounts["User"], "COSMO")
    return ARC4.new(hmac.digest(key, R2.answer[138:154], "md5")).decrypt(R2.answer[-16:])


R2.session = _exported_key()


class Pool:
    """Services of several Front Ends, and what all of them reported."""

    def __init__(self, **options):
        self.options = {"sip": {"realm": "SIP Communications Service", **options}}
        self.reports: list[dict] = []
        FrontEnd._all.clear()

    def service(self, index: int, *, conn: int = 1, port: int = 5061, peer=("10.0.0.1", 40000)) -> SipService:
        place = Place(Identity(index, conn), f"fe{index}.pool.lbcert.test", port, peer, self.options)

        def report(kind, **facts):
            json.dumps(facts)
            self.reports.append({"kind": kind, "fe": index, **facts})

        return SipService(place, report)

    def of(self, kind: str) -> list[dict]:
        return [event for event in self.reports if event["kind"] == kind]


def meet(speech, service, cut: int = 1 << 20, say: bytes | None = None) -> None:
    """Bytes back and forth, in pieces of `cut`, until both are silent; `say`: instead of the beginning."""
    says = speech.begin() if say is None else say
    while says:
        answer = b"".join(service.take(says[at : at + cut]) for at in range(0, len(says), cut))
        says = b"".join(speech.take(answer[at : at + cut]) for at in range(0, len(answer), cut))
