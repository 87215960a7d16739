"""TP-HTTP: requests and answers arrive as they were sent; what servers are told of the client's scheme."""

from lbcert.api import Ask, Lab, answer_with, checks, claiming, dial, note_sent, requirement

SERVICES = ("http", "https")
BODY = bytes(range(256)) * 20
FORM = ("Content-Type", "application/octet-stream")
COOKIES = ("Cookie", 'sid=a1b2c3; theme="dark mode"')
SETS = {"set_cookie": ["sid=a1b2c3; Path=/; HttpOnly", "seen=1"]}
REQUESTS = {
    "a browser's": Ask("/page", headers=[
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"), ("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"),
        ("Accept-Language", "de-CH, fr;q=0.5"), ("Referer", "https://www.lbcert.test/from?here=1"), ("DNT", "1"),
        ("Upgrade-Insecure-Requests", "1"), ("Sec-Fetch-Mode", "navigate"), ("Pragma", "no-cache"), ("Cache-Control", "no-cache"),
    ]),
    "a program's": Ask("/page", headers=[
        ("Authorization", "Basic bGJjZXJ0OmxiY2VydA=="), ("Accept", "application/json"), ("X-Requested-With", "XMLHttpRequest"),
        ("Origin", "https://shop.lbcert.test"), ("SOAPAction", '"urn:lbcert#do"'), ("X-Api-Key", "k-1"), ("From", "user@lbcert.test"),
    ]),
    "for a part, on condition": Ask("/page", headers=[("Range", "bytes=0-99"), ("If-Range", '"v1"'), ("If-Match", '"v1", "v2"')]),
    "on another condition": Ask("/page", headers=[("If-None-Match", 'W/"v1"'), ("If-Modified-Since", "Wed, 01 Jan 2020 00:00:00 GMT")]),
    "one name three times": Ask("/page", headers=[("X-Twice", "b"), ("Accept", "text/html"), ("X-Twice", "a"), ("X-Twice", "b")]),
    "a ticket of 4,000 letters": Ask("/page", headers=[("Authorization", "Negotiate " + "YII" * 1330)]),
    "odd letters in values": Ask("/page", headers=[("X-Odd", "caf\xe9 \"q\" \\ ; , = <> {}"), ("X-Spaces", "a  b\tc")]),
    "another name of the site": Ask("/page", host="shop.lbcert.test"),
    "an odd target": Ask("/page//b/./c%2Fd/%7Ee;v=1/../f?b=2&a=1&a=0&q=%C3%A4+z'()*!~&empty="),
    "HEAD": Ask("/page", "HEAD"),
    "OPTIONS": Ask("/page", "OPTIONS", headers=[("Access-Control-Request-Method", "PUT"), ("Origin", "https://shop.lbcert.test")]),
    "DELETE": Ask("/page", "DELETE", headers=[COOKIES]),
    "PUT": Ask("/page", "PUT", headers=[FORM, COOKIES, ("Content-Encoding", "br"), ("Content-Language", "de")], body=BODY),
    "PATCH": Ask("/page", "PATCH", headers=[("Content-Type", "application/merge-patch+json")], body=b'{"a": null}'),
    "POST of nothing": Ask("/page", "POST"),
    "POST in chunks": Ask("/page", "POST", headers=[FORM, COOKIES], body=BODY, chunks=3),
    "POST that waits for 100": Ask("/page", "POST", headers=[FORM], body=BODY, expect=True),
}  # fmt: skip
"""form -> a request"""
ANSWERS = {
    "a page": {"headers": [
        ["ETag", '"v1"'], ["Last-Modified", "Wed, 01 Jan 2020 00:00:00 GMT"], ["Content-Language", "de, fr"], ["Vary", "Accept-Language, Origin"],
        ["Content-Disposition", 'inline; filename="a;b.html"'], ["Link", "</a.css>; rel=preload"], ["Link", "</b.js>; rel=preload"],
        ["X-Frame-Options", "SAMEORIGIN"], ["Content-Security-Policy", "default-src 'self'; img-src *"], ["Accept-Ranges", "bytes"],
        ["Access-Control-Allow-Origin", "https://shop.lbcert.test"], ["Age", "7"], ["X-Twice", "b"], ["X-Twice", "a"],
    ]},
    "a page to be kept": {"headers": [["Cache-Control", "public, max-age=60"], ["Expires", "Thu, 31 Dec 2037 23:55:55 GMT"], ["ETag", 'W/"v2"']]},
    "a large field": {"headers": [["X-Large", "L" * 3000]]},
    "compressed by the site": {"headers": [["Content-Encoding", "gzip"], ["Vary", "Accept-Encoding"]], "body_size": 5000},
    "long, in chunks": {"body_size": 100_000, "chunked": True},
    "the last of its connection": {"body_size": 3000, "close": True},
    "201": {"status": 201, "headers": [["Location", "/page/7?new=1"]]},
    "204": {"status": 204, "headers": [["ETag", '"v3"']]},
    "206": {"status": 206, "headers": [["Content-Range", "bytes 0-99/5000"]], "body_size": 100},
    "301": {"status": 301, "headers": [["Location", "https://login.lbcert.test/in?to=%2Fpage&n=1"]], **SETS},
    "303": {"status": 303, "headers": [["Location", "/page/done"]]},
    "304": {"status": 304, "headers": [["ETag", '"v1"'], ["Expires", "Thu, 31 Dec 2037 23:55:55 GMT"]], **SETS},
    "401": {"status": 401, "headers": [["WWW-Authenticate", 'Basic realm="a, b"'], ["WWW-Authenticate", 'Digest realm="c", nonce="n"']], **SETS},
    "403": {"status": 403}, "404": {"status": 404, **SETS}, "422": {"status": 422, "headers": [["Content-Language", "de"]]},
    "429": {"status": 429, "headers": [["Retry-After", "30"]]}, "500": {"status": 500},
}  # fmt: skip
"""form -> how the servers answer"""
AS_IT_IS = {"headers": [["Cache-Control", "no-transform"]], "body_size": 20_000}
SECURE_CLAIMS = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Scheme", "https"), ("X-Url-Scheme", "https"), ("X-Forwarded-Protocol", "https"),
                 ("X-Forwarded-Ssl", "on"), ("Front-End-Https", "on")]  # fmt: skip
PLAIN_CLAIMS = [(name, {"https": "http", "on": "off"}[value]) for name, value in SECURE_CLAIMS]


@requirement("TP-HTTP-01")
def test_requests_pass_unchanged(lab: Lab) -> None:
    """Requests of all forms, each on a connection of its own; and the same in a row on one, for as long as the product keeps it open."""
    calls = [dial(lab, service, asks=[ask], label=form) for form, ask in REQUESTS.items() for service in SERVICES]
    calls += [dial(lab, service, asks=list(REQUESTS.values()), label="in a row") for service in SERVICES]
    note_sent(lab, lab.visit(lab.shuffled(calls)))
    lab.judge(checks.requests_pass_unchanged)


@requirement("TP-HTTP-02")
def test_answers_pass_unchanged(lab: Lab) -> None:
    """Answers of all forms to clients that take them as they are; and to HEAD, and to who may not be given a page in another form."""
    for form, how in ANSWERS.items():
        answer_with(lab, only="/page", tell=True, **how)
        lab.visit([dial(lab, service, asks=[Ask("/page")], label=form) for service in SERVICES])
    lab.visit([dial(lab, service, asks=[Ask("/page", "HEAD")], label="500 to HEAD") for service in SERVICES])
    answer_with(lab, only="/page", tell=True, **AS_IT_IS)
    zipped = Ask("/page", headers=[("Accept-Encoding", "gzip, br")])
    lab.visit([dial(lab, service, asks=[zipped, zipped], label="not to be transformed") for service in SERVICES])
    lab.judge(checks.answers_pass_unchanged)


@requirement("TP-HTTP-03")
def test_scheme_is_told(lab: Lab) -> None:
    """Clients that claim nothing, that claim to have come over HTTPS, or over HTTP."""
    claims = {"": [], "claiming HTTPS": SECURE_CLAIMS, "claiming HTTP": PLAIN_CLAIMS, "claiming another address": claiming("203.0.113.77")}
    lab.visit([dial(lab, service, asks=[Ask("/page", headers=headers)] * 2, label=label)
               for label, headers in claims.items() for service in SERVICES for _ in range(2)])  # fmt: skip
    lab.judge(checks.scheme_is_told)
