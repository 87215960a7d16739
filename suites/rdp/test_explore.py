"""Random sequences of what users and servers do, against the model that the DUT declares (--explore N)."""

from lbcert.api import Labs, explore_model, requirement


@requirement("RDP-PERSIST-01", "RDP-PERSIST-02", "RDP-FAIL-01", "RDP-FAIL-05", "RDP-FAIL-06", timing=True, exploration=True,
             when=lambda deployment: not deployment.declares.health_check.passive)  # fmt: skip
def test_random_sequences(labs: Labs) -> None:
    """Users connect, stay and roam, servers fail and return, in any order; the shortest violation is shown as a test."""
    explore_model(labs)
