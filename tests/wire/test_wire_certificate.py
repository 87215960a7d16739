"""The key in a certificate, as another implementation reads it."""

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import load_pem_x509_certificate

from lbcert.balancer.tls_defects import _PEM
from lbcert.security.certificates import certificate_for
from lbcert.wire.certificate import subject_public_key


def certificate(pem):
    return load_pem_x509_certificate(pem[pem.index("-----BEGIN CERT") :].encode())


RSA, EC = certificate(certificate_for("wire").pem), certificate(_PEM)


def test_the_key_of_a_certificate():
    assert subject_public_key(RSA.public_bytes(Encoding.DER)) == RSA.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
    point = EC.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    assert subject_public_key(EC.public_bytes(Encoding.DER)) == point


@pytest.mark.parametrize("octets", [b"", b"\x30\x00", b"\x30\x02\x30\x00", b"HTTP/1.0", EC.public_bytes(Encoding.DER)[:-1]],
                         ids=["nothing", "empty", "no-fields", "text", "cut"])  # fmt: skip
def test_what_is_no_certificate_is_one_error(octets):
    with pytest.raises(ValueError, match="certificate"):
        subject_public_key(octets)
