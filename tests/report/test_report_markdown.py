"""Markdown: results first, what did not pass with its reason, and nothing from outside becomes markup."""

import pytest

from lbcert.report import markdown, model


def test_a_passing_report(runs):
    text = markdown.render(model.derive(runs.make(runs.passing())))
    assert text.startswith("# HAProxy 2.8.25\n")
    assert "## ✓ rdp-cookie: certified\n" in text and "health check inter 2 s · fall 3" in text
    assert "| ✓ pass | RDP-PERSIST-01 | MUST |" in text
    assert "How to fix it" not in text and "Not judged" not in text


def test_every_requirement_is_in_the_table_once(runs):
    text = markdown.render(model.derive(runs.make([])))
    table = [line.split(" | ")[1] for line in text.splitlines() if line.startswith("| – not-run")]
    assert table == list(runs.ids)


def test_what_did_not_pass_is_explained(runs):
    failed = runs.result("RDP-PERSIST-03", "fail", "ts1 | 0 users", observed="seen: <script>*0* of 200")
    text = markdown.render(model.derive(runs.make(runs.passing(failed))))
    assert "| ✗ fail | RDP-PERSIST-03 |" in text
    assert "### ✗ fail: RDP-PERSIST-03\n" in text and "**ts1 \\| 0 users**" in text
    assert "seen: \\<script\\>\\*0\\* of 200" in text
    assert "How to fix it: " in text and "`pytest suites/rdp --dut haproxy:rdp-cookie -k RDP_PERSIST_03" in text
    assert "add `hash-type map-based sdbm avalanche` to `balance rdp-cookie`" in text, "the catalogue's code stays code"


def test_what_was_not_judged_is_one_line_for_each_reason(runs):
    text = markdown.render(model.derive(runs.make([runs.result("RDP-PARSE-01", "setup-error", "no listener")])))
    assert "- ⚠ setup-error: RDP-PARSE-01: no listener\n" in text
    assert text.count("- – not-run: ") == 1 and model.NO_TEST in text
    assert "*setup-error*: See to the set-up first" in text


@pytest.mark.parametrize("bad, shown", [
    ("`# x`", "\\`\\# x\\`"),
    ("<b>&lt;", "\\<b\\>\\&lt;"),
    ("a\n## b\n", "a \\#\\# b"),
    ("[x](javascript:1)", "\\[x\\](javascript:1)"),
    ("a\u202eb\x1b[0m\u061c\U000e0041", "a\\u202eb\\u001b\\[0m\\u061c\\ue0041"),
    ("- x", "\\- x"),
    ("1. x", "1\\. x"),
    ("x" * 100_000, "x" * 597 + "..."),
])  # fmt: skip
def test_text_from_outside_stays_text(runs, bad, shown):
    failed = runs.result("RDP-PARSE-01", "fail", bad, observed=bad, expected=bad)
    report = model.derive(runs.make(runs.passing(failed), dut={"name": bad, "version": bad}))
    text = markdown.render(report).replace("\\\\u", "\\u")
    assert text.startswith(f"# {shown} {shown}\n") and f"**{shown}**" in text
    assert f"- Expected: {shown}\n  Observed: {shown}\n" in text


@pytest.mark.parametrize("command, shown", [
    ("pytest --dut 'a`b'", "``pytest --dut 'a`b'``"),
    ("`x", "`` `x ``"),
    ("x\n# y", "`x # y`"),
])  # fmt: skip
def test_a_command_is_one_piece_of_code(command, shown):
    assert markdown._code(command) == shown
