"""What the real servers are told to do beside answering as the specification says. Each order is confirmed before it returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .deadlines import patience

if TYPE_CHECKING:
    from .lab import Lab


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
