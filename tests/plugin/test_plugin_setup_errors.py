"""A product that cannot be used: one clear setup-error, nothing that was recorded is lost."""

import pytest

CONFIG = """\
defaults
    mode tcp
    timeout connect 3s
    timeout client 1h
    timeout server 1h
listen rdp
    bind 192.168.0.10:3389
    server a 192.168.0.11:3389 check inter 2s fall 3 rise 2
    server b 192.168.0.12:3389 check inter 2s fall 3 rise 2
"""
YAML = "schema: 1\nname: Mine\ndriver: haproxy\nprofile: rdp\nconfig: x.cfg\n"
CHECK = "declares:\n  health_check: {inter: 2.0, fall: 5, rise: 2}\n"

CASES = {
    "binary is missing": (YAML + "binary: /usr/sbin/nosuch\n", CONFIG, "/usr/sbin/nosuch"),
    "binary is no program": (YAML + "binary: {folder}/x.cfg\n", CONFIG, "x.cfg"),
    "binary is another program": (YAML + "binary: /usr/bin/true\n", CONFIG, "/usr/bin/true"),
    "configuration is rejected": (YAML, CONFIG + "    ballance leastconn\n", "x.cfg:10] : unknown keyword 'ballance'"),
    "nothing listens on the port": (YAML, CONFIG.replace("3389\n", "3390\n", 1), "no listener on port 3389"),
    "bound to every address": (YAML, CONFIG.replace("192.168.0.10:", "*:"), "is bound to every address"),
    "no server": (YAML, CONFIG.split("    server")[0], "names no real server"),
    "declared otherwise": (YAML + CHECK, CONFIG, "declares fall 5, rise 2"),
    "unknown host name": (YAML, CONFIG.replace("192.168.0.11", "ts1.example"), "in dut.yaml: hosts: {ts1.example: ADDRESS}"),
    "no certificate": (YAML, CONFIG.replace("10:3389", "10:3389 ssl crt /etc/ssl/vip.pem"), "in dut.yaml: files: {/etc/ssl/vip.pem: self-signed}"),
}


@pytest.mark.parametrize("yaml, config, message", CASES.values(), ids=CASES)
def test_setup_error(run, tmp_path, yaml, config, message):
    product = tmp_path / "my lb"
    product.mkdir()
    (product / "x.cfg").write_text(config)
    (product / "dut.yaml").write_text(yaml.replace("{folder}", str(product)))
    done = run("suites/rdp", "-k", "RDP_PARSE_01 or RDP_PARSE_04", "-q", dut=str(product))
    assert done.status == 1
    assert message in done.text
    assert "Traceback" not in done.text
    assert {one["verdict"] for one in done.results.values()} <= {"setup-error", "blocked"}
    assert done.rows["RDP-PARSE-01"]["verdict"] == "setup-error"
    assert done.rows["RDP-FAIL-01"]["verdict"] == "not-run"


SCRIPTS = {
    "setup script fails": ("echo making rules; exit 3\n", "network.setup up.sh ended with status 3: making rules"),
    "setup script is for another shell": ("#!/bin/bash\nrules=(one two); echo ${rules[1]}; exit 4\n", "ended with status 4: two"),
    "setup script's interpreter is missing": ("#!/bin/nosuch\nexit 0\n", "network.setup up.sh"),
    "setup script hangs": ("echo making rules; sleep 100\n", "did not end within 20 s; until then it wrote: making rules"),
}


@pytest.mark.parametrize("script, message", SCRIPTS.values(), ids=SCRIPTS)
def test_setup_script(run, tmp_path, script, message):
    for name, text in {"x.cfg": CONFIG, "up.sh": script, "dut.yaml": YAML + "network: {setup: up.sh}\n"}.items():
        (tmp_path / name).write_text(text)
    done = run("suites/rdp", "-k", "RDP_PARSE_04", "-q", dut=str(tmp_path))
    assert done.status == 1 and message in done.text, done.text
    assert done.rows["RDP-PARSE-04"]["verdict"] == "setup-error"
