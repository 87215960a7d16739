"""The options of `lbcert import`; what it does is imported when it is used."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Add the command to the parser."""
    imported = commands.add_parser(
        "import", allow_abbrev=False, help="first packets of your own clients, from a capture, for runs to send",
        description="Read the first packets of RDP clients from captures (pcap, pcapng), replace names, addresses and ids in "
                    "them, and write them to a corpus, which runs send with pytest suites/rdp --corpus FILE. "
                    "Exit status: 0 written; 1 there was none; 2 wrong usage or a file that cannot be used.")  # fmt: skip
    imported.add_argument("captures", metavar="CAPTURE", nargs="+", type=Path, help="a capture file, pcap or pcapng")
    imported.add_argument("--port", type=int, default=3389, metavar="N", help="the servers' TCP port (default: 3389)")
    imported.add_argument("--into", type=Path, metavar="FILE",
                          help="one corpus for all captures (default: corpus/<capture>.json for each)")  # fmt: skip
    imported.add_argument("--keep-tokens", action="store_true",
                          help="leave routing tokens, and the addresses in them, as they are")  # fmt: skip
    imported.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from . import command

    return command.import_captures(options)
