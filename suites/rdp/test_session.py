"""RDP-SESS: live sessions, when clients go, an administrator acts, or nothing happens for long."""

from lbcert.api import (
    CLOSE_WITHIN,
    MARGIN,
    Connection,
    Lab,
    MockServer,
    Verdict,
    Visit,
    be_silent,
    checks,
    drain,
    patience,
    ready,
    recovery,
    reload,
    requirement,
    requirement_deadline,
    sequential,
)

EACH_KIND = 20
"""clients that close, and as many that are reset: a product that loses half is seen with 1 - 1e-6"""
HELD_PER_SERVER = 60
"""sessions held for each server that there is, so that whatever hash decides each gets 20 (fewer: below 1e-6)"""
KNOWN = 20
NEW = 150
"""users who come while a server is drained: one in eleven at it would be seen with 1 - 1e-6"""
WHILE_DRAINED = 2.0
"""s for which sessions are held on a drained server"""
HELD, RETURNING = 20, 40
SETTLED = 1.0
"""s between a reload and the first user, for the table to be handed over"""
AFTER_RELOAD = 5.0
"""s for which sessions are held after a reload"""
SILENT = 10
LOOK = 20.0
"""s to wait for a keepalive at most"""


def hold(lab: Lab, count: int, label: str = "held", stem: str = "holder") -> list[Connection]:
    """Have `count` users hold a session, each from an address of its own."""
    return lab.visit([Visit(lab.sources.one(), user, hold=True, label=label) for user in sequential(count, stem)])


@requirement("RDP-SESS-01a", long="idle")
def test_silent_session_lives_for_the_declared_time(lab: Lab) -> None:
    """Ten sessions fall silent, and nobody sends a byte until 105 % of the declared idle time are over."""
    if lab.declares.idle is None:
        lab.end(Verdict.NOT_RUN, "dut.yaml does not say declares.session.idle (seconds, or none)")
    held = hold(lab, SILENT)
    lab.echo(held, "begin")
    be_silent(lab, held)
    lab.echo(held, "end")
    lab.judge(checks.idle_time_is_kept)


@requirement("RDP-SESS-02", timing=True)
def test_server_is_told_that_a_client_has_gone(lab: Lab) -> None:
    """Clients hold sessions; half of them close, the others are reset, in mixed order."""
    held = hold(lab, EACH_KIND, "fin", "closer") + hold(lab, EACH_KIND, "rst", "crasher")
    lab.echo(held, "begin")
    for session in lab.shuffled(held):
        session.leave(abort=session.visit.label == "rst")
    lab.watch("servers are told", lambda: not any(lab.is_connected(session) for session in held),
              requirement_deadline("close", CLOSE_WITHIN + MARGIN))  # fmt: skip
    lab.judge(checks.departures_are_passed_on)


@requirement("RDP-SESS-04")
def test_draining_a_server_harms_nobody(lab: Lab) -> None:
    """Sessions are held on every server; one server is drained, users come, it is put back, users come again."""
    lab.need_servers(2)
    lab.settle()
    held = hold(lab, HELD_PER_SERVER * len(lab.servers))
    lab.echo(held, "begin")
    server = busiest(lab, held)
    known = [session.visit for session in held if session.server == server.name][:KNOWN]
    drain(lab, server)
    lab.visit([Visit(lab.sources.one(), user, label="new") for user in lab.shuffled(sequential(NEW, "newcomer"))])
    lab.visit([Visit(visit.source, visit.user, label="known") for visit in lab.shuffled(known)])
    lab.watch("sessions live on a drained server", lambda: False, requirement_deadline("window", WHILE_DRAINED))
    lab.echo(held, "drained")
    ready(lab, server)
    send_users_until_used(lab, server)
    lab.echo(held, "end")
    lab.judge(checks.drain_harms_nobody)


def busiest(lab: Lab, held: list[Connection]) -> MockServer:
    """The server with most sessions: a drain that is ignored would show there first."""
    return max(lab.servers, key=lambda server: sum(1 for session in held if session.server == server.name))


def send_users_until_used(lab: Lab, server: MockServer) -> None:
    """New users come in groups until one reaches the server; the check sees it if none does."""
    deadline = patience("recovery", recovery(lab.declares.health_check))
    names = iter(sequential(10_000, "comer"))
    while not deadline.expired:
        group = [Visit(lab.sources.one(), next(names), label="back") for _ in range(20)]
        if any(visit.server == server.name for visit in lab.visit(group)):
            return
        lab.watch(f"{server.name} is used again", lambda: False, patience("pause"))


@requirement("RDP-SESS-06")
def test_reload_keeps_sessions_and_users(lab: Lab) -> None:
    """Users find their servers, others hold sessions, the configuration is reloaded, and all users come again."""
    lab.need_servers(2)
    users = {user: lab.sources.one() for user in sequential(RETURNING)}
    lab.visit([Visit(users[user], user, label="home") for user in lab.shuffled(list(users))])
    held = hold(lab, HELD)
    lab.echo(held, "begin")
    lab.mature()
    reload(lab)
    sessions_end = requirement_deadline("window", AFTER_RELOAD)
    lab.echo(held, "reloaded")
    lab.watch("the table is handed over", lambda: False, requirement_deadline("settled", SETTLED))
    lab.visit([Visit(users[user], user, label="return") for user in lab.shuffled(list(users))])
    lab.watch("sessions live on", lambda: False, sessions_end)
    lab.echo(held, "end")
    lab.judge(checks.reload_keeps_sessions_and_users)


@requirement("RDP-SESS-07")
def test_silent_sessions_see_keepalives(lab: Lab) -> None:
    """Sessions are held in silence until the kernel's keepalive timers must have fired, if that is soon."""
    held = hold(lab, SILENT)
    lab.echo(held, "begin")
    soon = [due for due in lab.note_keepalive() if due <= LOOK]
    if soon:
        lab.watch("keepalives", lambda: False, requirement_deadline("keepalive", max(soon) + MARGIN))
    lab.echo(held, "end")
    lab.judge(checks.keepalive_is_sent)
