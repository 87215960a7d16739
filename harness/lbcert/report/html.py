"""The HTML page of a report: one file, made from report.json alone, without scripts or network.

Every string may come from the product under test. Jinja escapes all of them, and a content
security policy in the page forbids what escaping might ever miss.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from lbcert import catalogue
from lbcert.report import charts, web
from lbcert.report.text import visible
from lbcert.verdicts import Result, Verdict

#: A sign for each verdict, so that colour is never the only difference.
MARKS = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.NON_STRICT: "!",
    Verdict.UNSUPPORTED: "∅",
    Verdict.MEASURED: "≈",
    Verdict.BLOCKED: "⊘",
    Verdict.SETUP_ERROR: "⚠",
    Verdict.HARNESS_ERROR: "⚠",
    Verdict.NOT_RUN: "–",
    Verdict.WAIVED: "~",
}
RESULT_MARKS = {Result.CERTIFIED: "✓", Result.PARTIAL: "◐", Result.INCOMPLETE: "?", Result.FAILED: "✗"}

#: What to do about a row that was not judged; the product may be in order.
ADVICE = {
    Verdict.BLOCKED: "See to the requirement named in the reason first; this one is judged once that one passes.",
    Verdict.SETUP_ERROR: "See to the set-up first: the product or the lab did not start as the configuration says. "
                         "The reason and the evidence say how far it came.",
    Verdict.HARNESS_ERROR: "Run it again on a quiet machine. If it happens again it is a fault of the suite: please "
                           "report it with this run's directory.",
    Verdict.NOT_RUN: "Run it with the command that repeats it. If a variant of the configuration is missing, add it to dut.yaml "
                     "under `variants`.",
}

_LINKABLE = re.compile(r"(?!.*\.\.)[A-Za-z0-9_][A-Za-z0-9_.\-\[\]=+]*(/[A-Za-z0-9_.\-\[\]=+]+)+\.[A-Za-z0-9]+")


def render(report: Mapping[str, Any]) -> str:
    """The page of a report."""
    return _template().render(
        report=report,
        verdicts=list(Verdict),
        results=list(Result),
        marks={verdict.value: mark for verdict, mark in MARKS.items()},
        result_marks={result.value: mark for result, mark in RESULT_MARKS.items()},
        advice={verdict.value: text for verdict, text in ADVICE.items()},
        told=web.summary(report),
    )


@cache
def _template() -> Any:
    environment = Environment(
        loader=PackageLoader("lbcert", "report"),
        autoescape=True,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        chart=charts.layout, code=_code, seconds=charts.seconds, flat=_flat, sentence=_sentence, when=when,
        linkable=_linkable, anchor=_anchor, duration=duration, without=_without,
        declared=declared,
    )
    return environment.get_template("report.html")


def _shown(value: Any) -> Any:
    """Every value of the page, but for what is markup of ours."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _code(text: str) -> Markup:
    """Text with `words in backquotes` as code, the only markup that the catalogue knows."""
    parts = [str(Markup.escape(visible(part))) for part in text.split("`")]
    if len(parts) % 2 == 0:  # an odd backquote is just a character
        return Markup("`".join(parts))
    return Markup("".join(f"<code>{part}</code>" if number % 2 else part for number, part in enumerate(parts)))


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested values as pairs for a table: `health_check: {inter: 2}` is `health_check inter`, `2`."""
    pairs: list[tuple[str, str]] = []
    for key, value in values.items():
        name = f"{prefix} {key}".strip()
        if isinstance(value, Mapping):
            pairs += _flat(value, name)
        else:
            pairs.append((name, _plain(value)))
    return pairs


#: Declared values that are times, in seconds.
_TIMES = {"inter", "timeout", "timer", "detection", "advertisement"}


def declared(declares: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What a product declared, a line for each group: `health check`, `inter 2 s · fall 3`."""
    lines = []
    for group, values in declares.items():
        pairs = _flat(values) if isinstance(values, Mapping) else [("", _plain(values))]
        parts = [f"{_words(name)} {value}{' s' if name in _TIMES and _is_number(value) else ''}".strip()
                 for name, value in pairs]
        lines.append((_words(group), " · ".join(parts)))
    return lines


def _words(key: str) -> str:
    return key.replace("_", " ")


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _without(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in names}


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "not stated"
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(item) for item in value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def _sentence(deployment: Mapping[str, Any]) -> str:
    """Why a deployment came to its result, in one sentence."""
    rows = deployment["requirements"]
    musts = [row for row in rows if row["level"] == "MUST" and row.get("group") != catalogue.DOSSIER]
    def ids(*wanted: str) -> str:
        return _listed([row["id"] for row in musts if row["verdict"] in wanted])

    match deployment["result"]:
        case "failed":
            return f"Not met: {ids('fail')}."
        case "incomplete":
            open_rows = ids("harness-error", "setup-error", "blocked", "not-run")
            # What keeps everything from starting is said at once, and not only row by row.
            hindered = {row["reason"] for row in musts if row["verdict"] == Verdict.SETUP_ERROR}
            why = f" {hindered.pop()}" if len(hindered) == 1 else ""
            return f"Not judged: {open_rows}.{why}" if open_rows else "Nothing passed."
        case "partial":
            return f"No MUST failed; set aside or without its variant: {ids('unsupported', 'waived', 'not-run')}."
    # Of what is optional only that counts which is claimed; whatever else is not-run keeps a deployment from being certified.
    optional = [row["id"] for row in musts if row["verdict"] == Verdict.NOT_RUN]
    if optional:
        return (f"The {len(musts) - len(optional)} MUST requirements of the profile {deployment['profile']} that apply are met. "
                f"About optional features that are not claimed, and not judged: {_listed(optional)}.")
    return f"All {len(musts)} MUST requirements of the profile {deployment['profile']} are met."


def _listed(ids: list[str], most: int = 4) -> str:
    shown = ids if len(ids) <= most else ids[: most - 1]
    rest = len(ids) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def when(text: str) -> str:
    """An ISO 8601 time as people read it; other text as it is."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return text
    time = time.astimezone(timezone.utc) if time.tzinfo else time
    return time.strftime("%Y-%m-%d %H:%M:%S UTC")


def duration(value: float) -> str:
    """Seconds as people read them."""
    if value < 10:
        return f"{value:.2f} s"
    if value < 120:
        return f"{value:.1f} s"
    minutes, rest = divmod(round(value), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _linkable(text: str) -> bool:
    """True for a path inside the run directory; facts, addresses and paths that lead out of it are text."""
    return _LINKABLE.fullmatch(text) is not None


def _anchor(text: str) -> str:
    """A word that can stand in an id and in a link."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9-]+", "-", plain) or "x"
