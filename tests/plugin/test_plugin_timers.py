"""--timers: which way a long timer is judged, and in which order tests stand for it."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from lbcert.run import pace
from lbcert.drivers import faster
from lbcert.dut import resolve
from lbcert.run.ordering import arranged

HAPROXY, IDEAL, NULL = (resolve(name) for name in ("haproxy:rdp-cookie", "ideal", "null"))


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """`installed(True)`: the library is on this machine, whether it is or not."""

    def pretend(there: bool) -> Path:
        library = tmp_path / "x86_64-linux-gnu" / "faketime" / "libfaketime.so.1"
        library.parent.mkdir(parents=True)
        if there:
            library.touch()
        monkeypatch.setattr(faster, "_FOLDERS", (str(tmp_path),))
        return library

    return pretend


WAYS = {
    "product": (HAPROXY, "fast", True, ("faster", 3600.0, 60, None)),
    "product in real time": (HAPROXY, "real", True, ("real", 3600.0, 1, None)),
    "ours": (IDEAL, "fast", True, ("variant", 6.0, 1, "short-idle")),
    "ours in real time": (IDEAL, "real", False, ("real", 3600.0, 1, None)),
    "for ever in real time": (NULL, "real", True, ("real", 3600.0, 1, None)),
}


@pytest.mark.parametrize("product, timers, library, expected", WAYS.values(), ids=WAYS)
def test_the_way_of_a_timer(installed, product, timers, library, expected):
    installed(library)
    chosen = pace.choose(product, product.deployments[0], timers, "idle")
    assert (chosen.how, chosen.span, chosen.rate, chosen.variant) == expected


def test_without_the_library_a_variant_does(installed):
    installed(False)
    deployment = replace(HAPROXY.deployments[0], variants={"short-idle": Path("x.cfg")})
    assert pace.choose(HAPROXY, deployment, "fast", "idle").variant == "short-idle"


@pytest.mark.parametrize("product, says", [
    (HAPROXY, "the faster clock needs the library libfaketime (apt-get install libfaketime), which is not on this machine; "
              "`--timers real` does without it and takes 1.05 h"),
    (NULL, "no variant: rdp offers none in which a silent session lives 6 s instead of its usual time"),
], ids=["library", "variant"])  # fmt: skip
def test_no_way_is_said_with_the_remedy(installed, product, says):
    installed(False)
    with pytest.raises(pace.NoPace) as caught:
        pace.choose(product, product.deployments[0], "fast", "idle")
    assert str(caught.value).startswith(says) and "--timers real" in str(caught.value)


def test_the_library_of_threads_comes_first(installed):
    plain = installed(True)
    assert faster.library() == plain
    plain.with_name("libfaketimeMT.so.1").touch()
    assert faster.library().name == "libfaketimeMT.so.1"


def test_a_clock_keeps_to_its_limit_and_to_free_ports(installed):
    library = installed(True)
    clock = faster.make_clock(("192.0.2.10", 3389), [("192.0.2.10", 61001), ("0.0.0.0", 61003)], [1.0, 2.0])
    assert [(control.address, control.port, control.seconds) for control in clock.controls] == [
        ("192.0.2.10", 61002, 1.0), ("192.0.2.10", 61004, 2.0)]  # fmt: skip
    assert clock.environment() == {"LD_PRELOAD": str(library), "FAKETIME": "+0 x60", "NO_FAKE_STAT": "1"}
    with pytest.raises(ValueError, match="not run more than 60 times as fast"):
        faster.make_clock(("192.0.2.10", 3389), [], [1.0], rate=61)


@dataclass
class Row:
    needs: tuple[str, ...] = ()


ROWS = {"base": Row(), "other": Row(), "builds": Row(("base",)), "twin": Row(("base",)), "long": Row(), "late": Row(("builds",))}


@pytest.mark.parametrize("items, long, expected", [
    (["late", "builds", "other", "base"], (), ["other", "base", "builds", "late"]),
    (["base", "builds", "long", "other"], ("long",), ["long", "other", "base", "builds"]),
    (["base", "long"], ("long",), ["long", "base"]),
    (["builds", "twin", "base"], ("twin",), ["base", "twin", "builds"]),
    ([], (), []),
], ids=["needs first", "long with company", "nobody to keep it company", "long that needs another", "nothing"])  # fmt: skip
def test_the_order_of_tests(items, long, expected):
    assert arranged(items, lambda item: (item,), ROWS, long) == expected
