"""All steps of an exploration on one lab, each checked against the model. Usable by hand: the pasted tests call them.

Servers are named by their users: `drain(3)` is about the server where user 3 belongs, whichever that is with this product.
"""

from __future__ import annotations

from ..evidence.finding import Finding
from ..verdicts import Verdict
from .administration import Administration
from .basics import EXPECTED
from .failures import Failures
from .users import Users


class Explorer(Users, Failures, Administration):
    """Steps on one lab."""

    def finish(self) -> None:
        """The end of a pasted test: everything was as the model says."""
        text = f"{len(self.steps)} steps, all as declared"
        self.lab.judge(lambda history: Finding(Verdict.PASS, EXPECTED, text))
