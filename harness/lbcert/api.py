"""The stable names for tests, ours and third parties'. Nothing else of the package is promised."""

from .addresses import doubled_digits, long_names, random_letters, sequential
from .clients.rdp import Connection, Visit, connection_request, cut
from .clients.talk import Call, Talk
from .deadlines import CLOSE_WITHIN, CONFIRM_WITHIN, INSPECTION_CEILING, MARGIN, Deadline, detection, patience, recovery, trial
from .deadlines import requirement as requirement_deadline
from .dut_model import (
    DETECTION_CEILING,
    LIFETIME_FLOOR,
    POOL_CHECK_CEILING,
    SHORT_IDLE,
    SHORT_LIFETIME,
    SMALL_MAXCONN,
    SMALL_PORTS,
    SMALL_TABLE,
    Deployment,
)
from .endpoints.control import MockServer
from .evidence import checks
from .evidence.finding import Finding, Tally
from .evidence.history import History
from .explore import Explorer, Labs, explore_model
from .faults import DETECTED_AS, FAULTS, crash, dark, hang, refuse, restore
from .lab import Lab
from .requirement import requirement
from .security.login import Login, Manner
from .steps.admin import drain, parts, ready, reload, restart
from .steps.browsing import Browser, browse
from .steps.calling import answer_with, dial, listeners, push
from .steps.failing import MANY_USERS, Stream, again, crowd_after_detection, settle_users, two_windows, until_dead
from .steps.pages import ask_pages, declared_page, page_to_open, try_defaults
from .steps.passing import be_silent, be_silent_late
from .steps.pool import (
    BENOTIFY,
    SIP_SERVICES,
    Pulse,
    Trickle,
    ask_more,
    cheap_services,
    come,
    listen,
    newcomers,
    push_all,
    say_all,
    settle_clients,
    tell_heard,
    until_answered,
    until_used,
)
from .steps.scripts import converse, greet, log_in, secure, tell_conversations
from .steps.sip_talks import exchange_sip, recite_torture, require_login, tell_certificates
from .steps.survey import ask_arp, note_carriers, scan_ports
from .steps.tracing import filter_reverse_path, note_bodies, note_bypassed, note_processes, note_senders, note_sent, trace
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
from .wire.http import SITE_NAME, Ask, claiming
from .wire.proxy_malformed import LENIENT, MALFORMED_PROXY, PIECES
from .wire.proxy_malformed import headers as proxy_headers
from .wire.smuggling import SMUGGLING

__all__ = [
    "BENOTIFY",
    "CC_VECTORS",
    "CLOSE_WITHIN",
    "CONFIRM_WITHIN",
    "CR_VECTORS",
    "DETECTED_AS",
    "DETECTION_CEILING",
    "FAULTS",
    "INSPECTION_CEILING",
    "LENIENT",
    "LIFETIME_FLOOR",
    "MALFORMED_PROXY",
    "MALFORMED_VECTORS",
    "MANY_USERS",
    "MARGIN",
    "PIECES",
    "POOL_CHECK_CEILING",
    "SHORT_IDLE",
    "SHORT_LIFETIME",
    "SIP_SERVICES",
    "SITE_NAME",
    "SMALL_MAXCONN",
    "SMALL_PORTS",
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
    "Pulse",
    "RequestFlags",
    "Stream",
    "Talk",
    "Tally",
    "Trickle",
    "Verdict",
    "Visit",
    "again",
    "answer_with",
    "ask_arp",
    "ask_more",
    "ask_pages",
    "be_silent",
    "be_silent_late",
    "browse",
    "cheap_services",
    "checks",
    "claiming",
    "come",
    "connection_request",
    "converse",
    "crash",
    "crowd_after_detection",
    "cut",
    "dark",
    "declared_page",
    "detection",
    "dial",
    "doubled_digits",
    "drain",
    "encode_token",
    "exchange_sip",
    "explore_model",
    "filter_reverse_path",
    "greet",
    "hang",
    "listen",
    "listeners",
    "log_in",
    "long_names",
    "newcomers",
    "note_bodies",
    "note_bypassed",
    "note_carriers",
    "note_processes",
    "note_senders",
    "note_sent",
    "page_to_open",
    "parts",
    "patience",
    "proxy_headers",
    "push",
    "push_all",
    "random_letters",
    "ready",
    "recite_torture",
    "recovery",
    "refuse",
    "reload",
    "require_login",
    "requirement",
    "requirement_deadline",
    "restart",
    "restore",
    "say_all",
    "scan_ports",
    "secure",
    "sequential",
    "settle_clients",
    "settle_users",
    "tell_certificates",
    "tell_conversations",
    "tell_heard",
    "trace",
    "trial",
    "try_defaults",
    "two_windows",
    "until_answered",
    "until_dead",
    "until_used",
]
