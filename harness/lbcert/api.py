"""The stable names for tests, ours and third parties'. Nothing else of the package is promised."""

from .addresses import doubled_digits, long_names, random_letters, sequential
from .clients.rdp import Connection, Visit, connection_request, cut
from .deadlines import CONFIRM_WITHIN, MARGIN, Deadline, detection, patience, recovery
from .deadlines import requirement as requirement_deadline
from .evidence import checks
from .evidence.finding import Finding, Tally
from .evidence.history import History
from .faults import FAULTS, crash, dark, hang, refuse, restore
from .lab import Lab
from .requirement import requirement
from .verdicts import Verdict
from .wire.vectors import CR_VECTORS

__all__ = [
    "CONFIRM_WITHIN",
    "CR_VECTORS",
    "FAULTS",
    "MARGIN",
    "Connection",
    "Deadline",
    "Finding",
    "History",
    "Lab",
    "Tally",
    "Verdict",
    "Visit",
    "checks",
    "connection_request",
    "crash",
    "cut",
    "dark",
    "detection",
    "doubled_digits",
    "hang",
    "long_names",
    "patience",
    "random_letters",
    "recovery",
    "refuse",
    "requirement",
    "requirement_deadline",
    "restore",
    "sequential",
]
