"""What the real servers are told to do beside answering as the specification says. Each order is confirmed before it returns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..deadlines import patience

if TYPE_CHECKING:
    from ..clients.rdp import Connection
    from ..lab import Lab
    from ..security.login import Manner


def tell_all(lab: Lab, command: str, confirmed_by: str, **arguments: Any) -> None:
    """Send one command to every running server and wait until each has reported that it follows it."""
    running = [server for server in lab.mocks if server.running and not server.stopped]
    before = {server.name: server.count(confirmed_by) for server in running}
    for server in running:
        server.tell(command, **arguments)
    lab.wait(f"the servers follow `{command}`",
             lambda: all(server.count(confirmed_by) > before[server.name] for server in running), patience("report"))  # fmt: skip


def converse(lab: Lab, plans: dict[str, dict[str, Any]]) -> None:
    """Have every server hold a conversation with each of these users (endpoints/conversation.py says what a plan knows)."""
    tell_all(lab, "converse", "conversing", plans=plans)


def tell_conversations(lab: Lab) -> None:
    """Have every server report what was said and heard in its conversations."""
    tell_all(lab, "conversations", "conversations")


def greet(lab: Lab, after: float | None) -> None:
    """Have every server send an unasked Confirm to whoever has sent no first packet `after` seconds after connecting."""
    tell_all(lab, "greet", "greeting", after=after)


def secure(lab: Lab, accounts: Mapping[str, str]) -> None:
    """Have every server mean it when it chooses TLS or CredSSP; `accounts` (user -> password) may log in.

    The lab must have been made for it: `@requirement(..., security=True)`.
    """
    if not lab.security:
        raise ValueError("the servers of this lab have no certificates; mark the test with requirement(..., security=True)")
    tell_all(lab, "secure", "secure", accounts=dict(accounts))


def log_in(lab: Lab, sessions: Mapping[Connection, Manner]) -> None:
    """Each held session does the TLS and the login that its Confirm chose, and an echo inside; a `secured` event for each."""
    # Loaded here, since few tests need it and all would wait for it.
    from ..clients.secure import Securing

    begun = [Securing(session, manner) for session, manner in sessions.items()]
    for one in begun:
        one.start()
    lab.watch("TLS and logins are done", lambda: all(one.done for one in begun), patience("answer"))
    for one in begun:
        one.give_up()
