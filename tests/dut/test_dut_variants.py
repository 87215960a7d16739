"""Variants: the same configuration but for one value, and nothing else under that name."""

import pytest

from lbcert.dut import DutError, load

TEXT = "listen x\n    expire 8h\n    server a\n"
YAML = "schema: 1\nname: Mine\ndriver: haproxy\nprofile: rdp\nconfig: x.cfg\nvariants: {short-lifetime: short.cfg}\n"


@pytest.fixture
def variant(folder, tmp_path):
    def make(text: str, yaml: str = YAML):
        folder(yaml)
        (tmp_path / "x.cfg").write_text(TEXT)
        (tmp_path / "short.cfg").write_text(text)
        return load(tmp_path / "dut.yaml", "x").deployments[0]

    return make


def test_one_value_differs(variant):
    deployment = variant("# for the tests\n" + TEXT.replace("8h", "4s"))
    short = deployment.as_variant("short-lifetime")
    assert "expire 4s" in short.text and (short.id, short.name) == ("rdp", "rdp.short-lifetime")
    assert "expire 8h" in deployment.text and deployment.name == "rdp"


@pytest.mark.parametrize("text", [TEXT.replace("8h", "4s").replace("server a", "server b"), TEXT * 2, ""])
def test_more_than_one_line_differs(variant, text):
    with pytest.raises(DutError, match="differs from x.cfg in more than one line"):
        variant(text)


@pytest.mark.parametrize("text", [TEXT, "# shorter\n" + TEXT])
def test_nothing_differs(variant, text):
    with pytest.raises(DutError, match="short.cfg does not differ from x.cfg. In it a persistence entry lives 4 s"):
        variant(text)


def test_unknown_variant(variant):
    with pytest.raises(DutError, match="'shorter' is no known variant.*short-lifetime"):
        variant(TEXT, YAML.replace("short-lifetime", "shorter"))
