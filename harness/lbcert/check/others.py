"""Listeners of profiles that `lbcert check` does not test: what they look like, which suite tests them, and a dut.yaml to start from."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from ..addresses import endpoint
from ..dut import REPOSITORY
from ..dut_model import VARIANTS
from ..offers import OFFERS, SECURE
from ..paths import ours, typed, written
from ..report.errors import ReportError
from . import statistics, variants
from .reader import WILD, Bind, Line, Section, Text, seconds, size

if TYPE_CHECKING:
    from .command import Checked

SUITES = {"ocs": "suites/ocs", "ssl-tproxy": "suites/ssl_tproxy"}
LOOKS = {"ocs": "a pool of Office Communications Servers", "ssl-tproxy": "a web site"}
_ROWS = {
    "ocs": {"short-lifetime": "OCS-AFF-03", "small-ports": "OCS-NET-06", "two-addresses": "OCS-NET-06", "small-maxconn": "OCS-NET-09"},
    "ssl-tproxy": {"not-transparent": "TP-ADDR-08"},
}
"""profile -> variant -> the requirement that is judged with it only"""
_SIP = (5061, 5060)
_HEAD = """\
# Written by `lbcert check` as a start: read from the text of the configuration, which is not tested yet. Correct what is wrong,
# add what is missing ({keys} explains the keys), and test it with: pytest {suite} --dut {folder}
"""


def profile_of(text: Text, bind: Bind | None, pair: tuple[str, int]) -> str:
    """The other profile that a listener belongs to, by the look of the text; empty if to none."""
    ip, port = pair
    if bind is None:
        return ""
    if bind.section.is_http:
        return "ssl-tproxy" if servers(text, bind.section) else ""
    if port in OFFERS["ocs"].services.values() and any(_is_sip(text, ip, sip) for sip in _SIP):
        return "ocs"
    # Whoever ends TLS where a web site is served as well does it for that site.
    web = any(one.section.is_http and servers(text, one.section) for one in text.binds())
    return "ssl-tproxy" if web and "ssl" in bind.line.words else ""


def why(profile: str) -> str:
    """Why a listener of another profile is not tested."""
    return f"{LOOKS[profile]}, which check does not test; `pytest {ours(SUITES[profile])}` does"


def servers(text: Text, section: Section) -> list[Line]:
    """The servers of a listener, or of the backend that it usually sends to."""
    return [line for one in text.both(section) for line in one.all("server")]


def _is_sip(text: Text, ip: str, port: int) -> bool:
    bind = next((one for one in text.binds() if port in one.ports and one.host in (ip, *WILD)), None)
    return bind is not None and not bind.section.is_http


# -- a start --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Start:
    """A dut.yaml for one other profile of a configuration."""

    profile: str
    document: dict[str, Any]
    missing: tuple[str, ...]
    """what the text cannot tell, a sentence for each"""
    variants: dict[str, tuple[Line, str]]
    """variant -> (the line that differs, its text in the variant)"""

    @property
    def allowed(self) -> list[str]:
        """What a declaration allows, and whoever did not mean it takes out, a sentence for each."""
        page = self.document["declares"].get("administration")
        return [f"clients may reach the page of statistics at {page['statistics']}; if they may not, take declares.administration out"] if page else []


def starts(found: Checked) -> list[Start]:
    """One for each other profile that the configuration has listeners of."""
    return [_start(found, profile, pairs) for profile, pairs in found.choice.others.items()]


def _start(found: Checked, profile: str, pairs: list[tuple[str, int]]) -> Start:
    text, services = found.assumed.text, OFFERS[profile].services
    main = min(pairs, key=lambda pair: list(services.values()).index(pair[1]) if pair[1] in services.values() else len(services))
    sections = text.both(text.bound(*main).section)
    document: dict[str, Any] = {
        "schema": 1, "name": f"{found.source.name}, as read", "driver": "haproxy", "profile": profile,
        "config": found.source.name, "claims": _claims(profile, pairs, text), "declares": _declares(profile, text, sections),
    }  # fmt: skip
    document["services"] = {name: endpoint(ip, port) for name, usual in services.items() for ip, port in pairs if port == usual}
    files = {target: "authority" if name == "self-signed" and profile == "ssl-tproxy" else name
             for target, name in found.assumed.targets.items()}  # fmt: skip
    document |= {key: dict(value) for key, value in
                 (("environment", found.environment), ("hosts", found.assumed.hosts), ("files", files)) if value}  # fmt: skip
    missing = _missing(document, text, pairs)
    if profile == "ocs":
        page, unknown = statistics.page(text, main[0], [port for _, port in pairs])
        document["declares"] |= {"administration": page} if page else {}
        missing += unknown
    made = variants.of_pool(text, pairs) if profile == "ocs" else {}
    lasting = document["declares"]["persistence"].get("timer") == "none"
    missing += [f"variants.{name}: {VARIANTS[name]}; without it {row} is not-run" for name, row in _ROWS[profile].items()
                if name not in made and not (name == "short-lifetime" and lasting)]  # fmt: skip
    return Start(profile, document, tuple(missing), made)


def _claims(profile: str, pairs: Collection[tuple[str, int]], text: Text) -> list[str]:
    if profile == "ocs":
        return ["ocs"]
    tls = any(port == OFFERS[profile].services[name] for name in SECURE for _, port in pairs)
    kinds = (("transparent-proxy", _transparent(text)), ("ssl-offload", tls), ("cookie-insert", _first(text, "cookie")))
    return [name for name, there in kinds if there]


def _declares(profile: str, text: Text, sections: list[Section]) -> dict[str, Any]:
    lines = [line for one in sections for part in (one, one.defaults) if part for kind in ("server", "default-server")
             for line in part.all(kind)]  # fmt: skip
    declares: dict[str, Any] = {}
    if any("check" in line.words for line in lines):
        inter = next((value for line in lines if (value := seconds(line.value("inter")))), 2.0)
        fall, rise = (next((int(value) for line in lines if (value := line.value(word)) and value.isdigit()), usual)
                      for word, usual in (("fall", 3), ("rise", 2)))  # fmt: skip
        timeout = next((seconds(line.words[2]) for one in sections if (line := one.find("timeout", "check"))), None)
        kind = "http" if any(one.option("httpchk") for one in sections) else "tcp"
        declares["health_check"] = {"inter": inter, "fall": fall, "rise": rise, "timeout": timeout or inter, "kind": kind}
    declares["persistence"] = _persistence(text, sections)
    if profile == "ocs" and (idle := next((line for one in sections if (line := one.find("timeout", "client"))), None)):
        declares["session"] = {"idle": seconds(idle.words[2]) or "none"}
    if profile == "ssl-tproxy":
        declares["transparency"] = {"address": bool(_transparent(text)), "port": False}
    return declares


def _persistence(text: Text, sections: list[Section]) -> dict[str, Any]:
    rule = variants.rule(sections)
    if rule is not None and rule.words[2:3] == ("src",):
        table = variants.table(text, sections)
        timer, room = (seconds(table.value("expire")), size(table.value("size"))) if table else (None, None)
        return {"key": "source", "timer": timer or "none", "size": room or "none", "returns_after_recovery": False}
    if any(one.find("cookie") for one in sections):
        return {"key": "http-cookie", "timer": "none", "size": "none", "returns_after_recovery": True}
    if any((line := one.find("balance")) and line.words[1:2] == ("source",) for one in sections):
        return {"key": "source", "timer": "none", "size": "none", "returns_after_recovery": True}
    return {"key": "none", "returns_after_recovery": False}


def _missing(document: dict[str, Any], text: Text, pairs: Collection[tuple[str, int]]) -> list[str]:
    said = []
    if "health_check" not in document["declares"]:
        said.append("declares.health_check: no server line has `check`")
    if line := _transparent(text):
        said.append(f"network (front, back, addresses, clients, gateway: true, setup): {line.place}, `usesrc`, needs the routes of the machine")
    proxied = (line for line in text.lines if line.words[0].endswith("server") and {"send-proxy", "send-proxy-v2"} & {*line.words})
    if line := next(proxied, None):
        said.append(f"declares.proxy_protocol and declares.transparency: {line.place}, servers get a PROXY header")
    if any(ip in ("0.0.0.0", "::") for ip, _ in pairs):
        said.append("the VIP in services: a listener takes every address")
    return said


def _transparent(text: Text) -> Line | None:
    return next((line for line in text.lines if "usesrc" in line.words), None)


def _first(text: Text, word: str) -> Line | None:
    return next((line for line in text.lines if line.starts(word)), None)


def write(place: Path, found: Checked, start: Start) -> None:
    """Put the configuration, made-up files and dut.yaml into a new or empty folder."""
    head = _HEAD.format(keys=REPOSITORY / "docs/dut.md", suite=written(REPOSITORY / SUITES[start.profile]), folder=written(place)) + "".join(f"# Declared: {one}.\n" for one in start.allowed)
    head += "".join(f"# Missing: {one}.\n" for one in start.missing)
    try:
        place.mkdir(parents=True, exist_ok=True)
        if any(place.iterdir()):
            raise ReportError(place, "is not empty.", "Name a new folder for --write.")
        (place / found.source.name).write_text(found.source.merged)
        for name, content in found.assumed.contents.items():
            (place / name).write_bytes(content)
        if start.variants:
            start.document["variants"] = variants.write(place, found.source, start.profile, start.variants)
        (place / "dut.yaml").write_text(head + yaml.safe_dump(start.document, sort_keys=False, allow_unicode=True, width=1000))
    except OSError as error:
        raise ReportError(error.filename or place, f"cannot be written: {error.strerror}.", "Name another folder for --write.") from None


def told(found: Checked, made: list[Start], keep: Path | None) -> list[str]:
    """What to do about the other profiles; with `keep` the first of them has been written there."""
    if not made:
        return ["", "Nothing was tested: check tests listeners of RDP, and there is none here."]
    lines = ["", "Nothing was tested: check tests listeners of RDP, and there is none here. What is here has a suite of its own:"]
    for number, one in enumerate(made):
        lines.append(f"  {LOOKS[one.profile]} (profile {one.profile})")
        if keep is None:
            lines.append("    the same command with --write FOLDER leaves a dut.yaml to start from")
        elif number == 0:
            lines.append(f"    {keep / 'dut.yaml'} is written: correct it")
        lines += [f"    declared in it: {text}" for text in one.allowed]
        lines += [f"    missing in it: {text}" for text in one.missing]
        lines.append(f"    pytest {ours(SUITES[one.profile])} --dut {typed(keep) if keep else 'FOLDER'}")
    return lines
