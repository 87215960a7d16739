"""RDP-PERSIST-11 to -13: users at the same moment, more users than the table holds, and where new users go."""

from lbcert.api import (
    SMALL_TABLE,
    Connection,
    Deployment,
    Lab,
    Visit,
    checks,
    patience,
    requirement,
    sequential,
)

VOLLEYS, PAIRS = 4, 50
"""a race that splits one pair in 14 is seen (chance to miss it: below 1e-6)"""
HELD = 60


@requirement("RDP-PERSIST-11", timing=True)
def test_two_first_connections_agree(lab: Lab) -> None:
    """Users never seen before, each with two connections that stand already and send their first packets together."""
    lab.need_servers(2)
    for volley in range(VOLLEYS):
        source = {user: lab.sources.one() for user in sequential(PAIRS, f"pair{volley}-")}
        together(lab, [Visit(address, user, label="pair", gated=True) for user, address in source.items() for _ in range(2)])
    lab.judge(checks.pairs_agree)


def together(lab: Lab, visits: list[Visit]) -> None:
    """Let gated visits connect, then send all their first packets one right after the other."""
    lab.clients.run_together(visits, patience("outcome"))
    lab.check_trouble()


def without_table(deployment: Deployment) -> bool:
    """Whether it is to be judged as it stands: declared to keep no table that could be full."""
    return deployment.declares.size == "none" and "small-table" not in deployment.variants


@requirement("RDP-PERSIST-12", variant="small-table", when=lambda deployment: not without_table(deployment))
def test_full_table(lab: Lab) -> None:
    """Three times as many users as there is room for; the newest again, all at once as after an outage; some of the oldest."""
    overfill(lab)
    lab.judge(checks.full_table_serves, room=SMALL_TABLE)


@requirement("RDP-PERSIST-12", when=without_table)
def test_many_users_without_table(lab: Lab) -> None:
    """The same, where there is no table: the oldest must be on their servers as well."""
    overfill(lab)
    lab.judge(checks.full_table_serves, room=None)


def overfill(lab: Lab) -> None:
    lab.need_servers(2)
    users = sequential(3 * SMALL_TABLE, "comer")
    source = {user: lab.sources.one() for user in users}
    oldest, newest = users[:SMALL_TABLE], users[-SMALL_TABLE:]
    for label, group in (("early", users[:-SMALL_TABLE]), ("newest", newest)):
        lab.visit([Visit(source[user], user, label=label) for user in lab.shuffled(group)])
    together(lab, [Visit(source[user], user, label="newest again", gated=True) for user in lab.shuffled(newest)])
    lab.visit([Visit(source[user], user, label="oldest again") for user in lab.shuffled(oldest)])


@requirement("RDP-PERSIST-13")
def test_new_users_go_where_there_is_room(lab: Lab) -> None:
    """Sixty held sessions; all those on one server end; then as many new users come, and ten more."""
    lab.need_servers(2)
    held = hold(lab, sequential(HELD, "held"), "held")
    emptied = held[-1].server
    gone = [session for session in held if session.alive and session.server == emptied]
    lab.mark("emptied")
    for session in gone:
        session.leave(abort=True)
    ours = {session.connection for session in gone}
    lab.watch(f"sessions on {emptied} have ended", lambda: not ours & connected(lab, emptied), patience("sessions"))
    hold(lab, sequential(len(gone) + HELD // 6, "new"), "newcomer")
    lab.judge(checks.new_users_go_where_there_is_room)


def connected(lab: Lab, server: str | None) -> set[int]:
    """The numbers of the connections that a server has, as clients know them: modulo 4,096."""
    return {number & 0xFFF for number in lab.server(server).connected} if server else set()


def hold(lab: Lab, users: list[str], label: str) -> list[Connection]:
    """Sessions that are opened one after the other, so that each may be counted before the next comes."""
    return lab.visit([Visit(lab.sources.one(), user, hold=True, label=label) for user in users], at_once=1)
