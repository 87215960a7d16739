"""Subordinate ids: the largest grant counts, and without one there is one sentence with the command that helps."""

import pytest

from lbcert.topology.zygote import NoIdRange, subordinate_range

GRANTS = {
    "by-name": ("jane:100000:65536\n", (100000, 65536)),
    "by-number": ("1001:200000:65536\n", (200000, 65536)),
    "largest": ("jane:100000:65536\n1001:300000:131072\njane:1:10\n", (300000, 131072)),
    "others-left-out": ("john:100000:65536\njane:400000:65536\n", (400000, 65536)),
    "just-enough": ("jane:100000:65535\n", (100000, 65535)),
    "broken-lines-left-out": ("\n# note\njane:x:65536\njane:1\njane:500000:65536\n", (500000, 65536)),
}
REFUSALS = {
    "empty": ("", "100000-165535"),
    "other": ("john:100000:65536\n", "165536-231071"),
    "too-few": ("jane:100000:65534\n", "165534-231069"),
    "two-halves": ("jane:100000:32768\njane:200000:32768\n", "232768-298303"),
}
"""text of the file, and a range that nobody has"""


@pytest.mark.parametrize("text, expected", GRANTS.values(), ids=GRANTS.keys())
def test_the_largest_grant_counts(tmp_path, text, expected):
    (tmp_path / "subuid").write_text(text)
    assert subordinate_range(str(tmp_path / "subuid"), 1001, "jane") == expected


@pytest.mark.parametrize("text, free", REFUSALS.values(), ids=REFUSALS.keys())
def test_without_a_grant_the_command_is_named(tmp_path, text, free):
    (tmp_path / "subuid").write_text(text)
    with pytest.raises(NoIdRange, match=f"usermod --add-subuids {free} .* jane$"):
        subordinate_range(str(tmp_path / "subuid"), 1001, "jane")


def test_without_the_file_too(tmp_path):
    with pytest.raises(NoIdRange, match="grants jane no 65,536 subordinate ids"):
        subordinate_range(str(tmp_path / "absent"), 1001, "jane")
