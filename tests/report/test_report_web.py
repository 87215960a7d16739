"""The path of one request, and the table of what each deployment keeps."""

import pytest

from lbcert.report import charts, html, model

A = "172.20.0.1"
LINKS = [
    {"from": {"name": "client", "address": A, "port": 40000}, "to": {"name": "VIP", "address": "10.0.0.142", "port": 443}, "seen": "clients' link"},
    {"from": {"name": "balancer", "address": A, "port": 45000}, "to": {"name": "balancer", "address": "10.0.0.142", "port": 81}, "seen": "kernel"},
    {"from": {"name": "balancer", "address": "192.168.2.1", "port": 5}, "to": {"name": "web<1>", "address": "192.168.2.98", "port": 80},
     "seen": "server's link"},
]  # fmt: skip
PATH = {"kind": "path", "title": "The path", "client": A, "links": LINKS}
KEPT = {"kind": "kept", "title": "What the servers learn", "rows": [
    {"service": "http", "total": 20, "tcp": {"address": 20, "port": 0}, "proxy": None, "forwarded": {"address": 3}},
]}  # fmt: skip


def test_path_has_a_station_for_each_end_and_an_arrow_for_each_connection():
    chart = charts.layout(PATH)
    assert [one["name"] for one in chart["stations"]] == ["Client", "Balancer", "Balancer, second stage", "web<1>"]
    assert [(one["from"], one["to"], one["kept"]) for one in chart["arrows"]] == [
        (f"{A}:40000", "10.0.0.142:443", True), (f"{A}:45000", "10.0.0.142:81", True), ("192.168.2.1:5", "192.168.2.98:80", False),
    ]  # fmt: skip
    tops = [one["y"] for one in chart["stations"]]
    assert tops == sorted(tops) and chart["height"] > tops[-1] + chart["box"]
    assert "inside the balancer" in chart["text"] and chart["told"] == ""


def test_path_with_a_header():
    chart = charts.layout({**PATH, "told": {"address": "2001:db8::1", "port": 7}})
    assert chart["told"] == "told by a PROXY header: [2001:db8::1]:7" and not chart["told_kept"]


def test_table():
    [row] = charts.layout(KEPT)["rows"]
    assert [cell["words"] for cell in row["cells"]] == ["client's", "not the client's", "not sent", "not sent", "not always"]


@pytest.mark.parametrize(("declared", "notes"), [
    ({"by": "tcp", "port": False}, ["", "as declared", "", ""]),
    ({"by": "tcp", "port": None}, ["", "not claimed", "", ""]),
    # What is claimed and missing stays a fault, whatever else is declared.
    ({"by": "tcp", "port": True}, ["", "", "", ""]),
    ({"by": "proxy-v2", "port": True}, ["not claimed", "not claimed", "", ""]),
    ({"by": "proxy-v2", "port": False}, ["not claimed", "not claimed", "", "as declared"]),
    ({}, ["", "", "", ""]),
])  # fmt: skip
def test_what_is_not_claimed_is_no_fault(declared, notes):
    row = {"service": "http", "total": 20, "tcp": {"address": 0, "port": 1}, "proxy": {"address": 0, "port": 0}, "forwarded": {"address": 0}}
    [row] = charts.layout({**KEPT, "rows": [row], "declared": declared})["rows"]
    assert [cell["note"] for cell in row["cells"]] == [*notes, ""]


def test_what_is_kept_needs_no_note():
    row = {"service": "http", "total": 20, "tcp": {"address": 20, "port": 20}, "proxy": None, "forwarded": None}
    [row] = charts.layout({**KEPT, "rows": [row], "declared": {"by": "tcp", "port": False}})["rows"]
    assert [cell["note"] for cell in row["cells"]] == [""] * 5


def test_a_port_declared_as_not_kept_is_not_coloured_as_a_failure(runs):
    declared = {**KEPT, "declared": {"by": "tcp", "port": False}}
    pages = [html.render(model.write(runs.make(runs.passing(runs.result("RDP-PARSE-04", "pass", figures=[figure])))))
             for figure in (KEPT, declared)]  # fmt: skip
    top, below = (pages[1].partition("In detail")[part] for part in (0, 2))
    cell = 'data-label="far end of TCP: port" class="unclaimed">not the client&#39;s, as declared</td>'
    assert cell in top and cell in below
    assert 'data-label="far end of TCP: port" class="no">not the client&#39;s</td>' in pages[0]


def test_they_stand_in_the_page_escaped_and_the_table_at_its_top(runs):
    result = runs.result("RDP-PARSE-04", "pass", figures=[PATH, KEPT])
    text = html.render(model.write(runs.make(runs.passing(result))))
    assert "web&lt;1&gt;" in text and "web<1>" not in text and "not the client" in text
    top = text.index("What each deployment keeps of the client")
    assert top < text.index("not always (3 of 20)") < text.index("In detail")


def test_without_such_figures_there_is_no_table(runs):
    assert "What each deployment keeps" not in html.render(model.write(runs.make(runs.passing())))
