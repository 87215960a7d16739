"""Markdown: results first, what did not pass with its reason, and nothing from outside becomes markup."""

from lbcert.report import markdown, model


def test_a_passing_report(runs):
    text = markdown.render(model.derive(runs.make(runs.passing())))
    assert text.startswith("# HAProxy 2.8.25\n")
    assert "## rdp-cookie: " in text and "health_check inter 2.0" in text.replace("\\_", "_")
    assert "| ✓ | RDP-PERSIST-01 | MUST |" in text


def test_what_did_not_pass_is_explained(runs):
    failed = runs.result("RDP-PERSIST-03", "fail", "ts1 | 0 users", observed="seen: <script>*0* of 200")
    text = markdown.render(model.derive(runs.make(runs.passing(failed))))
    assert "| ✗ | RDP-PERSIST-03 |" in text
    assert "**RDP-PERSIST-03 fail**: ts1 \\| 0 users" in text
    assert "seen: \\<script\\>\\*0\\* of 200" in text
    assert "How to fix it: " in text and "`pytest suites/rdp --dut haproxy:rdp-cookie -k RDP_PERSIST_03" in text
