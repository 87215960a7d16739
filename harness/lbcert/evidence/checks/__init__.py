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
from .pool_admin import defaults_open_nothing, page_asks_who_you_are
from .pool_affinity import one_front_end_per_client, simultaneous_ports_agree, skew_is_known
from .pool_content import bytes_arrive, sign_in_stays_with_one_front_end, sip_is_not_altered, tls_is_end_to_end, torture_arrives
from .pool_lifetime import affinity_lasts, half_an_hour_is_remembered, many_are_remembered
from .pool_limits import fullness_is_graceful, ports_run_out_gracefully
from .pool_load import load_goes_where_there_is_room
from .pool_network import both_ways_cross_the_product, front_ends_reach_the_vip, front_ends_see_the_product, vip_has_one_owner
from .pool_ports import listeners_agree, only_declared_ports_are_open, ports_are_kept, ports_are_open
from .pool_fail import half_dead_front_end_is_left, hung_front_end_is_left, refusal_is_found
from .pool_fail_drain import drained_front_end_ends_in_order
from .pool_fail_meanwhile import clients_are_served_meanwhile
from .pool_fail_moved import ports_move_together
from .pool_fail_told import clients_of_dead_front_end_are_told, others_feel_nothing
from .pool_fail_total import fallback_is_the_last_resort
from .pool_idle import both_ends_are_told, front_end_reaches_silent_client, idle_time_exceeds_refresh, silent_connection_lives
from .pool_idle_kept import keepalives_pass_and_count, one_way_is_enough
from .pool_idle_ping import pings_are_answered_by_the_front_end
from .session import departures_are_passed_on, drain_harms_nobody, keepalive_is_sent, reload_keeps_sessions_and_users
from .web_checks import checks_come_from_the_product
from .web_cookie import (
    cookie_is_hidden,
    cookie_is_secure,
    cookie_is_set_once,
    cookie_keeps_server,
    dead_servers_users_are_moved,
    insertion_is_not_cached,
    odd_cookie_is_balanced,
)
from .web_smuggling import requests_end_where_they_do
from .web_fallback import fallback_answers
from .web_forwarded import last_forwarded_is_the_client
from .web_link import only_the_vip_is_seen
from .web_passed import answers_pass_unchanged, requests_pass_unchanged, scheme_is_told
from .web_persist import restarts_change_nothing, resumption_moves_nobody
from .web_ports import many_connections_are_served, one_port_serves_two_services
from .web_process import nobody_serves_as_root
from .web_route import lost_servers_are_no_silence, neighbour_is_told, pages_come
from .web_tls import address_survives_the_chain, chain_is_sent, old_versions_are_refused, tls_ends_here
from .web_told import address_is_told, balancer_is_seen, port_is_as_declared
from .web_proxy import receiver_never_guesses, sent_header_is_exact, strangers_are_not_believed

__all__ = [
    "address_is_told",
    "address_survives_the_chain",
    "affinity_lasts",
    "alike_clients_are_spread",
    "answer_arrives_unchanged",
    "answers_pass_unchanged",
    "arrives_unchanged",
    "balancer_is_seen",
    "both_ends_are_told",
    "both_ways_cross_the_product",
    "bytes_arrive",
    "chain_is_sent",
    "checks_are_harmless",
    "checks_come_from_the_product",
    "clients_are_served_meanwhile",
    "clients_of_dead_front_end_are_told",
    "cookie_is_hidden",
    "cookie_is_secure",
    "cookie_is_set_once",
    "cookie_keeps_server",
    "correlation_info_is_no_cookie",
    "cuts_do_not_matter",
    "dark_server_is_left",
    "dead_server_is_left",
    "dead_servers_users_are_moved",
    "defaults_open_nothing",
    "departures_are_passed_on",
    "drain_harms_nobody",
    "drained_front_end_ends_in_order",
    "fallback_answers",
    "fallback_is_followed",
    "fallback_is_the_last_resort",
    "forms_of_a_name",
    "front_end_reaches_silent_client",
    "front_ends_reach_the_vip",
    "front_ends_see_the_product",
    "full_table_serves",
    "fullness_is_graceful",
    "half_an_hour_is_remembered",
    "half_dead_front_end_is_left",
    "hung_front_end_is_left",
    "hung_server_is_left",
    "idle_time_exceeds_refresh",
    "idle_time_is_kept",
    "insertion_is_not_cached",
    "is_answered_in_kind",
    "is_served",
    "keepalive_is_sent",
    "keepalives_pass_and_count",
    "largest_request_is_persisted",
    "last_forwarded_is_the_client",
    "lifetime_is_kept",
    "listeners_agree",
    "load_goes_where_there_is_room",
    "long_names_are_told_apart",
    "lost_servers_are_no_silence",
    "malformed_does_no_harm",
    "many_are_remembered",
    "many_connections_are_served",
    "moved_users_go_straight",
    "neighbour_is_told",
    "new_users_go_where_there_is_room",
    "nobody_serves_as_root",
    "odd_cookie_is_balanced",
    "old_versions_are_refused",
    "one_front_end_per_client",
    "one_port_serves_two_services",
    "one_server_per_user",
    "one_way_is_enough",
    "only_declared_ports_are_open",
    "only_the_vip_is_seen",
    "others_feel_nothing",
    "page_asks_who_you_are",
    "pages_come",
    "pairs_agree",
    "pings_are_answered_by_the_front_end",
    "port_is_as_declared",
    "ports_are_kept",
    "ports_are_open",
    "ports_move_together",
    "ports_run_out_gracefully",
    "receiver_never_guesses",
    "refusal_is_found",
    "reload_keeps_sessions_and_users",
    "request_is_not_held",
    "requests_end_where_they_do",
    "requests_pass_unchanged",
    "restarts_change_nothing",
    "resumption_moves_nobody",
    "return_rule_is_kept",
    "rise_is_respected",
    "scheme_is_told",
    "security_is_end_to_end",
    "sent_header_is_exact",
    "session_outlives_lifetime",
    "sessions_are_cut",
    "sign_in_stays_with_one_front_end",
    "silent_clients_are_bounded",
    "silent_connection_lives",
    "simultaneous_ports_agree",
    "sip_is_not_altered",
    "skew_is_known",
    "strangers_are_not_believed",
    "tls_ends_here",
    "tls_is_end_to_end",
    "token_and_cookie_give_one_result",
    "torture_arrives",
    "total_loss_is_answered",
    "users_are_spread",
    "vip_has_one_owner",
]
