"""What a program that is not ours needs to talk to a lab's services over TLS: whom it may trust, what it may show, and names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..topology.plan import CLIENT_HOST

if TYPE_CHECKING:
    from ..lab import Lab

FOLDER = "/run/lbcert"
ROOT, CLIENT = f"{FOLDER}/authority.pem", f"{FOLDER}/client.pem"
"""the root that servers' certificates lead to (curl --cacert, openssl -CAfile); a client's certificate, chain and key"""


def names(lab: Lab) -> tuple[str, ...]:
    """By which clients know the VIP: those in the certificates that they meet there."""
    if lab.deployment.profile == "ocs":
        from .pool import POOL

        return (POOL,)
    if "authority" in lab.deployment.files.values():
        from ..security.authority import SITE

        return (SITE,)
    return ()


def papers(lab: Lab) -> dict[str, str]:
    """The files for the client host: path -> text. None where no certificate of this lab is met."""
    if not names(lab):
        return {}
    from ..security.authority import authority

    if lab.deployment.profile != "ocs":
        return {ROOT: authority().root_pem}
    from .pool import client_certificate

    return {ROOT: authority().root_pem, CLIENT: client_certificate().pem}


def hand_out(lab: Lab) -> dict[str, str]:
    """Put the files in the client host, and let it know the names; returns the files."""
    made = papers(lab)
    if made:
        lab.broker.put_files(CLIENT_HOST, {path: (text.encode(), 0o644) for path, text in made.items()})
        lines = "".join(f"{lab.vip[0]} {name}\\n" for name in names(lab))
        lab.broker.run(CLIENT_HOST, ["/bin/sh", "-c", f"printf '{lines}' >> /etc/hosts"])
    return made
