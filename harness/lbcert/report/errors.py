"""The one exception that reading or writing reports raises."""

from __future__ import annotations

from pathlib import Path


class ReportError(Exception):
    """A file is not what it should be. The text is for the user: file, place, what, and the way out."""

    def __init__(self, file: Path | str, what: str, remedy: str, *, line: int | None = None, field: str = ""):
        self.file, self.what, self.remedy, self.line, self.field = Path(file), what, remedy, line, field
        place = str(file)
        if line is not None:
            place += f", line {line}"
        if field:
            place += f", {field}"
        super().__init__(f"{place}: {what} {remedy}".rstrip())
