"""Reading DUT folders (dut.yaml) and mutants (one file each) into `dut_model` values.

Every error is a DutError that names the file, the line and the field, and says what to do.
"""

from __future__ import annotations

import copy
import difflib
import ipaddress
import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from . import catalogue
from .dut_model import LINES_OF, UNDECLARED_CHECK, VARIANTS, Declares, Deployment, HealthCheck, Mutant, Product
from .offers import OFFERS
from .report import yamlfile
from .report.errors import ReportError

REPOSITORY = Path(__file__).resolve().parents[2]
DUTS = REPOSITORY / "duts"
MUTANTS = REPOSITORY / "mutants"
_REMEDY = "See docs/dut.md for the keys and an example."
_MUTANT_REMEDY = "See docs/mutants.md for the keys and an example."
_PER_DEPLOYMENT = (
    "profile", "config", "claims", "declares", "variants", "services", "network", "hosts", "files", "environment", "documents"
)  # fmt: skip


class DutError(ReportError):
    """A dut.yaml, a mutant or the --dut option is wrong."""


@cache
def _rules(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((Path(__file__).parent / name).read_text()))


def known_names() -> list[str]:
    """The names that --dut knows without a path."""
    return sorted(path.parent.name for path in DUTS.glob("*/dut.yaml"))


def resolve(reference: str) -> Product:
    """What `--dut NAME|PATH[:DEPLOYMENT]` refers to."""
    text, _, chosen = reference.rpartition(":")
    if not text or "/" in chosen:
        text, chosen = reference, ""
    path = _find(text, reference)
    product = load_mutant(path, reference) if path.parent == MUTANTS or _is_mutant(path) else load(path, reference)
    if not chosen:
        return product
    names = [deployment.id for deployment in product.deployments]
    if chosen not in names:
        raise DutError("--dut", f"{text} has no deployment {chosen!r}.", f"It has: {', '.join(names)}.")
    return replace(product, deployments=(product.deployment(chosen),))


def _find(text: str, reference: str) -> Path:
    # ./haproxy is a folder here, whatever ours are called.
    named = [] if text.startswith(".") else [DUTS / text / "dut.yaml", MUTANTS / f"{text}.yaml"]
    candidates = [*named, Path(text) / "dut.yaml", Path(text)]
    for path in candidates:
        if path.is_file() and path.suffix in (".yaml", ".yml"):
            return path.resolve()
    if Path(text).is_dir():
        raise DutError("--dut", f"{text} has no dut.yaml.", _REMEDY)
    names = ", ".join(known_names())
    raise DutError("--dut", f"{reference!r} is no known DUT and no folder.", f"Known: {names}; or give a folder's path.")


def _is_mutant(path: Path) -> bool:
    try:
        data = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return False
    return isinstance(data, dict) and "base" in data and "targets" in data


def load(path: Path, reference: str) -> Product:
    """Read a dut.yaml."""
    file = yamlfile.read(path, _rules("dut.schema.json"), _REMEDY, DutError)
    data = file.data
    top = [key for key in _PER_DEPLOYMENT if key in data]
    if "deployments" in data and top:
        raise file.error((top[0],), "stands beside deployments.", "Move it into one of the deployments.", DutError)
    if "deployments" not in data:
        for key in ("profile", "config"):
            if key not in data:
                raise file.error((), f"neither deployments nor {key} is there.", _REMEDY, DutError)
    described: dict[str, tuple[tuple, dict]] = {
        name: (("deployments", name), body) for name, body in data.get("deployments", {}).items()
    } or {data["profile"]: ((), {key: data[key] for key in top})}
    deployments = tuple(_deployment(file, place, name, body) for name, (place, body) in described.items())
    return Product(
        ref=reference.rpartition(":")[0] if ":" in reference and "/" not in reference.rpartition(":")[2] else reference,
        name=data["name"],
        vendor=data.get("vendor", ""),
        driver=data["driver"],
        folder=path.parent,
        deployments=deployments,
        binary=data.get("binary"),
    )


def _deployment(file: yamlfile.YamlFile, place: tuple, name: str, body: dict[str, Any]) -> Deployment:
    config, text = _configuration(file, (*place, "config"), body["config"])
    variants = {}
    texts = {}
    for variant, source in body.get("variants", {}).items():
        where = (*place, "variants", variant)
        if variant not in VARIANTS:
            known = "; ".join(f"{one}: {meaning}" for one, meaning in VARIANTS.items())
            raise file.error(where, f"{variant!r} is no known variant.", f"Known: {known}.", DutError)
        variants[variant], texts[variant] = _configuration(file, where, source)
        most = LINES_OF.get(variant, 1)
        if not (changed := changed_lines(text, texts[variant])):
            raise file.error(where, f"{source} does not differ from {body['config']}.",
                             f"In it {VARIANTS[variant]}; leave it out where there is none.", DutError)  # fmt: skip
        if len(changed) > 2 * most:
            lines = "one line" if most == 1 else f"{most} lines"
            raise file.error(where, f"{source} differs from {body['config']} in more than {lines}: {' / '.join(changed[:6])}.",
                             "A variant is the same file but for the one value.", DutError)  # fmt: skip
    _check_addresses(file, place, body)
    for index, document in enumerate(body.get("documents", ())):
        if document["requirement"] not in (known := catalogue.requirements()):
            raise file.error((*place, "documents", index, "requirement"), f"{document['requirement']!r} is no requirement.",
                             f"Known: {', '.join(sorted(known))}.", DutError)  # fmt: skip
    for target, source in body.get("files", {}).items():
        if source not in ("self-signed", "authority") and not (file.path.parent / source).is_file():
            raise file.error((*place, "files", target), f"{source} is not a file of this folder.",
                             "Name one, or write self-signed or authority.", DutError)  # fmt: skip
    _check_services(file, place, body)
    _check_setup(file, (*place, "network", "setup"), body.get("network", {}).get("setup"))
    return Deployment(
        id=name,
        profile=body["profile"],
        config=config,
        text=text,
        claims=tuple(body.get("claims", ())),
        declares=declares(body.get("declares", {})),
        services=body.get("services", {}),
        network=body.get("network", {}),
        hosts=body.get("hosts", {}),
        files=body.get("files", {}),
        environment=body.get("environment", {}),
        documents=tuple(body.get("documents", ())),
        variants=variants,
        texts=texts,
    )


def _configuration(file: yamlfile.YamlFile, place: tuple, name: str, folder: Path | None = None) -> tuple[Path, str]:
    path = (folder or file.path.parent) / name
    try:
        return path, path.read_text(encoding="utf-8")
    except OSError as error:
        raise file.error(place, f"{path} cannot be read: {error.strerror}.", "Name a file of this folder.", DutError) from None
    except UnicodeDecodeError as error:
        raise file.error(place, f"{path} is not UTF-8 (byte {error.start}).", "Save it as UTF-8.", DutError) from None


def changed_lines(text: str, other: str) -> list[str]:
    """The lines in which two configurations differ, marked - and +; blank lines and whole-line comments do not count."""
    rows = [[line.strip() for line in one.splitlines() if line.strip() and not line.strip().startswith("#")]
            for one in (text, other)]  # fmt: skip
    return [line for line in difflib.unified_diff(*rows, lineterm="", n=0) if not line.startswith(("---", "+++", "@@"))]


def _check_services(file: yamlfile.YamlFile, place: tuple, body: dict[str, Any]) -> None:
    """A service of another profile would be passed over in silence."""
    known = OFFERS[body["profile"]].services if body["profile"] in OFFERS else body.get("services", {})
    for name in body.get("services", {}):
        if name not in known:
            raise file.error((*place, "services", name), f"the profile {body['profile']} has no service {name!r}.",
                             f"It has: {', '.join(known)}.", DutError)  # fmt: skip


def _check_setup(file: yamlfile.YamlFile, place: tuple, setup: str | None) -> None:
    if setup is None:
        return
    path = file.path.parent / setup
    if not path.is_file():
        raise file.error(place, f"{setup} is not a file of this folder.", "Name one.", DutError)
    try:
        first = path.read_bytes().partition(b"\n")[0]
    except OSError as error:
        raise file.error(place, f"{path} cannot be read: {error.strerror}.", "Allow yourself to read it.", DutError) from None
    if first.endswith(b"\r"):
        raise file.error(place, f"the lines of {setup} end with a carriage return, as on Windows, which a shell takes for a part of "
                         "each line.", "Save it with line feeds alone (`sed -i 's/\\r$//'`).", DutError)  # fmt: skip


def _check_addresses(file: yamlfile.YamlFile, place: tuple, body: dict[str, Any]) -> None:
    """JSON Schema cannot say what an address is."""
    network = body.get("network", {})
    wanted: list[tuple[tuple, str, Any, str]] = []
    for key in ("front", "back"):
        if key in network:
            wanted.append(((*place, "network", key), network[key], ipaddress.ip_network, "192.168.0.0/24"))
    for index, text in enumerate(network.get("addresses", ())):
        wanted.append(((*place, "network", "addresses", index), text, ipaddress.ip_interface, "10.0.0.142/24"))
    for index, text in enumerate(network.get("clients", ())):
        wanted.append(((*place, "network", "clients", index), text, ipaddress.ip_network, "10.0.0.0/24"))
    for name, text in body.get("hosts", {}).items():
        wanted.append(((*place, "hosts", name), text, ipaddress.ip_address, "192.168.0.11"))
    for name, text in body.get("services", {}).items():
        wanted.append(((*place, "services", name), text.rpartition(":")[0].strip("[]"), ipaddress.ip_address,
                       "192.168.0.10:3389"))  # fmt: skip
    for where, text, reader, example in wanted:
        try:
            reader(text)
        except ValueError as error:
            raise file.error(where, f"{error}.", f"Write it like {example}.", DutError) from None


def declares(raw: dict[str, Any]) -> Declares:
    """The values a deployment is held to; a check without its own timeout gives up after `inter`."""
    check = raw.get("health_check")
    return Declares(
        HealthCheck(
            inter=check["inter"], fall=check["fall"], rise=check["rise"],
            timeout=check.get("timeout", check["inter"]), kind=check.get("kind", "tcp"),
        ) if check else UNDECLARED_CHECK,
        dict(raw.get("persistence", {})),
        dict(raw.get("session", {})),
        raw,
    )  # fmt: skip


# -- mutants --------------------------------------------------------------------------------------


def load_mutant(path: Path, reference: str) -> Product:
    """A known deployment with one thing changed."""
    file = yamlfile.read(path, _rules("mutant.schema.json"), _MUTANT_REMEDY, DutError)
    data = file.data
    base = resolve(data["base"])
    deployment = base.deployments[0]
    raw = _merged(deployment.declares.raw, data.get("declares", {}))
    change = data.get("change", {})
    text = _changed(file, change, deployment.text, deployment.config)
    # What a variant itself changes is not there to be changed again.
    texts = {name: _changed(file, _applicable(change, one), one, deployment.variants[name]) for name, one in deployment.texts.items()}
    changed = replace(deployment, text=text, texts=texts, declares=declares(raw), edited=_edited(file, change, base.folder))
    about = Mutant(data["id"], data["base"], data["summary"], tuple(data["targets"]), tuple(data.get("may_block", ())),
                   data.get("tier", "ci"))  # fmt: skip
    return replace(base, ref=str(_shown(path)), name=f"{base.name}, mutant {about.id}", deployments=(changed,), mutant=about)


def _applicable(change: dict[str, Any], text: str) -> dict[str, Any]:
    """A mutant's change without the steps whose lines do not stand in `text`, the text of a variant."""
    lines = {line.strip() for line in text.split("\n")}
    steps = [step for step in change.get("replace", ()) if "file" in step or step.get("part", "\0") in text
             or step.get("line", "\0").strip() in lines]  # fmt: skip
    return {**change, "replace": steps} if "replace" in change else change


def _changed(file: yamlfile.YamlFile, change: dict[str, Any], text: str, config: Path) -> str:
    """A configuration with a mutant's change made in it."""
    if "set" in change:
        text = yaml.safe_dump(_merged(yaml.safe_load(text), change["set"]), sort_keys=False)
    for index, step in enumerate(change.get("replace", ())):
        if "file" not in step:
            text = _step(file, ("change", "replace", index), step, text, config)
    return text


def _edited(file: yamlfile.YamlFile, change: dict[str, Any], folder: Path) -> dict[str, str]:
    """The folder's other files that a mutant changes, such as the setup script: name -> text."""
    texts: dict[str, str] = {}
    for index, step in enumerate(change.get("replace", ())):
        if "file" in step:
            name, place = step["file"], ("change", "replace", index)
            if name not in texts:
                _, texts[name] = _configuration(file, (*place, "file"), name, folder)
            texts[name] = _step(file, place, step, texts[name], folder / name)
    return texts


def _step(file: yamlfile.YamlFile, place: tuple, step: dict[str, Any], text: str, config: Path) -> str:
    """A text with one step of a mutant's change made in it."""
    if "part" in step:
        if (count := text.count(step["part"])) != 1:
            raise file.error(place, f"{step['part']!r} stands {count} times in {config}.",
                             "It must stand there once.", DutError)  # fmt: skip
        return text.replace(step["part"], step["with"])
    lines = text.split("\n")
    at = [number for number, line in enumerate(lines) if line.strip() == step["line"].strip()]
    if len(at) != 1:
        raise file.error(place, f"{step['line']!r} stands {len(at)} times in {config}.",
                         "It must stand there once.", DutError)  # fmt: skip
    indent = lines[at[0]][: len(lines[at[0]]) - len(lines[at[0]].lstrip())]
    lines[at[0] : at[0] + 1] = [indent + line for line in step["with"].splitlines()]
    return "\n".join(lines)


def _shown(path: Path) -> Path:
    try:
        return path.relative_to(REPOSITORY)
    except ValueError:
        return path


def _merged(base: Any, change: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(change, dict)):
        return copy.deepcopy(change)
    merged = dict(base)
    for key, value in change.items():
        merged[key] = _merged(base.get(key), value)
    return merged
