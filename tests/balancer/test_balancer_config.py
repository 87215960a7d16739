"""The configuration is read strictly, and every error says where and what to do."""

from pathlib import Path

import pytest

from lbcert.balancer import ConfigError, parse
from lbcert.balancer.defects import SWITCHES

ROOT = Path(__file__).parents[2]
LISTEN = 'listen: ["192.0.2.10:3389"]\n'
SERVERS = 'servers: {ts1: "192.0.2.11:3389", ts2: "192.0.2.12:3389"}\n'
LEAST = "mode: ideal\n" + LISTEN + SERVERS


def test_defaults_are_the_ideal_balancer():
    config = parse(LEAST, "a.yaml")
    assert config.servers == {"ts1": ("192.0.2.11", 3389), "ts2": ("192.0.2.12", 3389)}
    assert config.persistence.method == "table"
    assert config.persistence.timer is None
    assert config.persistence.returns_after_recovery is False
    assert (config.health_check.inter, config.health_check.fall, config.health_check.kind) == (0.1, 3, "rdp")
    assert config.on_marked_down == "shutdown-sessions"
    assert not config.defects


def test_every_value_is_read():
    config = parse(
        "mode: ideal\n"
        'listen: ["192.0.2.10:3389", "[2001:db8::a]:3389"]\n'
        'servers: {ts1: "[2001:db8:0::1]:3390"}\n'
        "persistence: {key: rdp-cookie, method: table, timer: 60, returns_after_recovery: true}\n"
        "balance: leastconn\ninspect_delay: 0.5\nconnect_timeout: 2\n"
        "health_check: {inter: 2, fall: 5, rise: 4, timeout: 1.5, kind: tcp}\n"
        "on_marked_down: keep\ndefects: {forget-every: 40, rewrite-cookie-case: upper}\n",
        "a.yaml",
    )
    assert config.listen[1] == ("2001:db8::a", 3389)
    assert config.servers["ts1"] == ("2001:db8::1", 3390)
    assert (config.persistence.timer, config.persistence.returns_after_recovery) == (60.0, True)
    assert (config.balance, config.inspect_delay, config.connect_timeout) == ("leastconn", 0.5, 2.0)
    assert config.health_check.fall == 5 and config.health_check.rise == 4 and config.health_check.timeout == 1.5
    assert dict(config.defects) == {"forget-every": 40, "rewrite-cookie-case": "upper"}


def test_a_hash_returns_users_unless_told_otherwise():
    assert parse(LEAST + "persistence: {method: hash}\n", "a.yaml").persistence.returns_after_recovery is True


def test_null_needs_only_addresses():
    config = parse("mode: null\nconnect_timeout: 5\n" + LISTEN + SERVERS, "a.yaml")
    assert (config.mode, config.connect_timeout) == ("null", 5.0)


@pytest.mark.parametrize("name", ["ideal", "null"])
def test_the_reference_files_are_valid(name):
    path = ROOT / "duts" / name / "rdp.yaml"
    config = parse(path.read_text(), str(path))
    assert config.mode == name
    assert [str(address) for address in config.listen] == ["192.168.0.10:3389"]
    assert list(config.servers) == ["ts1", "ts2", "ts3"]


ERRORS = {
    "empty": ("", "a.yaml:1: the file is empty"),
    "no-yaml": ("mode: [", "a.yaml:1: not YAML"),
    "control-character": ("mode: \x01", "a.yaml: not YAML"),
    "too-deep": ("[" * 1500, "a.yaml: nested too deeply"),
    "list": ("- mode", "a.yaml:1: a list is not a mapping"),
    "missing": ("mode: ideal\n" + LISTEN, "'servers' is missing; add a line"),
    "unknown-key": (LEAST + "balanse: leastconn\n", "a.yaml:4: unknown key 'balanse'; did you mean 'balance'?"),
    "twice": (LEAST + "mode: ideal\n", "a.yaml:4: the key 'mode' stands twice"),
    "key-is-a-list": (LEAST + "[a]: b\n", "a key is not plain text"),
    "mode": ("mode: ideel\n" + LISTEN + SERVERS, "a.yaml:1: mode: unknown value 'ideel'; did you mean 'ideal'?"),
    "mode-is-a-list": ("mode: [ideal]\n" + LISTEN + SERVERS, "mode: a list is not a word"),
    "no-value": (LEAST + "balance:\n", "balance: an empty value is not a word"),
    "host-name": ("mode: ideal\nlisten: [vip:3389]\n" + SERVERS, "a.yaml:2: listen[0]: 'vip:3389' is not a numeric"),
    "no-port": ('mode: ideal\nlisten: ["192.0.2.1"]\n' + SERVERS, "is not a numeric address with a port"),
    "port-0": ('mode: ideal\nlisten: ["192.0.2.1:0"]\n' + SERVERS, "is not a numeric address with a port"),
    "port-65536": ('mode: ideal\nlisten: ["192.0.2.1:65536"]\n' + SERVERS, "is not a numeric address"),
    "scope": ('mode: ideal\nlisten: ["[fe80::1%eth0]:3389"]\n' + SERVERS, "is not a numeric address"),
    "ipv6-without-brackets": ('mode: ideal\nlisten: ["2001:db8::1:3389"]\n' + SERVERS, "is not a numeric address"),
    "arabic-digits": ('mode: ideal\nlisten: ["192.0.2.1:٣٣"]\n' + SERVERS, "is not a numeric address"),
    "listen-nowhere": ("mode: ideal\nlisten: []\n" + SERVERS, "listen: no address to listen on"),
    "listen-is-text": ('mode: ideal\nlisten: "192.0.2.1:1"\n' + SERVERS, "is not a list; write it as"),
    "listen-twice": ('mode: ideal\nlisten: ["192.0.2.1:1", "192.0.2.1:1"]\n' + SERVERS, "listen[1]: 192.0.2.1:1 is listed"),
    "listen-on-server": ('mode: ideal\nlisten: ["192.0.2.11:3389"]\n' + SERVERS, "is a server as well"),
    "no-servers": ("mode: ideal\n" + LISTEN + "servers: {}\n", "no server is listed"),
    "server-name": ("mode: ideal\n" + LISTEN + 'servers: {"a b": "192.0.2.1:1"}\n', "'a b' is not a server name"),
    "server-twice": (
        "mode: ideal\n" + LISTEN + 'servers: {a: "192.0.2.1:1", b: "192.0.2.1:1"}\n',
        "servers.b: 192.0.2.1:1 is listed twice",
    ),
    "seconds": (LEAST + "inspect_delay: soon\n", "inspect_delay: 'soon' is not a number of seconds"),
    "seconds-negative": (LEAST + "inspect_delay: -1\n", "inspect_delay: -1 is out of range; write"),
    "seconds-nan": (LEAST + "inspect_delay: .nan\n", "'.nan' is not a number of seconds"),
    "seconds-sexagesimal": (LEAST + "inspect_delay: 1:30\n", "'1:30' is not a number of seconds"),
    "seconds-long": (LEAST + "inspect_delay: " + "9" * 5000 + "\n", "is not a number of seconds"),
    "balance": (LEAST + "balance: random\n", "unknown value 'random'; known: roundrobin, leastconn"),
    "on_marked_down": (LEAST + "on_marked_down: drop\n", "on_marked_down: unknown value 'drop'"),
    "check-key": (LEAST + "health_check:\n  inter: 1\n  fal: 2\n", "a.yaml:6: health_check: unknown key 'fal'; did you"),
    "check-kind": (LEAST + "health_check: {kind: http}\n", "health_check.kind: unknown value 'http'"),
    "fall": (LEAST + "health_check: {fall: 0}\n", "health_check.fall: 0 is out of range; write a whole number from 1"),
    "fall-fraction": (LEAST + "health_check: {fall: 1.5}\n", "'1.5' is not a whole number"),
    "persistence-key": (LEAST + "persistence: {key: port}\n", "persistence.key: unknown value 'port'; known: rdp-"),
    "timer": (LEAST + "persistence: {timer: never}\n", "persistence.timer: 'never' is not a number of seconds"),
    "returns": (LEAST + "persistence: {returns_after_recovery: yes}\n", "unknown value 'yes'; known: true, false"),
    "hash-stays": (
        LEAST + "persistence: {method: hash, returns_after_recovery: false}\n",
        "with a hash users always return; write `returns_after_recovery: true`",
    ),
    "hash-timer": (LEAST + "persistence: {method: hash, timer: 5}\n", "a hash keeps nothing that could expire"),
    "keepalive": (LEAST + "keepalive: 0\n", "keepalive: 0 is out of range; write a whole number from 1 to 32767"),
    "keepalive-fraction": (LEAST + "keepalive: 0.5\n", "keepalive: '0.5' is not a whole number"),
    "control-relative": (LEAST + "control: control.sock\n", "control: 'control.sock' is no path for a UNIX socket"),
    "control-long": (LEAST + "control: /" + "x" * 100 + "\n", "is no path for a UNIX socket; write an absolute one"),
    "null-keepalive": ("mode: null\n" + LISTEN + SERVERS + "keepalive: 1\n", "keepalive: mode null does not look at it"),
    "null-persistence": (
        "mode: null\n" + LISTEN + SERVERS + "persistence: {}\n",
        "persistence: mode null does not look at it; remove the key",
    ),
    "defect": (LEAST + "defects: {forget-evry: 3}\n", "unknown defect 'forget-evry'; did you mean 'forget-every'?"),
    "defect-number": (LEAST + "defects: {forget-every: often}\n", "defects.forget-every: 'often' is not a whole number"),
    "defect-zero": (LEAST + "defects: {forget-every: 0}\n", "defects.forget-every: 0 is out of range"),
    "defect-off": (LEAST + "defects: {double-crlf: false}\n", "defects.double-crlf: unknown value 'false'; known: true"),
    "defect-word": (LEAST + "defects: {rewrite-cookie-case: title}\n", "known: lower, upper"),
    "defect-without-effect": (LEAST + "defects: {never-fail-back: true}\n", "has no effect here; write `persistence: {ret"),
    "defect-without-table": (
        LEAST + "persistence: {method: hash}\ndefects: {all-to-first: true}\n",
        "defects.all-to-first: has no effect with method hash; write `method: table`",
    ),
}


@pytest.mark.parametrize("text, message", ERRORS.values(), ids=ERRORS.keys())
def test_errors_name_place_and_remedy(text, message):
    with pytest.raises(ConfigError) as caught:
        parse(text, "a.yaml")
    said = str(caught.value)
    assert message in said
    assert said.startswith("a.yaml")
    assert ";" in said, "no remedy"
    assert "\n" not in said


@pytest.mark.parametrize("name", SWITCHES)
def test_every_switch_is_documented_in_one_line(name):
    summary = SWITCHES[name].summary
    assert summary.endswith(".") and "\n" not in summary
