"""A mutant may change other files of its base's folder, such as the setup script; the lab gets the changed text."""

import pytest
import yaml

from lbcert.drivers.furnish import furnish
from lbcert.dut import DutError, resolve

MUTANT = {"schema": 1, "id": "wrong-mark", "base": "haproxy:tproxy", "summary": "The packets' mark is not the rule's.",
          "targets": ["RDP-PARSE-01"]}  # fmt: skip


class Recorder:
    """A lab that only notes what is put into it."""

    def __init__(self):
        self.files = {}

    def put_files(self, host, files, directories=()):
        self.files |= files

    def run(self, host, argv, cwd="/"):
        return 0, ""


def write(tmp_path, step):
    path = tmp_path / "wrong-mark.yaml"
    path.write_text(yaml.safe_dump(MUTANT | {"change": {"replace": [step]}}))
    return str(path)


def test_a_changed_setup_script_is_what_the_lab_gets(tmp_path):
    product = resolve(write(tmp_path, {"file": "setup-nft.sh", "line": "meta mark set 111", "with": "meta mark set 112"}))
    lab, output = Recorder(), tmp_path / "output"
    output.touch()
    furnish(lab, product.deployments[0], product.folder, output)
    assert b"meta mark set 112" in lab.files["/etc/lbcert/dut/setup-nft.sh"][0]
    assert product.deployments[0].text == resolve("haproxy:tproxy").deployments[0].text


@pytest.mark.parametrize(
    "step, words",
    [({"file": "nosuch.sh", "line": "a", "with": "b"}, "nosuch.sh cannot be read"),
     ({"file": "setup-nft.sh", "line": "nosuch", "with": "b"}, "'nosuch' stands 0 times in .*setup-nft.sh")],
    ids=["no-file", "no-line"],
)  # fmt: skip
def test_what_cannot_be_changed_is_named(step, words, tmp_path):
    with pytest.raises(DutError, match=words):
        resolve(write(tmp_path, step))
