"""Real web clients and servers on the other side of ours: curl, openssl, wrk, nginx, Apache; and tshark reads our captures.

Their own reports are not asked: verdicts are the mock servers' events, our client's answers, and the capture.
"""

import hashlib
import subprocess

import pytest
from peers_rig import APACHE, CURL, NGINX, OPENSSL, TSHARK, WRK, Programs, lab_behind, needs

from lbcert.api import Ask, Jar, crash, dial
from lbcert.topology.plan import CLIENT_HOST
from lbcert.wire.octets import stream

pytestmark = [pytest.mark.nightly, pytest.mark.xdist_group("real web")]

PAGE = stream("a page of a real server", 300_000)
ORIGINS = {
    "nginx": ([NGINX, "-c", "/srv/origin.conf"], """daemon off; error_log /dev/null; pid /run/origin.pid; user www-data;
events {{ }} http {{ access_log off; server {{ listen {address}:80; root /srv/pages; }} }}"""),
    "Apache": ([APACHE, "-f", "/srv/origin.conf", "-DFOREGROUND"], """ServerName www.lbcert.test
ServerRoot /srv
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
Listen {address}:80
User www-data
Group www-data
PidFile /run/origin.pid
ErrorLog /dev/null
DocumentRoot /srv/pages
"""),
}  # fmt: skip
"""product, as its answers name it -> command and configuration"""


@pytest.fixture
def programs(zygote, tmp_path):
    """A lab with HAProxy as in the article."""
    made = Programs(lab_behind(zygote, "haproxy:tproxy", tmp_path))
    yield made
    made.lab.close()
    made.close()


def seen(lab, path):
    """The requests for a path as servers saw them."""
    return [event for event in lab.history.of("request") if event["target"].partition("?")[0] == path]


def heads(request):
    """Its headers, names in lower case."""
    return {name.lower(): value for name, value in request["headers"]}


@needs(CURL)
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_curl_keeps_its_server_and_its_address(programs, scheme):
    """Five runs with one cookie jar: one server, which sees curl's address each time and never the balancer's cookie."""
    lab = programs.lab
    source = lab.sources.one()
    for number in range(5):
        url = f"{scheme}://{lab.vip[0]}/curl{number}"
        curl = programs.start(CLIENT_HOST, CURL, "-sk", "--interface", source, "-b", "/tmp/jar", "-c", "/tmp/jar", url)
        programs.wait("curl has gone", lambda curl=curl: curl.status is not None)
    requests = [one for number in range(5) for one in seen(lab, f"/curl{number}")]
    assert len(requests) == 5 and len({one["who"] for one in requests}) == 1
    assert {one["peer"][0] for one in requests} == {source}
    assert all(one["cookies"] == [] and heads(one)["user-agent"].startswith("curl/") for one in requests)


@needs(OPENSSL)
def test_openssl_speaks_through_the_terminator(programs):
    lab = programs.lab
    source = lab.sources.one()
    said = "GET /openssl HTTP/1.1\\r\\nHost: www.lbcert.test\\r\\nConnection: close\\r\\n\\r\\n"
    line = f"printf '{said}' | {OPENSSL} s_client -quiet -ign_eof -connect {lab.vip[0]}:443 -bind {source}:45000"
    client = programs.start(CLIENT_HOST, "/bin/sh", "-c", line)
    programs.wait("a server saw the request", lambda: seen(lab, "/openssl"), client)
    (request,) = seen(lab, "/openssl")
    assert request["peer"][0] == source and heads(request)["host"] == "www.lbcert.test"


@pytest.mark.parametrize("product", [pytest.param("nginx", marks=needs(NGINX)), pytest.param("Apache", marks=needs(APACHE))])
def test_a_real_origin_is_passed_through(programs, product):
    """Our clients get its pages byte for byte over HTTP and HTTPS, stay on one server, and are seen there with their address."""
    lab = programs.lab
    argv, text = ORIGINS[product]
    lab.settle()  # a server that has been checked before is not marked down for being gone for a moment
    for server in lab.mocks:
        crash(lab, server)
        files = {"/srv/origin.conf": (text.format(address=server.listen[0][0]).encode(), 0o644), "/srv/pages/page": (PAGE, 0o644),
                 "/srv/pages/small": (b"here", 0o644)}  # fmt: skip
        lab.broker.put_files(server.host, files, ["/srv/pages", "/var/lib/nginx", "/var/log/nginx"])
        programs.listens(server.host, 80, programs.start(server.host, *argv))
    programs.wait("they are in service", lambda: served_by(lab) == {product})
    for service in ("http", "https"):
        jar = Jar()
        for _ in range(4):
            source = lab.sources.one()
            (talk,) = lab.visit([dial(lab, service, source, asks=[Ask("/page"), Ask("/small")], jar=jar)])
            page, small = talk.speech.replies
            assert (page.status, page.body_sha256) == (200, hashlib.sha256(PAGE).hexdigest()) and small.body == b"here"
            assert (page.first("server") or "").startswith(product) and len(jar) == 1
            assert [flow["link"] for flow in connections(lab) if flow["client"] == source and flow["sport"] == 80
                    and not flow["link"].startswith("client")]  # fmt: skip


def served_by(lab):
    """Who answers new clients of both services, by the first word of its name."""
    talks = lab.visit([dial(lab, service, asks=[Ask("/small")]) for service in ("http", "https") for _ in range(6)])
    return {(reply.first("server") or "").partition("/")[0] for talk in talks for reply in talk.speech.replies}


def connections(lab):
    from lbcert.evidence.flows import flows

    lab.broker.request("capture_sync")
    return flows(lab.files.capture, {80, 443})


@needs(WRK)
def test_wrk_loads_the_terminator(programs):
    """Every request that servers see comes from wrk's own address; and there are many."""
    lab = programs.lab
    wrk = programs.start(CLIENT_HOST, WRK, "-t1", "-c16", "-d1", f"https://{lab.vip[0]}/wrk")
    programs.wait("wrk has gone", lambda: wrk.status is not None)
    own = {text.partition("/")[0] for link in lab.plan.host(CLIENT_HOST).links for text in link.addresses}
    requests = seen(lab, "/wrk")
    assert len(requests) > 100 and {one["peer"][0] for one in requests} <= own


@needs(TSHARK)
def test_tshark_reads_what_was_said_inside_tls(programs):
    """A capture of a lab opens decrypted, without any other file."""
    lab = programs.lab
    talks = lab.visit([dial(lab, "https", asks=[Ask("/first"), Ask("/second")], newest=newest) for newest in ("1.2", "1.3")])
    lab.close()
    command = [TSHARK, "-r", str(lab.files.capture), "-Y", "tls && http.request", "-T", "fields", "-e", "http.request.uri"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    wanted = {f"{path}?token={talk.speech.token}" for talk in talks for path in ("/first", "/second")}
    assert wanted <= set(found)
