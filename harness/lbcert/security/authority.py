"""The certificate authority of a lab: one for each process, made when it is first asked for, where there is a disk.

    root ── issuing authority ── servers, Front Ends, clients, the VIP

Extensions are those that strict verification needs (RFC 5280 section 4.2; Python 3.13 and later ask for all of them).
"""

from __future__ import annotations

import datetime
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from ..wire.http import SITE_NAME
from .tls import fingerprint

if TYPE_CHECKING:
    from cryptography import x509

_LIFE = datetime.timedelta(days=30)
_RSA_BITS = 2048
SERVER, CLIENT = "server", "client"
SITE = SITE_NAME
"""the web site at a VIP, as clients know it"""


@dataclass(frozen=True)
class Leaf:
    """A certificate with its key. Texts are PEM."""

    name: str
    key: str
    certificate: str
    chain: str
    """the authorities between it and the root, which its owner has to send"""
    fingerprint: str
    """SHA-256 of the certificate, in hexadecimal"""

    @property
    def pem(self) -> str:
        """Certificate, chain and key in one file, as HAProxy, stunnel and nginx read them."""
        return self.certificate + self.chain + self.key

    def told(self) -> dict[str, str]:
        """For another process (JSON): what `security.mutual` makes contexts of."""
        return {"pem": self.pem, "fingerprint": self.fingerprint, "name": self.name}


class Authority:
    """Root and issuing authority with keys of P-256."""

    def __init__(self, name: str = "lbcert lab") -> None:
        root_key, key = _ec_key(), _ec_key()
        root = _authority(f"{name} root", root_key, None, None, path_length=1)
        issuing = _authority(f"{name} issuing authority", key, root, root_key, path_length=0)
        self._key, self._issuing = key, issuing
        self.root_pem = _text(root)
        """what a client trusts: for curl --cacert, openssl -CAfile and `client_context`"""
        self.chain_pem = _text(issuing)

    def leaf(
        self, name: str, names: Sequence[str] = (), addresses: Sequence[str] = (), usages: Sequence[str] = (SERVER,),
        rsa: bool = False,
    ) -> Leaf:  # fmt: skip
        """A certificate for `name` (a DNS name, also its common name), further names and IP addresses.

        `rsa`: a key of RSA 2048, 0.1 s to make and slow in every handshake, for peers that take no other.
        """
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization

        key = _rsa_key() if rsa else _ec_key()
        purposes = {SERVER: x509.ExtendedKeyUsageOID.SERVER_AUTH, CLIENT: x509.ExtendedKeyUsageOID.CLIENT_AUTH}
        alternatives: list[x509.GeneralName] = [x509.DNSName(one) for one in dict.fromkeys([name, *names])]
        alternatives += [x509.IPAddress(ipaddress.ip_address(one)) for one in dict.fromkeys(addresses)]
        made = (
            _builder(name, key, self._issuing.subject)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(digital_signature=True, key_encipherment=rsa), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purposes[one] for one in usages]), critical=False)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(_issuer_key(self._issuing), critical=False)
            .sign(self._key, _sha256())
        )
        secret = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        encoded = made.public_bytes(serialization.Encoding.DER)
        return Leaf(name, secret.decode(), _text(made), self.chain_pem, fingerprint(encoded))

    def front_end(self, name: str, pool: str, addresses: Sequence[str] = (), rsa: bool = False) -> Leaf:
        """For a Front End: its own name first, the pool's too, for both sides of mutual TLS (OCS wants both usages)."""
        return self.leaf(name, [pool], addresses, (SERVER, CLIENT), rsa)

    def client(self, name: str, rsa: bool = False) -> Leaf:
        """For a client that shows a certificate."""
        return self.leaf(name, usages=(CLIENT,), rsa=rsa)

    def vip(self, names: Sequence[str], addresses: Sequence[str] = (), rsa: bool = False) -> Leaf:
        """For the VIP of a load balancer that ends TLS: `pem` is the text for the `files:` of its deployment."""
        return self.leaf(names[0], names[1:], addresses, (SERVER,), rsa)


@cache
def authority() -> Authority:
    """The authority of this process."""
    return Authority()


def _authority(name: str, key: Any, issuer: x509.Certificate | None, issuer_key: Any, path_length: int) -> x509.Certificate:
    from cryptography import x509

    builder = (
        _builder(name, key, None if issuer is None else issuer.subject)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
    )
    if issuer is not None:
        builder = builder.add_extension(_issuer_key(issuer), critical=False)
    return builder.sign(issuer_key or key, _sha256())


def _builder(name: str, key: Any, issuer: x509.Name | None) -> x509.CertificateBuilder:
    from cryptography import x509

    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name[:64])])
    now = datetime.datetime.now(datetime.timezone.utc)
    public = key.public_key()
    return x509.CertificateBuilder(
        issuer or subject, subject, public, x509.random_serial_number(), now - _LIFE, now + _LIFE
    ).add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)


def _issuer_key(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    from cryptography import x509

    held = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(held)


def _usage(**chosen: bool) -> x509.KeyUsage:
    from cryptography import x509

    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign",
             "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    return x509.KeyUsage(**{name: chosen.get(name, False) for name in names})


def _ec_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    return ec.generate_private_key(ec.SECP256R1())


def _rsa_key() -> Any:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(65537, _RSA_BITS)


def _sha256() -> Any:
    from cryptography.hazmat.primitives import hashes

    return hashes.SHA256()


def _text(certificate: x509.Certificate) -> str:
    from cryptography.hazmat.primitives import serialization

    return certificate.public_bytes(serialization.Encoding.PEM).decode()
