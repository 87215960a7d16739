"""The options of `lbcert check`; what it does is imported when it is used."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

STATUS = ("Exit status: 0 no requirement that must be met has failed; 1 one has; 2 wrong usage, a question, or HAProxy "
          "refuses the configuration; 3 none has failed, but not all could be judged, or nothing fits; 130 interrupted.")  # fmt: skip


def add(commands: Any) -> None:
    """Add the command to the parser."""
    check = commands.add_parser(
        "check", allow_abbrev=False, help="your own haproxy.cfg: what it does for RDP users, and which line to change",
        description="Run a configuration of HAProxy in a lab, test its RDP listeners, and say for each requirement that it does "
                    "not meet which line of it to change. What the file does not tell is guessed and printed. " + STATUS)  # fmt: skip
    check.add_argument("paths", metavar="FILE|DIR", nargs="*", type=Path,
                       help="the configuration: its files in the order of HAProxy's -f; a folder stands for its *.cfg; "
                            "a folder with a dut.yaml is run as that says")  # fmt: skip
    check.add_argument("-f", dest="files", action="append", default=[], type=Path, metavar="FILE|DIR",
                       help="the same, in the words of haproxy's own command line")  # fmt: skip
    check.add_argument("--each", action="store_true", help="each file is a configuration of its own")
    check.add_argument("--no-run", action="store_true", help="print the guesses and end")
    check.add_argument("--write", type=Path, metavar="DIR",
                       help="keep dut.yaml and the files there, to be corrected and checked again")  # fmt: skip
    check.add_argument("--env", action="append", default=[], metavar="NAME=VALUE",
                       help="an environment variable of the configuration")
    check.add_argument("--host", action="append", default=[], metavar="NAME=ADDRESS",
                       help="the address of a name in the configuration")
    check.add_argument("--file", action="append", default=[], metavar="PATH=FILE",
                       help="the content of a file that the configuration names")  # fmt: skip
    check.add_argument("--vip", metavar="ADDRESS:PORT", help="test this listener, at this address of it, and no other")
    check.add_argument("--binary", metavar="PATH", help="the HAProxy to run (default: the pinned HAProxy 2.8)")
    check.add_argument("-k", dest="only", metavar="EXPRESSION",
                       help="run these requirements only, as for pytest: 'RDP-FAIL-01 or RDP-FAIL-02'")  # fmt: skip
    check.add_argument("--report-dir", type=Path, metavar="DIR", help="where evidence and report go (default: reports/runs/...)")
    check.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from ..report.errors import ReportError
    from . import command

    options.paths += options.files
    if not options.paths:
        raise ReportError("lbcert check", "no configuration is given.", "Name one: lbcert check haproxy.cfg")
    return command.check(options)
