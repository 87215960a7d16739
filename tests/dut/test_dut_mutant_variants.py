"""A mutant's change is made in the variants too, but for lines that are what a variant changes itself."""

import pytest
import yaml

from lbcert.dut import DutError, load_mutant

BASE = "listen a\n    source 0.0.0.0 usesrc clientip\n    cookie X insert\n    timeout client 8h\n"
VARIANTS = {"not-transparent": BASE.replace("usesrc clientip", ""), "short-lifetime": BASE.replace("8h", "4s")}


@pytest.fixture
def mutant(tmp_path):
    def make(step):
        folder = tmp_path / "lb"
        folder.mkdir()
        for name, text in {"lb.cfg": BASE, **{f"{name}.cfg": text for name, text in VARIANTS.items()}}.items():
            (folder / name).write_text(text)
        about = {"schema": 1, "name": "Mine", "driver": "haproxy", "profile": "rdp", "config": "lb.cfg",
                 "variants": {name: f"{name}.cfg" for name in VARIANTS}}  # fmt: skip
        (folder / "dut.yaml").write_text(yaml.safe_dump(about))
        file = {"schema": 1, "id": "changed", "base": f"{folder}:rdp", "summary": "One thing is changed.",
                "targets": ["RDP-PARSE-01"], "change": {"replace": [step]}}  # fmt: skip
        path = tmp_path / "changed.yaml"
        path.write_text(yaml.safe_dump(file))
        return load_mutant(path, str(path)).deployments[0]

    return make


def test_a_line_that_a_variant_leaves_alone_is_changed_in_it(mutant):
    made = mutant({"line": "cookie X insert", "with": "cookie Y insert"})
    assert all("cookie Y" in text and "cookie X" not in text for text in (made.text, *made.texts.values()))


def test_a_line_that_a_variant_changes_stays_as_the_variant_has_it(mutant):
    made = mutant({"part": "source 0.0.0.0 usesrc clientip\n    cookie X", "with": "cookie Y"})
    assert "cookie Y" in made.text and "cookie Y" in made.texts["short-lifetime"]
    assert made.texts["not-transparent"].split() == VARIANTS["not-transparent"].split()


def test_a_line_that_is_nowhere_is_an_error(mutant):
    with pytest.raises(DutError, match="stands 0 times"):
        mutant({"line": "cookie Z insert", "with": ""})
