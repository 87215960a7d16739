"""TP-ADDR-05: where health checks come from."""

from lbcert.api import MARGIN, Lab, checks, dial, requirement, requirement_deadline

INTERVALS = 5


@requirement("TP-ADDR-05")
def test_checks_come_from_the_product(lab: Lab) -> None:
    """Some clients come and go, so that there are addresses to be mistaken for one's own; then nobody comes for some check intervals."""
    lab.visit([dial(lab, service) for _ in range(6) for service in ("http", "https")])
    lab.mark("quiet")
    seconds = INTERVALS * lab.declares.health_check.inter + MARGIN if not lab.declares.health_check.passive else INTERVALS
    lab.watch("health checks", lambda: False, requirement_deadline(f"{INTERVALS} check intervals", seconds))
    lab.mark("end")
    lab.judge(checks.checks_come_from_the_product)
