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
    assert [item["label"] for item in chart["legend"]] == ["ts2", "ts3 <b>", "no answer (1)"]
    assert chart["text"] == "3 users, 1 without an answer, the longest wait 3 s."


def test_nobody_was_answered():
    chart = charts.layout({**FIGURE, "limit": None, "visits": VISITS[:1]})
    assert chart["limit"] is None and chart["text"] == "1 users, 1 without an answer."


def test_it_stands_in_the_page_escaped(runs):
    failed = runs.result("RDP-FAIL-01", "fail", "late", figures=[FIGURE])
    text = html.render(model.write(runs.make(runs.passing(failed))))
    assert "Waits" in text and "ts3 &lt;b&gt;" in text and "ts3 <b>" not in text
