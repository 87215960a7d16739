"""`lbcert probe` through HAProxy to real servers (xrdp): right answers, while a real client's session goes on."""

import json
from pathlib import Path

import pytest
from peers_rig import XFREERDP, XRDP, XVFB, needs, xfreerdp

from lbcert import cli
from lbcert.deadlines import patience
from lbcert.evidence.history import History
from lbcert.faults import crash
from lbcert.security.certificates import certificate_for
from lbcert.topology.plan import CLIENT_HOST
from lbcert.vip import command
from lbcert.vip.scheme import Call, connection_request
from lbcert.vip.visit import Caller

pytestmark = [pytest.mark.nightly, needs(XRDP, XFREERDP, XVFB), pytest.mark.xdist_group("xrdp farm")]

XRDP_INI = {
    "fork=true": "fork=false",
    "certificate=": "certificate=/etc/xrdp/cert.pem",
    "key_file=": "key_file=/etc/xrdp/key.pem",
}
"""lines of Debian's xrdp.ini that are changed"""
PAINTED, SESMAN = 8000, 15.0
"""bytes that come only once a client is let in; s that xrdp looks for its session manager first (test_peers_servers.py)"""
USERS = [f"user{number:03d}" for number in range(60)]


def play(programs, server, certificate):
    """Put xrdp with this certificate in the place of a mock server."""
    lab = programs.lab
    host = server.host
    ini = Path("/etc/xrdp/xrdp.ini").read_text()
    for line, own in XRDP_INI.items():
        assert f"\n{line}\n" in ini, line
        ini = ini.replace(f"\n{line}\n", f"\n{own}\n", 1)
    pem = certificate.pem.encode()
    files = {"/etc/xrdp/xrdp.ini": (ini.encode(), 0o644), "/etc/xrdp/cert.pem": (pem, 0o644), "/etc/xrdp/key.pem": (pem, 0o600)}
    files |= {f"/etc/xrdp/{name}": (f"/etc/xrdp/{name}", 0o644) for name in ("km-00000409.ini", "xrdp_keyboard.ini")}
    lab.broker.put_files(host, files, [])
    status, text = lab.broker.run(host, ["/usr/bin/xrdp-keygen", "xrdp", "/etc/xrdp/rsakeys.ini"])
    assert status == 0, text
    crash(lab, server)
    programs.listens(host, 3389, programs.start(host, XRDP, "--nodaemon"))


@pytest.fixture(scope="module")
def farm(behind):
    """HAProxy and nothing but xrdp behind it, all of them in service; each has a certificate of its own."""
    programs = behind("haproxy")
    certificates = {server.name: certificate_for(f"xrdp on {server.name}") for server in programs.lab.mocks}
    for server in programs.lab.mocks:
        play(programs, server, certificates[server.name])
    wanted = {one.fingerprint for one in certificates.values()}
    programs.wait("all are in service", lambda: certificates_seen(programs.lab) == wanted)
    return programs, certificates


def opener(lab):
    return lambda source: lab.broker.sockets(CLIENT_HOST, [source])[0]


def certificates_seen(lab):
    history, source = History(), lab.sources.one()
    caller = Caller(lab.loop, history, lab.vip, opener(lab), 100, lambda _: None)
    caller.run([Call("control", user, source, connection_request(user)) for user in USERS[:30]])
    return {event["certificate"] for event in history.of("certificate")}


def probe(lab, folder, *options):
    """The exit status, and the verdicts of the report, at the greatest rate that there is."""
    (folder / "users").write_text("\n".join(USERS))
    words = ["probe", f"{lab.vip[0]}:{lab.vip[1]}", "--users", str(folder / "users"), "--rate", "20", "--yes",
             "--report-dir", str(folder / "run"), *options]  # fmt: skip
    status = command.probe(cli._parser().parse_args(words), opener(lab), lab.loop)
    (deployment,) = json.loads((folder / "run" / "report.json").read_text())["deployments"]
    return status, {row["id"]: row["verdict"] for row in deployment["requirements"] if row["id"] in command.JUDGED}


def test_right_answers_and_a_session_goes_on(farm, tmp_path):
    """With a map every row is judged; the desktop that a real client looks at stays."""
    programs, certificates = farm
    lab = programs.lab
    client = programs.start(CLIENT_HOST, *xfreerdp(lab.vip, USERS[0], "Secret.1", "tls"))
    since = lab.mark("a real client")["t"]
    programs.wait("a picture", lambda: programs.came_to_client(since) > PAINTED, client, patience("ready", extra=SESMAN))
    (tmp_path / "map").write_text("".join(f"{one.fingerprint} {name}\n" for name, one in certificates.items()))
    first, _, _, far, _ = lab.sources.roaming()
    status, found = probe(lab, tmp_path, "--map", str(tmp_path / "map"), "--fallback", "balance", "--even",
                          "--source", first, "--source", far)  # fmt: skip
    assert (status, found) == (0, dict.fromkeys(command.JUDGED, "pass"))
    assert client.status is None, client.said
    programs.stop(client)


def test_the_minimal_command_passes_no_persistence(farm, tmp_path):
    """HOST:PORT and users only: how many servers there are is not known."""
    lab = farm[0].lab
    status, found = probe(lab, tmp_path, "--source", lab.sources.one())
    assert status == 3 and found.pop("RDP-PARSE-04") == "pass" and set(found.values()) == {"not-run"}
