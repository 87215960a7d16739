"""OCS-AFF-04, OCS-APP-01, -02: what is said between a client and its Front End, and who else has a part in it."""

from lbcert.api import Lab, checks, dial, exchange_sip, recite, recite_torture, require_login, requirement, tell_certificates

CLIENTS = 50
SIP = ("sip-tls", "sip", "sharing", "response-group", "attendant", "announcement", "voice-control")
ASKS_FOR_LOGIN = ("sip-tls", "sip")
REPEATS = 2
ROUNDS = 120
"""requests on each connection of another port"""
WITH_CERTIFICATE = {"sip-tls": 10, "remoting": 10, "web": 5, "focus": 5}
"""the services over TLS, and clients of each"""


@requirement("OCS-AFF-04")
def test_sign_in(lab: Lab) -> None:
    """Fifty clients sign in by NTLM, on the ports that ask for it."""
    require_login(lab)
    services = [name for name in ASKS_FOR_LOGIN if name in lab.services]
    lab.visit([dial(lab, services[number % len(services)], signed=True) for number in range(CLIENTS)], at_once=10)
    lab.judge(checks.sign_in_stays_with_one_front_end, clients=CLIENTS)


@requirement("OCS-APP-01")
def test_sip_is_not_altered(lab: Lab) -> None:
    """Clients of each SIP port make requests of all kinds and are told things unasked; those who sign in sign everything."""
    require_login(lab)
    services = [name for name in SIP if name in lab.services for _ in range(REPEATS)]
    talks = lab.visit([dial(lab, service, signed=service in ASKS_FOR_LOGIN, hold=True) for service in lab.shuffled(services)])
    exchange_sip(lab, talks)
    lab.judge(checks.sip_is_not_altered)


@requirement("OCS-APP-01")
def test_torture_messages_cross(lab: Lab) -> None:
    """The messages of RFC 4475, which hardly anybody reads alike, and one behind them that must still be understood."""
    talks = lab.visit([dial(lab, service, hold=True) for service in lab.shuffled([name for name in SIP if name in lab.services])])
    recite_torture(lab, talks)
    lab.judge(checks.torture_arrives)


@requirement("OCS-APP-01")
def test_nothing_else_is_altered(lab: Lab) -> None:
    """On the ports that do not speak SIP, clients ask their Front Ends again and again."""
    services = [name for name in lab.services if name not in SIP for _ in range(REPEATS)]
    talks = lab.visit([dial(lab, service, hold=True) for service in lab.shuffled(services)])
    recite(lab, talks, ROUNDS)
    lab.judge(checks.bytes_arrive)


@requirement("OCS-APP-02")
def test_tls_is_end_to_end(lab: Lab) -> None:
    """Ten clients on 5061 and on 8404 and five on 443 and on 444, each with a certificate to show."""
    tell_certificates(lab)
    services = [name for name, count in WITH_CERTIFICATE.items() if name in lab.services for _ in range(count)]
    lab.visit([dial(lab, service, shows=True) for service in lab.shuffled(services)], at_once=10)
    lab.judge(checks.tls_is_end_to_end)
