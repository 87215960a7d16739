"""What an administrator does to the product under test. Each act is an event of the history (who harness, kind admin).

`t` is when the product had confirmed it, `begun` when it was asked. A product without the ability makes the test end
as not-run: nothing was seen of it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ..drivers import DriverError, NotAble
from ..verdicts import Verdict

if TYPE_CHECKING:
    from ..endpoints.control import MockServer
    from ..lab import Lab


def drain(lab: Lab, server: MockServer) -> int:
    """No new users for `server`; its sessions are to stay. Time in ns."""
    return _act(lab, "drain", server.listen[0][0], server=server.name)


def ready(lab: Lab, server: MockServer) -> int:
    """Put a drained server back into the pool."""
    return _act(lab, "ready", server.listen[0][0], server=server.name)


def reload(lab: Lab) -> int:
    """Have the product read its configuration, which is the same, once more."""
    return _act(lab, "reload", lab.files.output)


def parts(lab: Lab) -> tuple[str, ...]:
    """The product's programs, in the order in which they are started; none that the driver could restart: empty."""
    return tuple(getattr(lab.driver, "parts", ()))


def restart(lab: Lab, part: str) -> int:
    """End one of the product's programs as its service manager would, and start it again; returns when everything listens.

    If that does not come about, clients will find out; event `not-ready`, with what the product says.
    """
    done = _act(lab, "restart", lab.files.output, part=part)
    try:
        lab.wait_ready()
    except DriverError as error:
        lab.history.add("harness", "not-ready", reason=str(error))
    return done


def _act(lab: Lab, action: str, argument: Any, **facts: Any) -> int:
    method = getattr(lab.driver, action, None)
    if method is None:
        lab.end(Verdict.NOT_RUN, f"the driver of this product cannot {action}")
    begun = time.time_ns()
    try:
        method(lab.broker, lab.deployment, argument, *((facts["part"],) if "part" in facts else ()))
    except NotAble as error:
        lab.end(Verdict.NOT_RUN, f"{action}: {error}")
    return lab.history.add("harness", "admin", action=action, begun=begun, **facts)["t"]
