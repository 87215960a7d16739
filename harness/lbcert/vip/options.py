"""The options of `lbcert probe`; what it does is imported when it is used."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

STATUS = ("Exit status: 0 all that can be judged here was judged, and nothing failed; 1 something failed; 2 wrong usage, or no "
          "leave to begin; 3 nothing failed, but not all was judged; 130 interrupted.")  # fmt: skip
RATE = 2.0
"""connections per second unless told otherwise"""
FASTEST = 20.0
"""connections per second, beyond which a live VIP is not asked"""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    probe = commands.add_parser(
        "probe", allow_abbrev=False, help="a live VIP: whether it keeps your users on their servers, without logging in",
        description="Connect to a live VIP in the names of your users, as far as the certificate that the server shows, and "
                    "say what that tells of persistence. Nobody is logged in, and nothing is changed. " + STATUS)  # fmt: skip
    probe.add_argument("vip", metavar="HOST:PORT", help="the service, such as rds.example:3389 or [2001:db8::10]:3389")
    probe.add_argument("--users", type=Path, required=True, metavar="FILE",
                       help="names of users, one a line, as their clients send them; # begins a comment")  # fmt: skip
    probe.add_argument("--servers", type=int, metavar="N", help="how many real servers are in service behind the VIP")
    probe.add_argument("--map", type=Path, metavar="FILE",
                       help="instead of --servers: a line for each certificate, its SHA-256 and the server's name")  # fmt: skip
    probe.add_argument("--fallback", choices=("balance", "source"),
                       help="what the VIP does, as configured, with clients that send no name")  # fmt: skip
    probe.add_argument("--even", action="store_true",
                       help="new users are placed by hash or in turn, with equal weights, not by load")  # fmt: skip
    probe.add_argument("--source", action="append", default=[], metavar="ADDRESS",
                       help="connect from this address of this machine; two or more for RDP-PERSIST-02")  # fmt: skip
    probe.add_argument("--rate", type=float, default=RATE, metavar="N",
                       help=f"connections per second, at most {FASTEST:g} (default: {RATE:g})")  # fmt: skip
    probe.add_argument("--yes", action="store_true", help="begin without asking")
    probe.add_argument("--seed", type=int, default=0, metavar="N", help="the seed of the order (default: 0)")
    probe.add_argument("--report-dir", type=Path, metavar="DIR", help="where evidence and report go (default: reports/runs/...)")
    probe.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from . import command

    return command.probe(options)
