"""OCS-ADMIN-01, -02: who is shown the product's own pages."""

from lbcert.api import Lab, ask_pages, checks, page_to_open, requirement, try_defaults


@requirement("OCS-ADMIN-01")
def test_page_asks_who_you_are(lab: Lab) -> None:
    """Every socket of the product that clients reach and that is no service's is asked for a page."""
    ask_pages(lab)
    lab.judge(checks.page_asks_who_you_are, declared=page_to_open(lab))


@requirement("OCS-ADMIN-02")
def test_default_credentials(lab: Lab) -> None:
    """What guides and products ship with is tried where credentials are asked for."""
    try_defaults(lab)
    lab.judge(checks.defaults_open_nothing)
