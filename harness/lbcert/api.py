"""The stable names for tests, ours and third parties'. Nothing else of the package is promised."""

from .addresses import doubled_digits, long_names, random_letters, sequential
from .admin import drain, ready, reload
from .browsing import Browser, browse
from .calling import answer_with, dial, push
from .clients.rdp import Connection, Visit, connection_request, cut
from .clients.talk import Call, Talk
from .deadlines import CLOSE_WITHIN, CONFIRM_WITHIN, INSPECTION_CEILING, MARGIN, Deadline, detection, patience, recovery, trial
from .deadlines import requirement as requirement_deadline
from .endpoints.control import MockServer
from .dut_model import DETECTION_CEILING, LIFETIME_FLOOR, SHORT_LIFETIME, SMALL_TABLE, Deployment
from .evidence import checks
from .explore import Explorer, Labs, explore_model
from .evidence.finding import Finding, Tally
from .evidence.history import History
from .failing import MANY_USERS, Stream, again, crowd_after_detection, settle_users, until_dead
from .faults import DETECTED_AS, FAULTS, crash, dark, hang, refuse, restore
from .lab import Lab
from .requirement import requirement
from .passing import be_silent
from .scripts import converse, greet, log_in, secure, tell_conversations
from .security.login import Login, Manner
from .verdicts import Verdict
from .wire import (
    CC_VECTORS,
    CR_VECTORS,
    MALFORMED_VECTORS,
    ConnectionConfirm,
    ConnectionRequest,
    CorrelationInfo,
    NegotiationFailure,
    NegotiationRequest,
    NegotiationResponse,
    Protocols,
    RequestFlags,
    encode_token,
)
from .wire.cookies import Jar
from .wire.http import SITE_NAME, Ask
from .wire.smuggling import SMUGGLING

__all__ = [
    "CC_VECTORS",
    "CLOSE_WITHIN",
    "CONFIRM_WITHIN",
    "CR_VECTORS",
    "DETECTED_AS",
    "DETECTION_CEILING",
    "FAULTS",
    "INSPECTION_CEILING",
    "LIFETIME_FLOOR",
    "MALFORMED_VECTORS",
    "MANY_USERS",
    "MARGIN",
    "SHORT_LIFETIME",
    "SITE_NAME",
    "SMALL_TABLE",
    "SMUGGLING",
    "Ask",
    "Browser",
    "Call",
    "Connection",
    "ConnectionConfirm",
    "ConnectionRequest",
    "CorrelationInfo",
    "Deadline",
    "Deployment",
    "Explorer",
    "Finding",
    "History",
    "Jar",
    "Lab",
    "Labs",
    "Login",
    "Manner",
    "MockServer",
    "NegotiationFailure",
    "NegotiationRequest",
    "NegotiationResponse",
    "Protocols",
    "RequestFlags",
    "Stream",
    "Talk",
    "Tally",
    "Verdict",
    "Visit",
    "again",
    "answer_with",
    "be_silent",
    "browse",
    "checks",
    "connection_request",
    "converse",
    "crash",
    "crowd_after_detection",
    "cut",
    "dark",
    "detection",
    "dial",
    "doubled_digits",
    "drain",
    "encode_token",
    "explore_model",
    "greet",
    "hang",
    "log_in",
    "long_names",
    "patience",
    "push",
    "random_letters",
    "ready",
    "recovery",
    "refuse",
    "reload",
    "requirement",
    "requirement_deadline",
    "restore",
    "secure",
    "sequential",
    "settle_users",
    "tell_conversations",
    "trial",
    "until_dead",
]
