"""Examples and tables in the documents are those of the code."""

import re

import pytest
import yaml
from docs_rig import ROOT, blocks

from lbcert import dut
from lbcert.balancer.defects import SWITCHES
from lbcert.dut_model import VARIANTS
from lbcert.report import expected
from lbcert.verdicts import WORST_FIRST, Result

DUTS = blocks("yaml dut.yaml")
MUTANTS = blocks("yaml mutant.yaml")
KNOWN = blocks("yaml expected.yaml")
QUOTED = [block for block in blocks() if re.fullmatch(r"(yaml|python) [\w/-]+/[\w.-]+", block.info)]
BASE = {"schema": 1, "name": "An example", "driver": "haproxy"}
ALONE = {"profile": "rdp", "config": "haproxy.cfg"}


def place(block):
    return block.place


def test_there_are_examples():
    assert len(DUTS) >= 7 and len(MUTANTS) == 3 and KNOWN and len(QUOTED) >= 3


@pytest.mark.parametrize("block", DUTS, ids=place)
def test_dut_yaml(block, tmp_path):
    """The schema, and all that lbcert checks beyond it. A fragment is completed with the keys that it is not about."""
    text = block.text
    if "schema:" not in text:
        keys = yaml.safe_load(text)
        text = yaml.safe_dump({**BASE, **({} if "deployments" in keys else ALONE)}) + text
    data = yaml.safe_load(text)
    for body in data.get("deployments", {"": data}).values():
        files = [body["config"], body.get("network", {}).get("setup"), *body.get("files", {}).values(),
                 *body.get("variants", {}).values()]  # fmt: skip
        for name in files:
            if name and name != "self-signed":
                (tmp_path / name).write_text("expire 4s\n" if name in body.get("variants", {}).values() else "")
    (tmp_path / "dut.yaml").write_text(text)
    assert dut.load(tmp_path / "dut.yaml", "example").deployments


@pytest.mark.parametrize("block", MUTANTS, ids=place)
def test_mutant(block, tmp_path):
    path = tmp_path / "mutant.yaml"
    path.write_text(block.text)
    assert dut.load_mutant(path, "mutant").mutant.targets


@pytest.mark.parametrize("block", MUTANTS, ids=place)
def test_mutant_is_the_one_of_its_name(block):
    shown = yaml.safe_load(block.text)
    assert shown == yaml.safe_load((ROOT / "mutants" / f"{shown['id']}.yaml").read_text())


@pytest.mark.parametrize("block", KNOWN, ids=place)
def test_expected_yaml(block, tmp_path):
    path = tmp_path / "expected.yaml"
    path.write_text(block.text)
    assert expected.load(path).deployments


@pytest.mark.parametrize("block", QUOTED, ids=place)
def test_quoted_code_stands_in_its_file(block):
    assert block.text in (ROOT / block.info.split()[1]).read_text()


def rows(page, heading):
    """The cells of the first table below a heading."""
    text = (ROOT / "docs" / page).read_text().partition(f"## {heading}\n")[2]
    table = re.search(r"(^\|.*\n)+", text, re.MULTILINE)[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_every_defect_is_listed():
    wanted = [(f"`{name}`", switch.summary, limits(switch)) for name, switch in SWITCHES.items()]
    assert [(name, what, only) for name, _value, what, only in rows("mutants.md", "The defects of `ideal`")] == wanted


def limits(switch):
    word = {None: "", True: "returns", False: "stays"}[switch.returns]
    key = {None: "", "rdp-cookie": "name", "source": "source"}[switch.key]
    needs = f"`{switch.needs}`" if switch.needs else ""
    return ", ".join(filter(None, (switch.method, word, key, needs)))


def test_every_variant_is_listed():
    assert rows("dut.md", "variants") == [[f"`{name}`", meaning] for name, meaning in VARIANTS.items()]


def test_every_verdict_is_listed_from_the_worst_to_the_best():
    named = [row[0] for row in rows("verdicts.md", "Verdicts of a requirement")]
    assert named == [f"`{verdict}`" for verdict in WORST_FIRST]


def test_every_result_is_listed():
    named = [row[0] for row in rows("verdicts.md", "Result of a deployment")]
    assert sorted(named) == sorted(f"`{result}`" for result in Result)


def test_every_name_for_tests_exists():
    from lbcert import api
    from lbcert.addresses import Sources
    from lbcert.lab import Lab

    text = (ROOT / "docs" / "writing-tests.md").read_text()
    for name in re.findall(r"^\| (`.*?) \|", text.partition("Everything comes from")[2], re.MULTILINE):
        for word in re.findall(r"`([A-Za-z_.]+)", name):
            owner, _, attribute = word.rpartition(".")
            if owner == "lab.sources":
                assert hasattr(Sources, attribute), word
            elif owner in ("lab", "Lab"):
                assert hasattr(Lab, attribute) or attribute in Lab.__init__.__code__.co_names, word
            elif not owner:
                assert hasattr(api, word), word


def test_every_error_message_is_one_of_ours():
    """What stands between the … of each message stands in the sources; those of others are marked as such."""
    sources = "\n".join(path.read_text() for folder, kind in (("harness/lbcert", "*.py"), ("tools", "*.sh"))
                        for path in sorted((ROOT / folder).rglob(kind)))  # fmt: skip
    sources = re.sub(r'"\s*\n\s*f?"', "", sources)  # texts that are written in several strings
    missing = []
    for heading in ("`make`", "The machine makes no lab", "`--dut` and other options", "The product",
                    "`lbcert report` and `lbcert verify`"):
        for message, _remedy in rows("troubleshooting.md", heading):
            if not message.endswith("'s)") and "[Errno" not in message:
                fragments = [part.strip(" ':.…") for span in re.findall(r"`([^`]+)`", message) for part in span.split("…")]
                missing += [part for part in fragments if part not in sources]
    assert not missing, missing
