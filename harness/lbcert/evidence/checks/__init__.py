"""Checks: pure functions from a history to a finding. Tested with literals in tests/evidence."""

from .crowds import full_table_serves, new_users_go_where_there_is_room, pairs_agree
from .fail import dead_server_is_left, return_rule_is_kept, sessions_are_cut
from .fail_dark import dark_server_is_left, hung_server_is_left
from .fail_moved import moved_users_go_straight
from .fail_total import total_loss_is_answered
from .health import checks_are_harmless, rise_is_respected
from .idle import idle_time_is_kept
from .lifetime import lifetime_is_kept, session_outlives_lifetime
from .names import alike_clients_are_spread, fallback_is_followed, forms_of_a_name, long_names_are_told_apart
from .parse import arrives_unchanged, cuts_do_not_matter, is_served
from .parse_abuse import largest_request_is_persisted, malformed_does_no_harm, silent_clients_are_bounded
from .parse_confirm import answer_arrives_unchanged, is_answered_in_kind
from .parse_odd import correlation_info_is_no_cookie, request_is_not_held, token_and_cookie_give_one_result
from .parse_security import security_is_end_to_end
from .persist import one_server_per_user, users_are_spread
from .session import departures_are_passed_on, drain_harms_nobody, keepalive_is_sent, reload_keeps_sessions_and_users
from .web_cookie import (
    cookie_is_hidden,
    cookie_is_secure,
    cookie_is_set_once,
    cookie_keeps_server,
    insertion_is_not_cached,
    odd_cookie_is_balanced,
)
from .web_smuggling import requests_end_where_they_do

__all__ = [
    "alike_clients_are_spread",
    "answer_arrives_unchanged",
    "arrives_unchanged",
    "checks_are_harmless",
    "cookie_is_hidden",
    "cookie_is_secure",
    "cookie_is_set_once",
    "cookie_keeps_server",
    "correlation_info_is_no_cookie",
    "cuts_do_not_matter",
    "dark_server_is_left",
    "dead_server_is_left",
    "departures_are_passed_on",
    "drain_harms_nobody",
    "fallback_is_followed",
    "forms_of_a_name",
    "full_table_serves",
    "hung_server_is_left",
    "idle_time_is_kept",
    "insertion_is_not_cached",
    "is_answered_in_kind",
    "is_served",
    "keepalive_is_sent",
    "largest_request_is_persisted",
    "lifetime_is_kept",
    "long_names_are_told_apart",
    "malformed_does_no_harm",
    "moved_users_go_straight",
    "new_users_go_where_there_is_room",
    "odd_cookie_is_balanced",
    "one_server_per_user",
    "pairs_agree",
    "reload_keeps_sessions_and_users",
    "request_is_not_held",
    "requests_end_where_they_do",
    "return_rule_is_kept",
    "rise_is_respected",
    "security_is_end_to_end",
    "session_outlives_lifetime",
    "sessions_are_cut",
    "silent_clients_are_bounded",
    "token_and_cookie_give_one_result",
    "total_loss_is_answered",
    "users_are_spread",
]
