"""The balancer as a process. Everything is imported here and above: after a fork into a lab there may be no disk."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
from typing import Any, NoReturn

from .config import Config, ConfigError, parse
from .proxy import Balancer

EXIT_LISTEN = 1
EXIT_CONFIG = 2


def serve(config_text: str, source: str) -> NoReturn:
    """Balances until killed; SIGTERM ends it at once. Ends the process, always: give it one of its own.

    A configuration that cannot be used is one line on standard error and exit status 2; an address that cannot be
    listened on likewise, status 1.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Started as a product is, with the default, a write to a closed connection would end the process.
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    # After a fork the parent's objects must never be finalised here: their descriptors may be numbers of ours by now.
    gc.freeze()
    try:
        config = parse(config_text, source)
    except ConfigError as error:
        _end(EXIT_CONFIG, str(error))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        asyncio.run(_run(config))
    except OSError as error:
        _end(EXIT_LISTEN, f"{source}: {error.strerror}; free the address, or give the host this address")
    _end(0, "")


async def _run(config: Config) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_report)
    balancer = Balancer(config, loop)
    await balancer.listen()
    balancer.watch()
    await loop.create_future()


def _report(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """One line instead of a traceback for what asyncio cannot handle, such as a lack of file descriptors."""
    os.write(2, f"{context.get('message')}: {context.get('exception')!r}\n".encode())


def _end(status: int, line: str) -> NoReturn:
    if line:
        os.write(2, line.encode() + b"\n")
    os._exit(status)
