"""The one thing that CredSSP needs of an X.509 certificate (RFC 5280 section 4.1): the key it is about."""

from __future__ import annotations

from . import der

_VERSION = der.context(0)
_KEY_INFO = 5
"""place of subjectPublicKeyInfo in a certificate's inner part, behind the version"""


def subject_public_key(certificate: bytes) -> bytes:
    """The contents of SubjectPublicKey in a DER certificate, to which [MS-CSSP] binds a login (3.1.5 step 3).

    ValueError (DerError) for what is no certificate.
    """
    outer = der.parts(der.whole(certificate, der.SEQUENCE, "the certificate"), "the certificate")
    if not outer or outer[0].tag != der.SEQUENCE:
        raise der.DerError("the certificate has no inner part")
    inner = der.parts(outer[0].contents, "the certificate's inner part")
    fields = inner[1:] if inner and inner[0].tag == _VERSION else inner
    if len(fields) <= _KEY_INFO or fields[_KEY_INFO].tag != der.SEQUENCE:
        raise der.DerError("the certificate holds no key")
    info = der.parts(fields[_KEY_INFO].contents, "the certificate's key")
    if len(info) != 2 or info[1].tag != der.BIT_STRING or info[1].contents[:1] != b"\0" or len(info[1].contents) < 2:
        raise der.DerError("the certificate's key is no BIT STRING of whole bytes")
    return info[1].contents[1:]
