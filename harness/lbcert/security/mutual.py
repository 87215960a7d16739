"""Contexts of TLS in which both sides may show certificates of the lab's authority. Needs no file system but /proc."""

from __future__ import annotations

import os
import ssl

from .tls import VERSIONS

ASKS = {"no": ssl.CERT_NONE, "optional": ssl.CERT_OPTIONAL, "required": ssl.CERT_REQUIRED}
"""whether a server asks its client for a certificate"""


def server_context(pem: str, root: str = "", client: str = "no", oldest: str = "1.2", newest: str = "1.3") -> ssl.SSLContext:
    """A server's side. `pem`: certificate, chain and key; `client`: a key of ASKS; `root`: whose certificates it takes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _thrifty(context, oldest, newest)
    _load(context, pem)
    # One ticket is what a client can use; two cost each handshake and each held connection more.
    context.num_tickets = 1
    context.verify_mode = ASKS[client]
    if root:
        context.load_verify_locations(cadata=root)
    return context


def client_context(
    pem: str = "", root: str = "", name_checked: bool = False, oldest: str = "1.2", newest: str = "1.3"
) -> ssl.SSLContext:
    """A client's side. `pem`: the certificate that it shows, none by default.

    Without `root` it takes any certificate (whose it was is judged later, by fingerprint). With it a server of another
    authority is refused, and with `name_checked` also one of another name than `wrap_bio(server_hostname=...)` says.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _thrifty(context, oldest, newest)
    context.check_hostname = name_checked
    context.verify_mode = ssl.CERT_REQUIRED if root else ssl.CERT_NONE
    if root:
        context.load_verify_locations(cadata=root)
    if pem:
        _load(context, pem)
    return context


def _thrifty(context: ssl.SSLContext, oldest: str, newest: str) -> None:
    context.minimum_version, context.maximum_version = VERSIONS[oldest], VERSIONS[newest]


def _load(context: ssl.SSLContext, pem: str) -> None:
    file = os.memfd_create("certificate")
    try:
        os.write(file, pem.encode())
        context.load_cert_chain(f"/proc/self/fd/{file}")
    finally:
        os.close(file)
