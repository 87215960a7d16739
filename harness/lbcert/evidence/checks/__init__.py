"""Checks: pure functions from a history to a finding. Tested with literals in tests/checks."""

from .fail import dead_server_is_left, return_rule_is_kept, sessions_are_cut
from .parse import arrives_unchanged, cuts_do_not_matter, is_served
from .persist import one_server_per_user, users_are_spread

__all__ = [
    "arrives_unchanged",
    "cuts_do_not_matter",
    "dead_server_is_left",
    "is_served",
    "one_server_per_user",
    "return_rule_is_kept",
    "sessions_are_cut",
    "users_are_spread",
]
