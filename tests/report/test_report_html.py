"""The HTML page: everything is in it, and nothing of the product's gets out of its text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from lbcert.report import charts, html, model

HOSTILE = ['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', "'><svg/onload=alert(1)>", "{{ 7*7 }}",
           "</style><b>", "javascript:alert(1)", "`<i>`",
           "</script><script>alert(1)</script>", "<!--", "]]>&amp;&#60;b&#62;", "\u05e2\u05d1\u05e8 <b>" + "x" * 9_999]

DISTRIBUTION = {"kind": "distribution", "title": "Sequential", "unit": "users", "servers": {"ts1": 99, "ts2": 140},
                "allowed": [66, 134]}
TIMELINE = {"kind": "timeline", "title": "Users of ts1", "zero": "fault: ts1 dark", "events": [
    {"t": 0.0, "label": "ts1 dark", "role": "fault"}, {"t": 12.01, "label": "DOWN", "role": "detection"},
    {"t": 12.2, "label": "u1 on ts2", "role": "served"}, {"t": 13.0, "label": "detection limit", "role": "limit"},
    {"t": 20.0, "label": "ts1 up", "role": "return"}, {"t": 13.5, "label": "session", "role": "close"},
    {"t": 1.0, "label": "u1 waits", "role": "other"}]}


class Page(HTMLParser):
    """What a browser would make of the page: its tags, attributes and text."""

    VOID = {"meta", "path", "rect", "circle", "br"}

    def __init__(self, text: str):
        super().__init__(convert_charrefs=True)
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        assert self.open == [], f"never closed: {self.open}"

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.add(tag)
        self.attributes += attributes

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, text):
        self.words.append(text)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())

    def values(self, name: str) -> list[str | None]:
        return [value for key, value in self.attributes if key == name]


def page(report) -> Page:
    return Page(html.render(report))


@pytest.fixture
def report(runs):
    return model.derive(runs.make(runs.passing(
        runs.result("RDP-PERSIST-03", figures=[DISTRIBUTION]),
        runs.result("RDP-FAIL-01", "fail", "u17 was closed with 0 bytes", figures=[TIMELINE],
                    evidence=["history/fail_01.jsonl", "../../etc/passwd", "history/../../x.txt", "/etc/x.txt",
                              "log: ts1 is DOWN"]),
        runs.result("RDP-FAIL-05", "non-strict", "still open"),
        runs.result("RDP-FAIL-06", "blocked", "RDP-PERSIST-01 failed"))))


def test_the_order_of_the_page(report):
    text = page(report).text
    places = [text.index(words) for words in (
        "HAProxy 2.8.25", "failed rdp-cookie", "inter 2 s · fall 3 · rise 2 · timeout 2 s · kind tcp",
        "returns after recovery yes", "Core (MUST)", "In detail", "Why it matters", "How to fix it",
        "pytest suites/rdp --dut haproxy:rdp-cookie -k RDP_FAIL_01 --seed 7", "What this report does not prove", "What the words mean",
        "6.18.5", "Limits that had to be lowered", "timeout client 1h")]
    assert places == sorted(places)


def test_each_requirement_has_a_row_that_links_to_its_detail(report, runs):
    seen = page(report)
    for name in runs.ids:
        assert f"#rdp-cookie.{name}" in seen.values("href") and f"rdp-cookie.{name}" in seen.values("id")
    assert all(value[1:] in seen.values("id") for value in seen.values("href") if value.startswith("#"))
    assert len(seen.values("id")) == len(set(seen.values("id")))


def test_the_remedy_is_shown_where_something_is_to_be_done(report):
    text = page(report).text
    assert text.count("How to fix it") == 3
    assert text.count("See to the requirement named in the reason first") == 1


def test_the_legend_defines_every_verdict_and_result(report):
    text = page(report).text
    for word in (*html.Verdict, *html.Result):
        assert word.meaning in text


def test_evidence_links_only_into_the_run_directory(report):
    links = page(report).values("href")
    assert "history/fail_01.jsonl" in links
    assert not [link for link in links if ".." in link or not link.startswith(("#", "https://", "history/"))]


def test_no_script_and_no_network(report):
    seen = page(report)
    assert seen.tags.isdisjoint({"script", "img", "link", "iframe", "object", "embed", "form", "base"})
    assert "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'" in seen.values("content")
    assert not [name for name, _ in seen.attributes if name.startswith("on") or name == "src"]
    style = html.render(report).split("<style>")[1].split("</style>")[0]
    assert "url(" not in style and "@import" not in style and "http" not in style


@pytest.mark.parametrize("bad", HOSTILE)
def test_hostile_text_stays_text(runs, bad: str):
    figures = [{"kind": "distribution", "title": bad, "unit": bad, "servers": {bad: 1, "x": 2}, "allowed": [0, 1]},
               {"kind": "timeline", "title": bad, "zero": bad, "events": [{"t": 1, "label": bad, "role": "fault"}]}]
    result = runs.result("RDP-PARSE-01", "fail", bad, expected=bad, observed=bad, evidence=[bad], case=bad,
                         figures=figures, measurements=[{"id": bad, "value": 1, "unit": bad, "requirement": bad}])
    run = runs.make([result | {"deployment": bad}], id=bad, config=bad, config_sha256=bad, declares={bad: {bad: bad}},
                    dut={"name": bad, "vendor": bad, "version": bad, "driver": bad, "ref": bad,
                         "build": {"origin": bad, "sha256": bad, "details": bad}})
    runs.edit(lambda data: data.update(command=bad) or data["environment"].update(
        kernel=bad, python=bad, deadlines={bad: 1.0}, lowered_limits={bad: {bad: bad}}))
    seen = page(model.write(run))
    harmless = page(model.derive(runs.make(runs.passing(runs.result(
        "RDP-PARSE-01", "fail", "x", evidence=["x"], figures=[DISTRIBUTION, TIMELINE],
        measurements=[{"id": "x", "value": 1, "unit": "x"}])))))
    assert seen.tags - harmless.tags <= {"code"}
    assert {name for name, _ in seen.attributes} <= {name for name, _ in harmless.attributes}
    assert not [link for link in seen.values("href") if not link.startswith(("#", "https://"))]
    assert bad.replace("`", "") in seen.text.replace("`", "")


@pytest.mark.parametrize("bad", HOSTILE)
def test_a_report_from_elsewhere_may_hold_anything(report, bad: str):
    for row in report["deployments"][0]["requirements"]:
        for key in ("id", "title", "group", "feature", "pass", "why", "remedy", "not_proved", "reproduce", "reason"):
            row[key] = bad
        row["needs"], row["source"] = [bad], [{"text": bad}]
    report["not_proved"], report["notes"] = [bad], [bad]
    seen = page(report)
    assert seen.tags.isdisjoint({"script", "img", "i", "b"}) and bad.replace("`", "") in seen.text.replace("`", "")


@pytest.mark.parametrize("hidden", ["\x00", "\x1b[31m", "\u202e", "\u200b", "\ud800", "\x9b", "\r", "\u061c", "\xad", "\U000e0041"])
def test_characters_that_hide_text_are_shown(runs, hidden: str):
    text = html.render(model.derive(runs.make([runs.result("RDP-PARSE-01", "fail", f"a{hidden}b")])))
    assert hidden[0] not in text and f"\\u{ord(hidden[0]):04x}" in text
    text.encode("utf-8")


def test_no_version_and_nothing_declared(runs):
    text = page(model.derive(runs.make([], dut={"version": None, "vendor": None, "driver": None, "build": None},
                                       declares={}, finished=False))).text
    assert "HAProxy version unknown" in text and "Nothing was declared" in text and "did not come to its end" in text


def test_a_run_without_deployments(runs):
    runs.make([])
    assert "No deployment was run" in page(model.write(runs.edit(lambda run: run.update(deployments=[])))).text


def test_a_report_with_the_contract_only(report):
    for row in report["deployments"][0]["requirements"]:
        for key in set(row) - {"id", "level", "feature", "verdict", "reason", "tests"}:
            del row[key]
        for test in row["tests"]:
            del test["figures"], test["reason"]
    for key in ("notes", "command"):
        del report[key]
    for key in ("title", "claims"):
        del report["deployments"][0][key]
    assert "RDP-FAIL-06" in page(report).text


@pytest.mark.parametrize(("verdict", "sentence"), [
    ("fail", "Not met: RDP-PARSE-01."),
    ("setup-error", "Not judged: RDP-PARSE-01. HAProxy rejects x.cfg:14."),
    ("waived", "No MUST failed; set aside or without its variant: RDP-PARSE-01."),
    ("pass", "All 8 MUST requirements of the profile rdp are met."),
])
def test_the_result_in_one_sentence(runs, verdict: str, sentence: str):
    assert sentence in page(model.derive(runs.make(runs.passing(runs.result("RDP-PARSE-01", verdict, "HAProxy rejects x.cfg:14."))))).text


def test_what_is_not_claimed_is_not_called_met(runs):
    report = model.derive(runs.make(runs.passing()))
    row = next(row for row in report["deployments"][0]["requirements"] if row["level"] == "MUST")
    row.update(verdict="not-run", reason="the feature 'rdp-token' is not claimed")
    text = page(report).text
    assert "The 7 MUST requirements of the profile rdp that apply are met." in text
    assert f"not claimed, and not judged: {row['id']}." in text and "All 8" not in text


# --- charts --------------------------------------------------------------------------------------

def test_a_bar_is_outside_where_its_number_is():
    chart = charts.layout(DISTRIBUTION)
    assert [(bar["name"], bar["value"], bar["outside"]) for bar in chart["bars"]] == \
        [("ts1", "99", False), ("ts2", "140", True)]
    region, bars = chart["region"], chart["bars"]
    assert bars[0]["width"] < region["x_high"] - chart["left"] < bars[1]["width"]
    assert chart["text"] == "ts1 99 users; ts2 140 users. Allowed: 66 to 134. Outside: ts2."


@pytest.mark.parametrize("figure", [
    {"kind": "distribution", "title": "", "servers": {"a": 0}},
    {"kind": "distribution", "title": "", "servers": {"a": 0}, "allowed": [0, 0]},
    {"kind": "distribution", "title": "", "servers": {"a": 5}, "allowed": None},
    {"kind": "timeline", "title": "", "events": [{"t": 0, "label": "", "role": "other"}]},
    {"kind": "timeline", "title": "", "events": [{"t": -3.5, "label": "x" * 300, "role": "fault"}]},
    {"kind": "timeline", "title": "", "events": [{"t": 1e-7, "label": "a b", "role": "limit"}]},
    {"kind": "timeline", "title": "", "events": [{"t": 1e7, "label": "a b", "role": "limit"}]},
])
def test_odd_figures_are_drawn(figure):
    chart = charts.layout(figure)
    assert chart["height"] > 0 and chart["text"]
    for row in chart.get("rows", []):
        assert chart["left"] <= row["x"] <= chart["right"]
    assert len(chart.get("ticks", [0])) in range(1, 8)


def test_events_are_in_the_order_of_time_and_do_not_overlap():
    rows = charts.layout(TIMELINE)["rows"]
    assert [row["time"] for row in rows] == ["0 s", "1 s", "12.01 s", "12.2 s", "13 s", "13.5 s", "20 s"]
    assert all(second["text_y"] > first["y"] + 8 for first, second in zip(rows, rows[1:]))
