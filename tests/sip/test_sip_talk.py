"""Both ends against each other, without a network: the client's Speech and the Front End's Service."""

from hashlib import sha256

import pytest
from sip_rig import SIG, TORTURE, Pool, meet

from lbcert.clients.sip import Invite, Options, Register, SignedRegister, Subscribe
from lbcert.security.login import Login
from lbcert.wire.sip_vectors import UNFIT
from lbcert.wire.talk import Identity

LOGIN = Login("ann", "secret")


@pytest.mark.parametrize("cut", [1, 7, 1 << 20])
def test_a_registration(cut):
    pool = Pool()
    speech, service = Register(user="bob"), pool.service(2, conn=9)
    meet(speech, service, cut)
    assert (speech.outcome, speech.identity) == ("answered", Identity(2, 9))
    (request,) = pool.of("request")
    assert (request["token"], request["method"], request["status"]) == (speech.token, "REGISTER", 200)
    told = speech.told()
    assert told["sent"] == [request["sha256"]] and told["received"] == request["answers"] and told["keep_alive"] == 300


def test_the_contact_is_the_connection():
    pool = Pool()
    service = pool.service(1, conn=38, peer=("10.0.0.9", 40123))
    answer = service.take(Register(user="bob").begin()).decode()
    assert "\r\nContact: <sip:10.0.0.9:40123;transport=tcp;ms-received-cid=2600>;expires=600\r\n" in answer
    assert ";received=10.0.0.9;ms-received-port=40123;ms-received-cid=2600\r\n" in answer
    assert "\r\nms-keep-alive: UAS; tcp=no; hop-hop=yes; end-end=no; timeout=300\r\n" in answer


@pytest.mark.parametrize("extended", [False, True], ids=["crc", "hmac"])
@pytest.mark.parametrize("cut", [1, 1 << 20])
def test_a_login_and_its_refresh_are_signed_both_ways(extended, cut):
    pool = Pool(auth="ntlm", accounts={"ann": "secret"})
    speech, service = SignedRegister(LOGIN, extended=extended), pool.service(1)
    meet(speech, service, cut)
    assert speech.outcome == "answered" and speech.seen.statuses == [401, 401, 200]
    for act in ("register", "options", "invite", "bye", "subscribe", "leave"):
        meet(speech, service, cut, speech.say(act))
    told = speech.told()
    assert told["later"] == ["answered"] * 6 and told["signatures"] == {"right": told["signatures"]["right"]}
    assert told["target"] == "fe1.pool.lbcert.test" == told["targets"][0] and told["one_server"]
    assert [event["ok"] for event in pool.of("signed")] == [False, *[True] * 8]


def test_another_front_end_refuses_a_signed_message():
    pool = Pool(auth="ntlm", accounts={"ann": "secret"})
    speech = SignedRegister(LOGIN)
    meet(speech, pool.service(1))
    meet(speech, pool.service(2, conn=3), say=speech.say("register"))
    assert speech.later == ["foreign"] and not speech.told()["one_server"]
    assert speech.told()["targets"][-1] == "fe2.pool.lbcert.test"
    refused = pool.of("signed")[-1]
    assert (refused["ok"], refused["why"], refused["target"]) == (False, "foreign-target", "fe1.pool.lbcert.test")


def test_the_same_front_end_knows_the_association_on_another_connection():
    pool = Pool(auth="ntlm", accounts={"ann": "secret"})
    speech = SignedRegister(LOGIN)
    meet(speech, pool.service(1))
    meet(speech, pool.service(1, conn=2), say=speech.say("register"))
    assert speech.later == ["answered"]


def test_a_login_that_changes_its_front_end_half_way_is_seen():
    pool = Pool(auth="ntlm", accounts={"ann": "secret"})
    speech, one, other = SignedRegister(LOGIN), pool.service(1), pool.service(2)
    speech.take(other.take(speech.take(one.take(speech.begin()))))
    assert speech.outcome == "foreign"


SPOILT = {
    "wrong-signature": lambda data: data.replace(b"Expires: 600", b"Expires: 601"),
    "unknown-association": lambda data: data.replace(b'opaque="', b'opaque="0'),
    "unsigned": lambda data: data.replace(b"Authorization", b"X-Authorization"),
    "replayed": lambda data: data + data,
}


@pytest.mark.parametrize("why", SPOILT)
def test_a_spoilt_request_is_challenged(why):
    pool = Pool(auth="ntlm", accounts={"ann": "secret"})
    speech, service = SignedRegister(LOGIN), pool.service(1)
    meet(speech, service)
    answers = service.take(SPOILT[why](speech.say("register")))
    assert answers.rpartition(b"SIP/2.0 ")[2].startswith(b"401 Unauthorized\r\n")
    assert pool.of("signed")[-1]["why"] == why and not pool.of("signed")[-1]["ok"]


@pytest.mark.parametrize("spoil, word", [
    (lambda data: data.replace(b"expires=600", b"expires=60").replace(b"Expires: 600", b"Expires: 60"), "forged"),
    (lambda data: data.replace(b"Authentication-Info", b"X-Info"), "unsigned"),
    (lambda data: data.replace(b'targetname="fe1', b'targetname="fe2'), "foreign"),
    (lambda data: data.replace(b"200 OK", b"603 Decline"), "declined"),
    (lambda data: data.replace(b"CSeq: 4 ", b"CSeq: 7 "), None),
], ids=["forged", "unsigned", "foreign", "declined", "strange"])  # fmt: skip
def test_a_spoilt_answer_is_seen(spoil, word):
    pool = Pool(auth="ntlm", accounts={"ann": "secret"})
    speech, service = SignedRegister(LOGIN), pool.service(1)
    meet(speech, service)
    answer = service.take(speech.say("register"))
    assert spoil(answer) != answer
    speech.take(spoil(answer))
    assert speech.later == [word or "strange"] and speech.waits == (word is None)


def test_an_answer_of_nobody_is_no_answer_of_a_front_end():
    for named, outcome in ((True, "anonymous"), (False, "answered")):
        speech = Options(named=named)
        speech.take(Pool().service(1).take(speech.begin()).replace(b"Server: RTC/3.5 (fe=1; conn=1)", b"Server: a balancer"))
        assert (speech.outcome, speech.identity) == (outcome, None)


def test_a_wrong_password_is_refused():
    pool = Pool(auth="ntlm", accounts={"ann": "other"})
    speech = SignedRegister(LOGIN)
    meet(speech, pool.service(1))
    assert speech.outcome == "declined" and pool.of("signed")[-1]["why"] == "wrong-login"


def test_applications_and_a_pool_without_a_login():
    pool = Pool(auth="ntlm", accounts={"ann": "secret"})
    unsigned, application = Options(), Options()
    meet(unsigned, pool.service(1, port=5061))
    meet(application, pool.service(1, port=5071))
    assert (unsigned.outcome, application.outcome) == ("declined", "answered")


@pytest.mark.parametrize("method", ["ACK", "CANCEL"])
def test_what_must_not_be_answered_is_thrown_away_where_it_is_unsigned(method):
    pool = Pool(auth="ntlm", accounts={"ann": "secret"})
    says = Options().begin().replace(b"OPTIONS", method.encode())
    assert pool.service(1).take(says) == b"" and not pool.of("signed")[0]["ok"]


def test_only_those_with_an_account_are_asked():
    pool = Pool(auth="accounts", accounts={"ann": "secret"})
    service = pool.service(1)
    ann, bob, other = SignedRegister(LOGIN), Register(user="bob"), Register(user="ann")
    for speech in (ann, bob, other):
        meet(speech, service)
    assert [speech.outcome for speech in (ann, bob, other)] == ["answered", "answered", "declined"]


def test_a_login_that_nobody_asks_for_is_no_login():
    speech = SignedRegister(LOGIN)
    meet(speech, Pool().service(1))
    assert speech.outcome == "unsigned" and speech.told()["target"] is None


def test_a_call():
    pool = Pool()
    speech, service = Invite(), pool.service(1)
    meet(speech, service)
    assert speech.outcome == "answered" and [e["method"] for e in pool.of("request")] == ["INVITE", "ACK"]
    elsewhere = pool.service(2).take(speech.say("bye"))
    assert elsewhere.startswith(b"SIP/2.0 481 ")
    meet(speech, service, say=speech.say("bye"))
    assert speech.later == ["answered"]
    assert service.take(speech.say("bye")).startswith(b"SIP/2.0 481 ")


@pytest.mark.parametrize("kind", [Register, Options, Invite, Subscribe])
def test_a_held_client_asks_again(kind):
    speech, service = kind(), Pool().service(1)
    meet(speech, service)
    for _ in range(3):
        meet(speech, service, say=speech.again())
    assert speech.answers == 4 and speech.waits == 0 and speech.later == ["answered"] * 3
    meet(speech, Pool().service(2), say=speech.again())
    assert speech.answers == (5 if kind in (Register, Options) else 4)


@pytest.mark.parametrize("login", [None, LOGIN], ids=["plain", "signed"])
def test_a_subscription_is_notified_on_its_own_connection(login):
    pool = Pool(**({"auth": "ntlm", "accounts": {"ann": "secret"}} if login else {}))
    speech, service = Subscribe(user="ann", login=login), pool.service(1)
    meet(speech, service)
    assert speech.outcome == "answered" and speech.seen.notified == 1
    service.take(speech.take(service.push({"say": "notify", "body": "words"})))
    assert speech.seen.notified == 2 and [e["status"] for e in pool.of("response")] == [200, 200]
    assert [event["sha256"] for event in pool.of("sent")][-1] == speech.told()["received"][-1]
    assert set(speech.seen.signatures) == ({"right"} if login else set())


def test_keep_alives():
    pool = Pool()
    speech, service = Register(), pool.service(1)
    meet(speech, service)
    for _ in range(3):
        speech.take(service.take(speech.say("ping")))
    speech.take(service.push({"say": "ping"}))
    assert (speech.seen.pings, speech.seen.pongs) == (3, 4)
    assert [event["bytes"] for event in pool.of("keepalive")] == ["0d0a0d0a"] * 3


def test_a_front_end_that_has_forgotten_asks_for_a_login():
    pool = Pool(auth="ntlm", accounts={"ann": "secret"})
    speech, service = SignedRegister(LOGIN), pool.service(1)
    meet(speech, service)
    assert service.push({"say": "forget"}) == b""
    meet(speech, service, say=speech.say("register"))
    assert speech.later == ["declined"] and pool.of("signed")[-1]["why"] == "unknown-association"


def test_an_altered_message_shows_by_its_digest():
    pool = Pool()
    speech, service = Register(raw=True), pool.service(1)
    sent = speech.begin()
    speech.take(service.take(sent.replace(b"Max-Forwards: 70", b"Max-Forwards: 69")))
    (request,) = pool.of("request")
    assert request["sha256"] != speech.told()["sent"][0] == sha256(sent).hexdigest()
    assert speech.told()["raw"][0] == ["sent", sent.hex()]


def test_both_ends_know_by_digest_what_went_between_them():
    pool, speech = Pool(), Register()
    service = pool.service(1)
    meet(speech, service)
    for name, message in TORTURE.items():
        if name not in UNFIT:
            speech.take(service.take(speech.recite(message)))
    speech.take(service.push({"say": "bytes", "hex": SIG.response.hex()}))
    assert not service.closing and service.push({"say": "digest"}) == b""
    (told,) = pool.of("digest")
    assert speech.digest() == {"went": told["came"], "came": told["went"]} and told["came"][1] > 10_000
    speech.recite(b"lost")
    assert speech.digest()["went"] != told["came"]


def test_what_is_told_stands_beside_what_the_history_says_itself(tmp_path):
    """Names of the history's and of the client's own facts are theirs."""
    pool, speech = Pool(), Subscribe()
    meet(speech, pool.service(1))
    theirs = set("who kind t call client label service source port started outcome answered server conn token held tls".split())
    assert not theirs & speech.told().keys()
    assert not {key for event in pool.reports for key in event} & {"conn", "t", "who"}


TORTURED = {
    400: {"insuf", "lwsruri", "lwsstart", "trws", "ltgtruri", "mismatch01", "mismatch02", "scalar02", "multi01", "quotbal",
          "ncl", "mcl01", "inv2543"},
    405: {"intmeth", "esc02"},
    416: {"unkscm", "novelsc"},
    420: {"bext01"},
    505: {"badvers"},
    481: {"wsinv"},
    200: {"esc01", "escnull", "lwsdisp", "longreq", "dblreq", "semiuri", "transports", "mpart01", "badbranch", "unksm2",
          "invut", "regaut01", "zeromf", "cparam01", "cparam02", "regescrt", "sdp01", "badinv01", "escruri", "badaspec",
          "baddate", "regbadct"},
    None: {"clerr", "baddn", "unreason", "noreason", "bcast", "bigcode", "scalarlg"},
}  # fmt: skip
"""status -> messages of RFC 4475 that a Front End answers with it; none for responses, and for those without an end"""


@pytest.mark.parametrize("cut", [1, 1 << 20])
def test_rfc4475_at_a_front_end(cut):
    """It says something for each, or waits for the rest, and closes where no end can be known."""
    answered: dict[int | None, set[str]] = {}
    for name, message in TORTURE.items():
        pool = Pool()
        service = pool.service(1)
        says = b"".join(service.take(message[at : at + cut]) for at in range(0, len(message), cut))
        finals = [int(one[:3]) for one in says.split(b"SIP/2.0 ")[1:] if one[:3] >= b"200"]
        answered.setdefault(finals[0] if finals else None, set()).add(name)
        assert pool.reports or name in ("clerr", "baddn"), name
        assert service.closing == (name in ("ncl", "mcl01", "inv2543", "dblreq")), name
    assert answered == TORTURED
