"""Random sequences of what users, servers and the administrator do, against the model that the DUT declares (--explore N)."""

from lbcert.api import Deployment, Labs, explore_model, requirement


def checked_by_itself(deployment: Deployment) -> bool:
    """Where users find out who is dead, what they meet depends on who came before; the model does not know that."""
    return not deployment.declares.health_check.passive


def has_lifetime(deployment: Deployment) -> bool:
    return checked_by_itself(deployment) and "short-lifetime" in deployment.variants


@requirement(
    "RDP-PARSE-03", "RDP-PARSE-04", "RDP-PARSE-08", "RDP-PARSE-09", "RDP-PARSE-10", "RDP-PARSE-12",
    "RDP-PERSIST-01", "RDP-PERSIST-02", "RDP-PERSIST-03", "RDP-PERSIST-04", "RDP-PERSIST-05", "RDP-PERSIST-06",
    "RDP-PERSIST-08", "RDP-PERSIST-09", "RDP-PERSIST-10", "RDP-PERSIST-11",
    "RDP-FAIL-01", "RDP-FAIL-02", "RDP-FAIL-03", "RDP-FAIL-05", "RDP-FAIL-06", "RDP-FAIL-07", "RDP-FAIL-09",
    "RDP-SESS-02", "RDP-SESS-04", "RDP-SESS-06",
    exploration=True, when=checked_by_itself,
)  # fmt: skip
def test_random_sequences(labs: Labs) -> None:
    """Whatever users, servers and the administrator do, in any order; the shortest violation is shown as a test."""
    explore_model(labs)


@requirement("RDP-PERSIST-01", "RDP-PERSIST-04", "RDP-PERSIST-05", variant="short-lifetime", when=has_lifetime, exploration=True)
def test_random_sequences_with_a_short_lifetime(labs: Labs) -> None:
    """The same where an entry lives 4 s, so that time passes as well: a tenth of the sequences, for they take longer."""
    explore_model(labs, share=0.1)
