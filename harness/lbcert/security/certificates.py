"""A key and a self-signed certificate for each server of a lab, made where there is a disk: before the lab starts."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from functools import cache

from ..wire.certificate import subject_public_key
from .tls import fingerprint

BITS = 2048
"""of an RSA key, 0.1 s to make: what Windows servers make for themselves, and rdesktop takes no other kind"""
_LIFE = datetime.timedelta(days=30)


@dataclass(frozen=True)
class ServerCertificate:
    """`pem` holds key and certificate; `public_key` is what CredSSP binds to."""

    pem: str
    fingerprint: str
    public_key: bytes

    def told(self) -> dict[str, str]:
        """For the server's process."""
        return {"pem": self.pem, "fingerprint": self.fingerprint, "public_key": self.public_key.hex()}


@cache
def certificate_for(name: str) -> ServerCertificate:
    """The certificate of the server `name`, the same one for as long as this process lives."""
    # Not above: this costs every pytest 70 ms, and few tests need it.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, BITS)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{name} of an lbcert lab")])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number(), now - _LIFE, now + _LIFE)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    encoded = made.public_bytes(serialization.Encoding.DER)
    secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem = secret + made.public_bytes(serialization.Encoding.PEM)
    return ServerCertificate(pem.decode(), fingerprint(encoded), subject_public_key(encoded))
