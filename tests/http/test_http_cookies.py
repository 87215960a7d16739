"""Cookies as RFC 6265 has them."""

import pytest

from lbcert.wire.cookies import Jar, default_path, matches, read


def test_attributes_in_any_case_and_order():
    cookie = read("SERVERID=a=b ; Max-Age=60; secure; PATH=/x; HTTPONLY; SameSite=Lax", "/y/z")
    assert (cookie.name, cookie.value, cookie.path, cookie.secure, cookie.http_only, cookie.max_age) == (
        "SERVERID", "a=b", "/x", True, True, 60,
    )  # fmt: skip


@pytest.mark.parametrize("line", ["", "a", "=b", " =b; path=/"])
def test_what_is_dropped(line):
    assert read(line, "/") is None


@pytest.mark.parametrize("target, path", [("/", "/"), ("/a", "/"), ("/a/b?c=/d/", "/a"), ("x", "/"), ("*", "/")])
def test_the_path_of_a_cookie_without_one(target, path):
    assert default_path(target) == path


@pytest.mark.parametrize("target, path, goes", [
    ("/a", "/a", True), ("/a/b", "/a", True), ("/ab", "/a", False), ("/a?x", "/a", True), ("/", "/a", False),
    ("/a/b", "/a/", True),
])  # fmt: skip
def test_where_a_cookie_goes(target, path, goes):
    assert matches(target, path) is goes


def test_later_cookies_replace_and_longer_paths_come_first():
    jar = Jar()
    for line in ("a=1; path=/", "a=2; path=/", "a=3; path=/x", "b=4; path=/"):
        jar.take(line, "/")
    assert jar.header("/x/y", secure=False) == "a=3; a=2; b=4"


@pytest.mark.parametrize("end", [
    "Max-Age=0", "max-age=-5", "Expires=Thu, 01-Jan-1970 00:00:01 GMT", "Expires=Wed, 01 Jan 2020 00:00:00 GMT",
])
def test_an_expired_cookie_is_forgotten(end):
    jar = Jar()
    jar.take("a=1; path=/", "/")
    jar.take(f"a=; path=/; {end}", "/", now="Wed, 01 Jan 2025 00:00:00 GMT")
    assert len(jar) == 0


@pytest.mark.parametrize("end", ["Max-Age=60", "Max-Age=x", "Expires=Wed, 01 Jan 2031 00:00:00 GMT", "Expires=soon", "Expires="])
def test_others_stay(end):
    jar = Jar()
    jar.take(f"a=1; path=/; {end}", "/", now="Wed, 01 Jan 2025 00:00:00 GMT")
    assert jar.header("/", secure=False) == "a=1"


@pytest.mark.parametrize("domain, kept", [
    ("", True), ("www.lbcert.test", True), (".lbcert.test", True), ("LBCERT.test", True),
    ("shop.example", False), ("cert.test", False), ("other.lbcert.test", False), ("a.www.lbcert.test", False),
])  # fmt: skip
def test_a_cookie_for_another_domain_is_not_taken(domain, kept):
    jar = Jar()
    jar.take(f"a=1; path=/; Domain={domain}", "/", host="www.lbcert.test")
    assert len(jar) == kept


@pytest.mark.parametrize("domain, kept", [("10.0.0.142", True), ("0.142", False)])
def test_an_address_is_in_no_domain(domain, kept):
    jar = Jar()
    jar.take(f"a=1; path=/; domain={domain}", "/", host="10.0.0.142")
    assert len(jar) == kept


@pytest.mark.parametrize("line, kept", [
    ("a=1; SameSite=None", False), ("a=1; samesite=NONE; Secure", True), ("a=1; SameSite=Lax", True), ("a=1; SameSite=Strict", True),
    ("__Secure-a=1", False), ("__secure-a=1; Secure", True), ("__Host-a=1; Secure; Path=/", True), ("__Host-a=1; Path=/", False),
    ("__Host-a=1; Secure; Path=/x", False), ("__Host-a=1; Secure; Path=/; Domain=lbcert.test", False),
])  # fmt: skip
def test_a_cookie_that_contradicts_itself_is_not_taken(line, kept):
    jar = Jar()
    jar.take(line, "/x", None, "www.lbcert.test")
    assert len(jar) == kept
