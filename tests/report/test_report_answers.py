"""The chart of users' waits after a fault: every user is a mark, those without an answer are crosses above the scale."""

from lbcert.report import charts, html, model

VISITS = [
    {"t": 0.0, "took": None, "server": None},
    {"t": 2.0, "took": 3.0, "server": "ts2"},
    {"t": 4.0, "took": 0.01, "server": "ts3 <b>"},
]
FIGURE = {"kind": "answers", "title": "Waits", "zero": "ts1 crashed", "limit": 5.0, "visits": VISITS}


def test_geometry():
    chart = charts.layout(FIGURE)
    nobody, slow, quick = chart["marks"]
    assert nobody["role"] == "none" and nobody["y"] < chart["limit"] < slow["y"] < quick["y"] <= chart["bottom"]
    assert nobody["x"] < slow["x"] < quick["x"] <= chart["right"]
    assert [item["label"] for item in chart["legend"]] == ["ts2 (1)", "ts3 <b> (1)", "no answer (1)"]
    assert chart["text"] == ("3 connections, 1 without an answer (begun from 0 s to 0 s); ts2 answered 1; ts3 <b> answered 1; "
                             "the longest wait 3 s; allowed 5 s.")  # fmt: skip
    assert chart["limit_label"] == "allowed: 5 s"


def test_marks_that_cover_one_another_are_drawn_once():
    chart = charts.layout({**FIGURE, "visits": VISITS[1:] + VISITS[1:]})
    assert len(chart["marks"]) == 2 and chart["text"].startswith("4 connections, 0 without") and chart["y_none"] is None


def test_nobody_was_answered():
    chart = charts.layout({**FIGURE, "limit": None, "visits": VISITS[:1]})
    assert chart["limit"] is None and chart["text"] == "1 connections, 1 without an answer (begun from 0 s to 0 s)."


def test_it_stands_in_the_page_escaped(runs):
    failed = runs.result("RDP-FAIL-01", "fail", "late", figures=[FIGURE])
    text = html.render(model.write(runs.make(runs.passing(failed))))
    assert "Waits" in text and "ts3 &lt;b&gt;" in text and "ts3 <b>" not in text
