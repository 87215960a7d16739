"""The options of `lbcert lab`, `lbcert fault` and `lbcert shell`; what they do is imported when they are used."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

_WITH_PROGRAM = ("lab", "shell")


def split(words: list[str]) -> tuple[list[str], list[str]]:
    """Our own words, and those of the program behind `--` of the commands that take one."""
    if words[:1] and words[0] in _WITH_PROGRAM and "--" in words:
        place = words.index("--")
        return words[:place], words[place + 1 :]
    return words, []


def add(commands: Any) -> None:
    """Add the three commands to the parser."""
    lab = commands.add_parser(
        "lab", allow_abbrev=False, usage="lbcert lab [-h] [--host HOST] [--capture FILE] DUT[:DEPLOYMENT] [-- PROGRAM ...]",
        help="a lab that stays up: a product with mock servers behind it, for your own clients",
        description="Make a lab with a product in it and keep it until Ctrl-C, showing who is connected where; or run a "
                    "program in one of its hosts and keep it until that ends. Exit status: the program's; without one 0. "
                    "2: the lab could not be made, or ended by itself.")  # fmt: skip
    lab.add_argument("dut", metavar="DUT[:DEPLOYMENT]", help="as for pytest's --dut: a name in duts/, or a folder with dut.yaml")
    lab.add_argument("--host", metavar="HOST", help="where the program runs: client (default), dut, or a real server; "
                                                    "without a program: a shell there")  # fmt: skip
    lab.add_argument("--capture", type=Path, metavar="FILE", help="write the packets of every link into this pcapng file")
    lab.set_defaults(run=_later("lab"))

    fault = commands.add_parser(
        "fault", allow_abbrev=False, help="let a real server of a running lab fail, or come back",
        description="Let a real server of a running lab fail, or come back; without a server: show who is connected where. "
                    "Exit status: 0 done; 2 it could not be done.")  # fmt: skip
    fault.add_argument("server", metavar="SERVER", nargs="?", help="a real server, by the name that `lbcert lab` prints")
    fault.add_argument("fault", metavar="FAULT", nargs="?",
                       help="dark (its host is gone), hang (accepts, never answers), crash (its process is killed), "
                            "refuse (its ports close, sessions stay); restore undoes it")  # fmt: skip
    fault.add_argument("ports", metavar="PORT", nargs="*", type=int, help="which ports refuse; default: all")
    fault.set_defaults(run=_later("fault"))

    shell = commands.add_parser(
        "shell", allow_abbrev=False, usage="lbcert shell [-h] [--lab NUMBER] HOST [-- PROGRAM ...]",
        help="a shell, or a program, in a host of a running lab",
        description="Run a program, or a shell, in a host of a running lab. Exit status: the program's; "
                    "2: it could not be run.")  # fmt: skip
    shell.add_argument("host", metavar="HOST", help="client, dut, or a real server")
    shell.set_defaults(run=_later("shell"))

    for command in (fault, shell):
        command.add_argument("--lab", type=int, metavar="NUMBER", help="which lab, if several are running")


def _later(name: str) -> Callable[[argparse.Namespace], int]:
    def run(options: argparse.Namespace) -> int:
        from . import command

        return getattr(command, name)(options)

    return run
