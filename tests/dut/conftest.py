"""DUT folders made by a test."""

import pytest

GOOD = """\
schema: 1
name: Mine
driver: haproxy
profile: rdp
config: x.cfg
"""


@pytest.fixture
def folder(tmp_path):
    """A folder with a configuration; `folder(text)` writes dut.yaml, by default a good one."""

    def make(text: str = GOOD):
        (tmp_path / "x.cfg").write_text("listen x\n")
        (tmp_path / "dut.yaml").write_text(text)
        return tmp_path

    return make
