"""Real servers behind HAProxy: freerdp-shadow (NLA, TLS, standard security) and xrdp (TLS), with real clients and with ours.

Their own reports are not asked. A session that was let in shows in the capture: only then does a server paint.
"""

import hashlib
import ssl
from dataclasses import dataclass
from pathlib import Path

import pytest
from impacket import ntlm
from peers_rig import RDESKTOP, SHADOW, XFREERDP, XRDP, XVFB, Home, Program, Programs, needs, rdesktop, xfreerdp

from lbcert.clients.rdp import Visit
from lbcert.deadlines import patience
from lbcert.faults import crash
from lbcert.steps.scripts import log_in
from lbcert.security.certificates import certificate_for
from lbcert.security.login import Login, Manner
from lbcert.topology.plan import CLIENT_HOST

pytestmark = pytest.mark.xdist_group("real servers")  # one worker: they share what is dear to make

USER, PASSWORD = "anna", "Secret.1"
PAINTED = 8000
"""bytes that come to the client only once it is let in: 2,800 come before that, 13,800 with the first picture (measured)"""
SESMAN = 15.0
"""s that xrdp looks for its session manager, which is not there, before it paints for a client that brought a password"""
XRDP_INI = {
    "fork=true": "fork=false",
    "certificate=": "certificate=/etc/xrdp/cert.pem",
    "key_file=": "key_file=/etc/xrdp/key.pem",
}
"""lines of Debian's xrdp.ini that are changed"""


@dataclass
class Stage:
    """The host of the user's server, where real ones take the mock's place, one after the other."""

    programs: Programs
    home: Home
    playing: str = ""
    program: Program | None = None

    @property
    def host(self) -> str:
        return self.home.server.host

    def play(self, kind: str) -> None:
        """Have this server run here, and wait until HAProxy sends the user to it."""
        if kind == self.playing:
            return
        if self.program is not None:
            self.programs.stop(self.program)
        argv = [XRDP, "--nodaemon"] if kind == "xrdp" else [SHADOW, "/port:3389", f"/sec:{kind}", "/sam-file:/etc/sam", "-auth"]
        if kind == "nla":
            argv.remove("-auth")
        self.playing, self.program = kind, self.programs.start(self.host, *argv)
        self.programs.listens(self.host, 3389, self.program)
        self.programs.wait(f"{USER} reaches {kind}", self._reached)

    def _reached(self) -> bool:
        """HAProxy may have marked the server down in between; its users are elsewhere until the next good checks."""
        lab = self.programs.lab
        (visit,) = lab.visit([Visit(lab.sources.one(), USER)])
        others = [server.index for server in lab.mocks if server is not self.home.server]
        return visit.outcome == "answered" and int.from_bytes(visit.answer[8:10], "big") >> 12 not in others

    def certificate(self) -> str:
        """SHA-256 of the playing server's certificate, as its own file has it."""
        path = "/etc/xrdp/cert.pem" if self.playing == "xrdp" else "/root/.config/freerdp/shadow/shadow.crt"
        status, text = self.programs.lab.broker.run(self.host, ["/bin/cat", path])
        assert status == 0, text
        start = text.index("-----BEGIN CERTIFICATE")
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(text[start : text.index("-----END CERT") + 25].strip())).hexdigest()


@pytest.fixture(scope="module")
def stage(behind):
    programs = behind("haproxy")
    home = Home(programs, USER)
    made = Stage(programs, home)
    programs.screen(made.host)
    files = {"/etc/sam": (f"{USER}:::{ntlm.compute_nthash(PASSWORD).hex()}:::\n".encode(), 0o600)}
    if Path(XRDP).exists():
        ini = Path("/etc/xrdp/xrdp.ini").read_text()
        for line, own in XRDP_INI.items():
            assert f"\n{line}\n" in ini, line
            ini = ini.replace(f"\n{line}\n", f"\n{own}\n", 1)
        pem = certificate_for("xrdp").pem.encode()
        files |= {"/etc/xrdp/xrdp.ini": (ini.encode(), 0o644)}
        files |= {"/etc/xrdp/cert.pem": (pem, 0o644), "/etc/xrdp/key.pem": (pem, 0o600)}
        files |= {f"/etc/xrdp/{name}": (f"/etc/xrdp/{name}", 0o644) for name in ("km-00000409.ini", "xrdp_keyboard.ini")}
    programs.lab.broker.put_files(made.host, files, ["/root/.config/freerdp"])
    if Path(XRDP).exists():
        status, text = programs.lab.broker.run(made.host, ["/usr/bin/xrdp-keygen", "xrdp", "/etc/xrdp/rsakeys.ini"])
        assert status == 0, text
    crash(programs.lab, home.server)
    return made


@pytest.mark.nightly
@pytest.mark.parametrize("kind", [pytest.param("nla", marks=needs(SHADOW, XVFB)), pytest.param("xrdp", marks=needs(XRDP, XVFB))])
def test_our_client_does_what_a_real_server_wants(stage, kind):
    """The counterpart of our servers' test with real clients: our TLS, NTLM and CredSSP are not only our own dialect."""
    stage.play(kind)
    lab = stage.programs.lab
    sessions = lab.visit([Visit(lab.sources.one(), USER, hold=True)])
    log_in(lab, {sessions[0]: Manner(Login(USER, PASSWORD), body=0)})
    seen = lab.history.last("secured")
    assert seen["outcome"] == "complete" and seen["certificate"] == stage.certificate()
    assert (seen["login"], seen["bound"]) == ((True, True) if kind == "nla" else (None, None))


SESSIONS = [
    pytest.param("xfreerdp", "nla", "nla", marks=needs(XFREERDP, SHADOW, XVFB), id="xfreerdp-nla-shadow"),
    pytest.param("xfreerdp", "tls", "tls", marks=[needs(XFREERDP, SHADOW, XVFB), pytest.mark.nightly], id="xfreerdp-tls-shadow"),
    pytest.param("xfreerdp", "rdp", "rdp", marks=[needs(XFREERDP, SHADOW, XVFB), pytest.mark.nightly], id="xfreerdp-rdp-shadow"),
    pytest.param("xfreerdp", "tls", "xrdp", marks=[needs(XFREERDP, XRDP, XVFB), pytest.mark.nightly], id="xfreerdp-tls-xrdp"),
    pytest.param("rdesktop", "tls", "xrdp", marks=[needs(RDESKTOP, XRDP, XVFB), pytest.mark.nightly], id="rdesktop-tls-xrdp"),
]


@pytest.mark.parametrize("program, security, kind", SESSIONS)
def test_a_real_client_sees_the_screen_of_a_real_server(stage, program, security, kind):
    """With TLS and NLA, xfreerdp takes the server's own certificate only."""
    stage.play(kind)
    programs, vip = stage.programs, stage.programs.lab.vip
    pinned = stage.certificate() if security != "rdp" else None
    argv = xfreerdp(vip, USER, PASSWORD, security, pinned) if program == "xfreerdp" else rdesktop(vip, USER)
    since = programs.lab.mark("a real client")["t"]
    client = programs.start(CLIENT_HOST, *argv)
    programs.wait("a picture", lambda: programs.came_to_client(since) > PAINTED, client, patience("ready", extra=SESMAN))
    programs.stop(client)


@needs(XFREERDP, SHADOW, XVFB)
@pytest.mark.nightly
def test_a_wrong_password_shows_nothing(stage):
    """The control: without a login no picture comes, so bytes do tell the two apart."""
    stage.play("nla")
    programs = stage.programs
    since = programs.lab.mark("a wrong password")["t"]
    client = programs.start(CLIENT_HOST, *xfreerdp(programs.lab.vip, USER, "another", "nla", stage.certificate()))
    programs.wait("the client gives up", lambda: client.status is not None)
    assert 0 < programs.came_to_client(since) < PAINTED
