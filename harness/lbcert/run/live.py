"""The live line: what a long test waits for, and until when."""

from __future__ import annotations

import contextlib
import datetime

import pytest

from ..deadlines import Deadline

LONG = 2.0
"""s: shorter waits are not worth a line"""


class LiveLine:
    """Writes to the terminal past pytest's capture; a line that changes on a terminal, lines in a log."""

    def __init__(self, config: pytest.Config):
        self._config = config
        self._shown = False

    def __call__(self, text: str, deadline: Deadline | None) -> None:
        """Show what is waited for; an empty text takes the line away."""
        reporter = self._config.pluginmanager.get_plugin("terminalreporter")
        if reporter is None or reporter.verbosity < 0:
            return
        if deadline is not None and deadline.seconds < LONG:
            return
        if not text and not self._shown:
            return
        capture = self._config.pluginmanager.get_plugin("capturemanager")
        disabled = capture.global_and_fixture_disabled() if capture else contextlib.nullcontext()
        with disabled:
            self._write(reporter, text, deadline)

    def _write(self, reporter, text: str, deadline: Deadline | None) -> None:
        writer = reporter._tw
        terminal = writer.hasmarkup and reporter.isatty
        if not text:
            if terminal:
                writer.write("\r\x1b[K", flush=True)
            self._shown = False
            return
        until = ""
        if deadline is not None:
            at = datetime.datetime.now() + datetime.timedelta(seconds=deadline.remaining)
            until = f" (until {at:%H:%M:%S} at the latest)"
        if terminal:
            writer.write(f"\r\x1b[K  waiting: {text}{until}", flush=True)
            self._shown = True
        elif reporter.verbosity > 0:
            writer.write(f"\n  waiting: {text}{until} ", flush=True)
