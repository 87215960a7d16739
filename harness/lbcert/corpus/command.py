"""The command `lbcert import`: read captures, clean what is in them, write a corpus, say what was found."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..report.errors import ReportError
from . import file, packets
from .clean import Cleaner
from .packets import Entry, Found

DONE, NOTHING = 0, 1
_HEADINGS = ("lines", "protocols", "flags", "bytes", "seen")


def import_captures(options: argparse.Namespace) -> int:
    """Import; returns the exit status. Nothing is written unless all captures can be read."""
    if not 1 <= options.port <= 65535:
        raise ReportError("--port", f"{options.port} is not between 1 and 65535.", "Give the TCP port of the servers.")
    outputs = _outputs(options)
    for path in outputs:
        if path.exists():
            raise ReportError(path, "exists already.", "Name another file with --into, or remove this one.")
    found = {path: packets.read(path, options.port) for captures in outputs.values() for path in captures}
    cleaner = Cleaner([request for one in found.values() for request in one.requests], options.keep_tokens)
    status = NOTHING
    for path, captures in outputs.items():
        these = [found[capture] for capture in captures]
        entries = packets.distinct(these, cleaner, options.keep_tokens)
        print("\n".join([*_table(entries), *(line for one in these for line in _left_out(one))]))
        if entries:
            file.write(path, entries)
            status = DONE
            print(f"{path}: {len(entries)} packets, for: pytest suites/rdp --corpus {path}")
        else:
            names = ", ".join(capture.name for capture in captures)
            print(f"{names}: no first packet of a client of port {options.port}; nothing was written")
    return status


def _outputs(options: argparse.Namespace) -> dict[Path, list[Path]]:
    """Which captures go to which file."""
    captures = list(dict.fromkeys(options.captures))
    if options.into:
        return {options.into: captures}
    outputs: dict[Path, list[Path]] = {}
    for capture in captures:
        path = Path("corpus", f"{capture.stem}.json")
        if path in outputs:
            raise ReportError(capture, f"its corpus would be {path}, as that of {outputs[path][0]}.", "Give --into FILE.")
        outputs[path] = [capture]
    return outputs


def _table(entries: Sequence[Entry]) -> Iterator[str]:
    rows = [_HEADINGS] + [
        (packets.kind(one.request), packets.protocols(one.request), packets.flags(one.request), str(len(one.data)), str(one.seen))
        for one in entries
    ]
    if not entries:
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        texts = [text.ljust(width) for text, width in zip(row[:3], widths, strict=False)]
        yield "  ".join([*texts, *(text.rjust(width) for text, width in zip(row[3:], widths[3:], strict=True))])


def _left_out(found: Found) -> Iterator[str]:
    """What of a capture is not in the corpus, and why."""
    name = found.path.name
    for what, count in found.malformed.most_common():
        yield f"{name}: {count} left out, malformed at {what}"
    for count, what in (
        (found.incomplete, "left out, not whole in the capture"),
        (found.silent, "connections in which the client sent nothing"),
        (found.joined_late, "connections that began before the capture"),
    ):
        if count:
            yield f"{name}: {count} {what}"
    for link, count in sorted(found.unread_links.items()):
        yield f"{name}: {count} packets of link type {link} were not read"
    if found.cut_at is not None:
        yield f"{name}: the file breaks off in its last packet (byte {found.cut_at}); what is before it was read"
