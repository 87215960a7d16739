"""The kinds of mock servers, by the names that the lab knows them by."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any, NoReturn

KINDS = {
    "terminal-server": "lbcert.endpoints.terminal_server",
    "pool-server": "lbcert.endpoints.pool_server",
    "web-server": "lbcert.endpoints.web_server",
}
"""kind -> module with `serve(control, config)`; all but the first are loaded before a lab that has them is forked"""


def serve(kind: str) -> Callable[..., NoReturn]:
    """What is run in the process of such a server."""
    module: Any = sys.modules.get(KINDS[kind]) or import_module(KINDS[kind])
    return module.serve
