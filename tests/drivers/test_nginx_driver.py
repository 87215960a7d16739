"""nginx: what it rejects is told with file and line, its real servers are found without a parser, a reload is waited for."""

import shutil
import time

import pytest
from nginx_rig import needs_nginx

from lbcert.drivers import DriverError, NotAble, ProductRejected
from lbcert.drivers import nginx as driver_module

MODULE = "load_module modules/ngx_stream_module.so;"
SERVERS = "server 192.168.0.11:3389; server 192.168.0.12:3390; server 192.168.0.13:3389 backup;"


def config(servers=SERVERS, listen="192.168.0.10:3389", module=MODULE, more="", method=""):
    return f"""{module}
events {{ worker_connections 1024; }}
stream {{
    upstream farm {{ {method} {servers} }}
    server {{
        listen {listen};
        {more}
        proxy_pass farm;
    }}
}}
"""


BAD = {
    "unknown-directive": (config(more="proxy_pas farm;"), 'unknown directive "proxy_pas" in', "lb.conf:7"),
    "no-semicolon": (config(more="proxy_timeout 1h"), "invalid number of arguments", "lb.conf:8"),
    "unknown-upstream": (config().replace("proxy_pass farm", "proxy_pass barn"), 'no port in upstream "barn" in', "lb.conf:8"),
    "unknown-host-name": (config("server ts1.example:3389;"), 'host not found in upstream "ts1.example:3389"', "lb.conf:4"),
    "not-closed": (config().rstrip("}\n"), "unexpected end of file", "lb.conf:"),
    "no-stream-module": (config(module=""), "apt-get install libnginx-mod-stream,", "lb.conf:3"),
    "module-file-missing": (config(module="load_module modules/ngx_stream_modul.so;"), "ngx_stream_modul.so", "lb.conf:1"),
    "no-njs": (config(more="js_preread rdp.preread;"), "apt-get install libnginx-mod-stream-js", "lb.conf:7"),
}


@needs_nginx
@pytest.mark.parametrize("text, words, place", BAD.values(), ids=BAD)
def test_what_nginx_rejects_is_told_with_the_users_file_and_line(text, words, place, nginx, scratch, tmp_path):
    driver, deployment = nginx(text)
    with pytest.raises(ProductRejected) as rejected:
        driver.discover(scratch, deployment, tmp_path / "output")
    said = str(rejected.value)
    assert f"nginx rejects {tmp_path}/lb.conf" in said
    assert words in said and f"{tmp_path}/{place}" in said
    assert "/etc/lbcert" not in said


@needs_nginx
@pytest.mark.parametrize(
    "text, words",
    [(config(listen="192.168.0.10:3390"), "no listener on port 3389 (found: 192.168.0.10:3390)"),
     (config(listen="3389"), "is bound to every address"),
     (config(more="deny all;"), "of 100 users of 192.168.0.10 port 3389 the product connects only 0 to a server")],
    ids=["another-port", "every-address", "users-are-turned-away"],
)  # fmt: skip
def test_a_configuration_that_serves_nobody(text, words, nginx, scratch, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("lbcert.deadlines").deadlines.PATIENCE, "report", 0.5)
    driver, deployment = nginx(text)
    with pytest.raises(DriverError, match="lb.conf|users of") as error:
        driver.discover(scratch, deployment, tmp_path / "output")
    assert words in str(error.value)


@pytest.mark.parametrize(
    "more, words",
    [("", "apt-get install nginx-light libnginx-mod-stream libnginx-mod-stream-js"),
     ("binary: /usr/sbin/nosuch\n", "/usr/sbin/nosuch does not exist"),
     ("binary: lb.conf\n", "lb.conf is not executable")],
    ids=["default", "named", "no-program"],
)  # fmt: skip
def test_a_missing_program_is_named_with_the_remedy(more, words, nginx, tmp_path, monkeypatch):
    monkeypatch.setattr(driver_module, "DEFAULT", tmp_path / "nginx")
    with pytest.raises(DriverError) as error:
        nginx(config(), more)
    assert words in str(error.value)


def test_another_program_is_no_nginx(nginx, scratch, tmp_path):
    driver, deployment = nginx(config(), f"binary: {shutil.which('true')}\n")
    with pytest.raises(DriverError, match="is no working nginx: `-V` ended with 0"):
        driver.discover(scratch, deployment, tmp_path / "output")


HASHED = config("server 192.168.0.11:3389 weight=20; server 192.168.0.12:3389;", method="hash $remote_addr consistent;")
ALL = {"192.168.0.11": (3389, True), "192.168.0.12": (3390, True), "192.168.0.13": (3389, False)}
PAIR = {"192.168.0.11": (3389, True), "192.168.0.12": (3389, True)}
FOUND = [
    pytest.param(config(listen="3389"), 'services: {rdp: "10.1.0.10:3389"}\n', ALL, id="every-address"),
    pytest.param(config(), "", ALL, id="in-turn", marks=pytest.mark.nightly),
    pytest.param(HASHED, "", PAIR, id="hashed", marks=pytest.mark.nightly),
]


@needs_nginx
@pytest.mark.parametrize("text, more, servers", FOUND)
def test_real_servers_are_found_by_where_nginx_connects(text, more, servers, nginx, scratch, tmp_path):
    driver, deployment = nginx(text, more)
    found = driver.discover(scratch, deployment, tmp_path / "output")
    assert {server.address: (server.port, server.active) for server in found.servers} == servers
    assert [server.name for server in found.servers] == sorted(servers)
    assert found.build.version and found.build.sha256


@needs_nginx
def test_a_reload_returns_when_new_workers_accept(nginx, scratch, tmp_path):
    driver, deployment = nginx("worker_processes 2;\n" + config())
    output = tmp_path / "output"

    def workers():
        titles = scratch.request("processes")["titles"]
        return {pid for pid, title in titles.items() if title == "nginx: worker process"}

    driver.start(scratch, deployment, output)
    deadline = time.monotonic() + 10
    while len(before := workers()) < 2:
        assert time.monotonic() < deadline
        scratch.request("tick")
    driver.reload(scratch, deployment, output)
    after = workers()
    assert len(before) == len(after) == 2 and not before & after
    with pytest.raises(NotAble, match="no command for it"):
        driver.drain(scratch, deployment, "192.168.0.11")
