"""The tolerant reader: words, sections, inherited lines, addresses, variables, times."""

import pytest

from lbcert.check.reader import Text, seconds, size, variables, words


@pytest.mark.parametrize(("raw", "found"), [
    pytest.param("  server a 10.0.0.1:80 # one", ["server", "a", "10.0.0.1:80"], id="comment"),
    pytest.param(r'log-format "%ci \"x\" # no"', ["log-format", '%ci "x" # no'], id="quotes"),
    pytest.param(r"acl a path_beg /a\ b", ["acl", "a", "path_beg", "/a b"], id="escaped space"),
    pytest.param("user x password 'a#b'", ["user", "x", "password", "a#b"], id="strong quotes"),
    pytest.param('option ""', ["option", ""], id="empty word"),
    pytest.param('bind "unfinished', ["bind", "unfinished"], id="unfinished"),
    pytest.param("   # nothing", [], id="nothing"),
])  # fmt: skip
def test_words(raw, found):
    assert words(raw) == found


TEXT = Text([("a.cfg", "defaults one\n timeout connect 5s\n option redispatch\ndefaults two\n mode http\n"),
             ("b.cfg", "listen x from one\n bind 10.0.0.1:3389,[::1]:80 name y\n bind :5000-5009\n no option redispatch\n"
                       "frontend z\n bind ipv4@*:81\n bind unix@/run/x\n bind 10.0.0.9:82\n")])  # fmt: skip


def test_sections_inherit_by_order_and_by_name():
    x, z = TEXT.of("listen", "frontend")
    assert x.find("timeout", "connect").place == "a.cfg, line 2" and x.find("mode") is None
    assert z.find("mode").words == ("mode", "http") and z.find("timeout", "connect") is None
    assert x.option("redispatch") is None


@pytest.mark.parametrize(("address", "port", "place"), [
    ("10.0.0.1", 3389, "b.cfg, line 2"), ("::1", 80, "b.cfg, line 2"), ("0.0.0.0", 5007, "b.cfg, line 3"),
    ("10.0.0.9", 82, "b.cfg, line 8"), ("0.0.0.0", 81, "b.cfg, line 6"),
])  # fmt: skip
def test_a_listening_socket_has_its_line(address, port, place):
    assert TEXT.bound(address, port).line.place == place


def test_a_socket_that_no_line_shows():
    assert TEXT.bound("10.0.0.1", 4711) is None


def test_variables_are_those_in_double_quotes_without_a_value():
    text = ('global\n setenv OWN 1\nlisten a\n bind "${VIP}:80"\n bind "$OWN:81"\n http-request set-header X $NOT\n'
            " http-request set-header Y '\"$NOT\"'\n server s \"${S-10.0.0.1}\":80 # \"$NOT\"\n log-format \"$HAPROXY_X\"\n")  # fmt: skip
    assert [(line.number, name, default) for line, name, default in variables([("a", text)])] == [(4, "VIP", False), (8, "S", True)]
    filled = Text([("a", text)], {"VIP": "10.9.9.9"})
    assert filled.of("listen")[0].all("bind")[0].words[1] == "10.9.9.9:80"
    assert filled.of("listen")[0].all("server")[0].words[2] == "10.0.0.1:80"


@pytest.mark.parametrize(("text", "value"), [("2s", 2.0), ("1500", 1.5), ("8h", 28800.0), ("1d", 86400.0), ("10us", 1e-5),
                                             ("soon", None), (None, None), ("2s5", None)])  # fmt: skip
def test_seconds(text, value):
    assert seconds(text) == (pytest.approx(value) if value else value)


@pytest.mark.parametrize(("text", "value"), [("100k", 102400), ("1m", 1048576), ("500", 500), ("many", None)])
def test_size(text, value):
    assert size(text) == value


def test_any_bytes_can_be_read():
    assert Text([("x", '"\n\\\n$\n"${\nlisten\n bind\n bind x\n bind :\n balance\n\x00 \x1b[31m\n')]).binds() is not None
