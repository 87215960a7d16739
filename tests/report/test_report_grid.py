"""The picture client x port x server: a mark for each server, split rows first and framed."""

from lbcert.report import charts, html, model
from lbcert.report.grid import MOST

ROWS = [
    {"label": "10.1.0.1", "cells": ["fe1", "fe1", None]},
    {"label": "10.1.0.2", "cells": ["fe1", "fe2", "fe2"]},
    {"label": "10.1.0.3 <b>", "cells": [None, "fe2", ""]},
]
FIGURE = {"kind": "grid", "title": "Clients", "columns": ["5060", "5061", "444"], "rows": ROWS}


def test_split_rows_come_first_and_are_marked():
    chart = charts.layout(FIGURE)
    assert [(row["label"], row["split"]) for row in chart["rows"]] == [("10.1.0.2", True), ("10.1.0.3 <b>", True), ("10.1.0.1", False)]
    assert [cell["role"] for cell in chart["rows"][0]["cells"]] == ["s0", "s1", "s1"]
    assert [cell["role"] for cell in chart["rows"][1]["cells"]] == ["s1", "none"]
    assert [item["label"] for item in chart["legend"]] == ["fe1 (2)", "fe2 (2)", "no answer (1)"]
    assert chart["text"].startswith("3 clients on 3 ports, 2 of them split between servers, 1 connections without an answer")


def test_a_port_that_was_not_asked_is_no_split():
    chart = charts.layout({**FIGURE, "rows": ROWS[:1]})
    assert [row["split"] for row in chart["rows"]] == [False] and len(chart["rows"][0]["cells"]) == 2


def test_what_is_not_drawn_is_said():
    chart = charts.layout({**FIGURE, "rows": ROWS[:1] * (MOST + 5)})
    assert len(chart["rows"]) == MOST and chart["more"] == "and 5 more clients, none of them split"


def test_it_stands_in_the_page_escaped(runs):
    failed = runs.result("RDP-FAIL-01", "fail", "late", figures=[FIGURE])
    text = html.render(model.write(runs.make(runs.passing(failed))))
    assert "10.1.0.3 &lt;b&gt;" in text and "10.1.0.3 <b>" not in text and 'class="split"' in text
