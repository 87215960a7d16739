"""TP-COOKIE: the balancer's own cookie, and persistence by it (TP-TLS-04)."""

import re
from collections import Counter

from lbcert.api import Ask, Browser, Lab, answer_with, browse, checks, crash, dial, requirement, requirement_deadline, until_dead

SERVICES = ("http", "https")
USERS = 10
"""for each service"""
MANY = 18
"""for each service, so that some are each server's"""
PAGES = 20
READING = 30.0
"""s that users look at a page before they ask for the next"""
READ = 3
ODD_USERS = 21
"""for each kind of cookie: of two servers, chance sends all to one less than once in a million times"""
PUBLIC = "public, max-age=3600"
KEPT_AS_WELL = (
    ("Cache-Control", "max-age=600"),
    ("Expires", "Thu, 31 Dec 2037 23:55:55 GMT"),
    ("Last-Modified", "Wed, 01 Jan 2020 00:00:00 GMT"),
)
"""headers of other pages that a shared cache may keep (RFC 9111, sections 3 and 4.2.2)"""
SITE = ("sid=a1b2c3; Path=/; HttpOnly", 'theme="dark mode"; Max-Age=3600; SameSite=Lax', "gone=; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
NOBODYS = {
    "another word": "={name}=nosuch",
    "nothing": "{name}=",
    "2,000 letters": "{name}=" + "A" * 2000,
    "a server's name with more": "{name}={more}",
    "in quotation marks": '{name}="{value}"x',
    "separators": "{name}=a=b,c|d/e~f",
}
"""kind of cookie -> what it says in place of a server's name"""


def newcomers(count: int = USERS) -> list[Browser]:
    return [Browser(f"{service} user {number}", service) for service in SERVICES for number in range(count)]


def settled(lab: Lab) -> list[Browser]:
    """Users who have been given their servers."""
    lab.need_servers(2)
    lab.settle()  # a check that takes a server which is well for a dead one, and moves its users, has done so by now
    users = newcomers()
    browse(lab, users, 1, label="first")
    return users


def cookies_of(browser: Browser) -> list[str]:
    """What the user was given, as it is shown."""
    return [f"{one.name}={one.value}" for one in browser.jar]


def longer(value: str) -> str:
    """Another name, a letter longer: the letter comes before what some products write behind a server's name, such as the time."""
    name = re.match(r"[\w.-]*", value)[0] or value
    return f"{name}x{value.removeprefix(name)}"


@requirement("TP-COOKIE-01")
def test_cookie_is_set_once(lab: Lab) -> None:
    """Users without the cookie see a page deep in the site, then five at its top. The site has cookies of its own; every second user
    still has one of last time."""
    lab.settle()  # a check that takes a server which is well for a dead one, and moves its users, has done so by now
    answer_with(lab, set_cookie=SITE)
    users = newcomers()
    for user in users[::2]:
        user.jar.take("last=time; Path=/", "/")
    lab.visit([dial(lab, user.service, asks=[Ask("/deep/in/the/site")], jar=user.jar, client=user.name) for user in users])
    browse(lab, users, 3)
    browse(lab, users, 2)
    lab.judge(checks.cookie_is_set_once, site=SITE)


@requirement("TP-COOKIE-02")
def test_cookie_is_hidden_from_servers(lab: Lab) -> None:
    """Users show the balancer's cookie before, between and behind others, whose names are like its own, and also none."""
    answer_with(lab, set_cookie=SITE)
    users = newcomers(1)
    browse(lab, users, 1)
    calls = []
    for user in users:
        sets = {line.partition("=")[0] for line in SITE}
        own = [text for text in cookies_of(user) if text.partition("=")[0] not in sets]
        name = own[0].partition("=")[0] if own else "none"
        site = [f"{name}2=web9", "empty=", "eq=a=b==", f"X{name}=1", 'q="x y"', "bare", "pct=%3B%20", f"{name.swapcase()}=mine", "la=\xfc"]
        for place in range(len(site) + 1):
            calls.append(showing(lab, user, [*site[:place], *own, *site[place:]]))
        calls += [showing(lab, user, text) for text in (own, site, site[:1], [])]
    lab.visit(lab.shuffled(calls))
    lab.judge(checks.cookie_is_hidden, site=SITE)


def showing(lab: Lab, user: Browser, texts: list[str]):
    headers = [("Cookie", "; ".join(texts))] if texts else []
    return dial(lab, user.service, asks=[Ask("/", headers=headers)], client=user.name)


@requirement("TP-COOKIE-03")
def test_cookie_is_kept_out_of_caches(lab: Lab) -> None:
    """Pages that caches may keep, of all kinds, to users without the cookie and to the same users with it."""
    for status, method in ((200, "GET"), (200, "HEAD"), (301, "GET"), (404, "GET")):
        answer_with(lab, only="/page", status=status, headers=[["Cache-Control", PUBLIC]])
        users = newcomers(2)
        browse(lab, users, 1, method=method, label="new")
        browse(lab, users, 1, method=method, label="known")
    for name, value in KEPT_AS_WELL:
        answer_with(lab, only="/page", headers=[[name, value]])
        browse(lab, newcomers(2), 1, label="new")
    lab.judge(checks.insertion_is_not_cached, public=PUBLIC)


@requirement("TP-COOKIE-04")
def test_cookie_is_secure_over_tls(lab: Lab) -> None:
    browse(lab, newcomers(), 1)
    lab.judge(checks.cookie_is_secure)


@requirement("TP-COOKIE-05")
def test_cookie_of_nobody_is_balanced(lab: Lab) -> None:
    """Users whose first cookie was made up, or names two servers, then go on with what they are given."""
    lab.need_servers(2)
    lab.settle()  # as above
    known = [Browser(f"{service} owner {number}", service) for service in SERVICES for number in range(2 * len(lab.servers))]
    browse(lab, known, 1, label="owner")
    for service in SERVICES:
        own = list(dict.fromkeys(text for user in known if user.service == service for text in cookies_of(user)))
        name, _, value = own[0].partition("=") if own else ("none", "", "none")
        kinds = {kind: form.format(name=name, value=value, more=longer(value)) for kind, form in NOBODYS.items()}
        for kind, text in {**kinds, "two servers": "; ".join(own[:2]), "nobody, then a server": "; ".join([f"{name}=nosuch", *own[:1]])}.items():
            users = [Browser(f"{service} user {number} with {kind}", service) for number in range(ODD_USERS)]
            for user in users:
                user.headers = [("Cookie", text)]
            browse(lab, users, 1, label=kind)
            for user in users:
                user.headers = [] if len(user.jar) else user.headers
            browse(lab, users, 2, label=kind)
    lab.judge(checks.odd_cookie_is_balanced, nobodys=list(NOBODYS))


@requirement("TP-TLS-04")
def test_cookie_keeps_a_user_on_one_server(lab: Lab) -> None:
    """Twenty pages for each user: on connections of their own, in a row on one, and pipelined; others come in between."""
    users = settled(lab)
    for pages, pipelined in ((1, False), (5, False), (1, False), (5, True), (1, False), (3, True), (4, False)):
        browse(lab, [Browser(f"other {number}", "https") for number in range(3)], 1, label="other")
        browse(lab, users, pages, label="again", pipelined=pipelined)
    lab.judge(checks.cookie_keeps_server, pages=PAGES)


@requirement("TP-TLS-04")
def test_cookie_outlives_the_reading_of_a_page(lab: Lab) -> None:
    """Users look at a page for half a minute, and go on; others come meanwhile."""
    users = settled(lab)
    lab.watch("users read", lambda: False, requirement_deadline("reading", READING))
    browse(lab, [Browser(f"other {number}", "https") for number in range(3)], 1, label="other")
    browse(lab, users, READ, label="again")
    lab.judge(checks.cookie_keeps_server, pages=READ)


@requirement("TP-COOKIE-06", timing=True)
def test_users_of_a_dead_server_are_moved(lab: Lab) -> None:
    """A server crashes; when that must be known all users come, and go on. Where users have to find it out, half of its users do."""
    lab.need_servers(2)
    lab.settle()
    users = newcomers(MANY)

    def come(user: Browser, label: str):
        return dial(lab, user.service, jar=user.jar, client=user.name, label=label)

    homes = [talk.server for talk in lab.visit([come(user, "first") for user in users])]
    server = Counter(filter(None, homes)).most_common(1)[0][0] if any(homes) else lab.servers[0].name
    theirs = [user for user, home in zip(users, homes, strict=True) if home == server]
    finders = theirs[::2] if lab.declares.health_check.passive else []
    crash(lab, lab.server(server))
    until_dead(lab, server, "refused", finders or theirs, come=come)
    users = [user for user in users if user not in finders]
    lab.visit(lab.shuffled([come(user, "after") for user in users]), at_once=6)
    browse(lab, users, READ, label="later")
    lab.judge(checks.dead_servers_users_are_moved)
