"""dut.yaml: what is read, and errors that name file, line, field and remedy."""

import pytest

from lbcert.dut import DutError, load, resolve

GOOD = "schema: 1\nname: Mine\ndriver: haproxy\nprofile: rdp\nconfig: x.cfg\n"

WRONG = {
    "unknown key": (GOOD + "colour: red\n", ["colour"], 6),
    "unknown key in declares": (GOOD + "declares:\n  health_check: {inter: 2, fall: 3, rise: 2, fal: 1}\n", ["fal"], 7),
    "unknown driver": (GOOD.replace("haproxy", "apache"), ["driver", "haproxy"], 3),
    "unknown profile": (GOOD.replace("rdp\n", "rpd\n"), ["profile", "rdp"], 4),
    "no name": (GOOD.replace("name: Mine\n", ""), ["name"], 1),
    "schema of the future": (GOOD.replace("schema: 1", "schema: 2"), ["schema"], 1),
    "text instead of a number": (GOOD + "declares:\n  health_check: {inter: fast, fall: 3, rise: 2}\n", ["inter"], 7),
    "negative interval": (GOOD + "declares:\n  health_check: {inter: -1, fall: 3, rise: 2}\n", ["inter"], 7),
    "file that is not there": (GOOD.replace("x.cfg", "y.cfg"), ["config", "y.cfg", "No such file"], 5),
    "bad network": (GOOD + "network:\n  front: 10.0.0.1/24\n", ["network.front", "host bits"], 7),
    "bad service": (GOOD + 'services: {rdp: "here:3389"}\n', ["services.rdp"], 6),
    "missing file": (GOOD + "files: {/etc/vip.pem: vip.pem}\n", ["vip.pem is not a file of this folder"], 6),
    "bad variable": (GOOD + "environment: {1VIP: x}\n", ["1VIP"], 6),
    "variable that is no text": (GOOD + "environment: {PORT: 3389}\n", ["environment.PORT", "3389"], 6),
    "both forms": (GOOD + "deployments:\n  a: {profile: rdp, config: x.cfg}\n", ["stands beside deployments"], 4),
    "not YAML": ("schema: 1\nname: [\n", [], 3),
    "a list": ("- 1\n", [], 1),
    "twice the same key": (GOOD + "name: Other\n", ["name"], 6),
    "empty": ("", ["the file is empty"], None),
    "service of another profile": (GOOD + 'services: {http: "10.0.0.1:80"}\n', ["profile rdp has no service 'http'", "It has: rdp"], 6),
    "service without a port": (GOOD + "services: {rdp: 10.0.0.1}\n", ["is not an address and a port, such as"], 6),
    "time with a unit": (GOOD + "declares:\n  session: {idle: 30m}\n", ["'30m' is not a number of seconds above 0, or the word none"], 7),
    "file at no absolute path": (GOOD + "files: {vip.pem: self-signed}\n", ["'vip.pem' is not a path that begins with /"], 6),
    "setup script that is not there": (GOOD + "network: {setup: up.sh}\n", ["up.sh is not a file of this folder"], 6),
}


@pytest.mark.parametrize("text, words, line", WRONG.values(), ids=WRONG)
def test_wrong_dut_yaml(folder, text, words, line):
    path = folder(text) / "dut.yaml"
    with pytest.raises(DutError) as error:
        load(path, "x")
    message = str(error.value)
    assert str(path) in message
    if line:
        assert f"line {line}" in message or f":{line}" in message, message
    for word in words:
        assert word in message


def test_keys_at_the_top_are_one_deployment(folder):
    product = resolve(str(folder()))
    assert [(one.id, one.profile, one.text) for one in product.deployments] == [("rdp", "rdp", "listen x\n")]
    assert product.deployments[0].declares.health_check.declared is False


def test_a_deployment_can_be_chosen():
    assert [one.id for one in resolve("haproxy:rdp-sticktable").deployments] == ["rdp-sticktable"]
    assert len(resolve("haproxy").deployments) > 1


def test_the_environment_of_the_product(folder):
    assert load(folder(GOOD + "environment: {VIP: 10.0.0.1}\n") / "dut.yaml", "x").deployments[0].environment == {"VIP": "10.0.0.1"}


def test_a_setup_script_from_windows(folder, tmp_path):
    (tmp_path / "up.sh").write_bytes(b"#!/bin/sh\r\nip rule add fwmark 1 lookup 100\r\n")
    with pytest.raises(DutError, match="line 6, network.setup: the lines of up.sh end with a carriage return"):
        load(folder(GOOD + "network: {setup: up.sh}\n") / "dut.yaml", "x")


def test_a_timer_may_be_longer_than_a_day(folder):
    text = GOOD + "declares:\n  persistence: {timer: 604800}\n"
    assert load(folder(text) / "dut.yaml", "x").deployments[0].declares.timer == 604800


def test_a_check_without_timeout_gives_up_after_its_interval(folder):
    text = GOOD + "declares:\n  health_check: {inter: 2, fall: 3, rise: 2}\n"
    assert load(folder(text) / "dut.yaml", "x").deployments[0].declares.health_check.timeout == 2


def test_a_password_is_in_no_evidence(folder):
    page = 'declares: {administration: {statistics: "10.0.0.1:7777", user: me, password: Secret-7}}\n'
    declares = load(folder(GOOD + page) / "dut.yaml", "x").deployments[0].declares
    assert declares.raw["administration"]["password"] == "Secret-7"
    assert "Secret-7" not in str(declares.shown) and declares.shown["administration"]["user"] == "me"
