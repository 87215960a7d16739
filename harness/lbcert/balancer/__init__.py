"""A load balancer of ours for RDP: the suite's positive control (`mode: ideal`), negative control (`mode: null`) and,
with `defects`, the body of its mutants. TCP over IPv4 and IPv6, one process, no root.
"""

from __future__ import annotations

from .config import Config, ConfigError, parse
from .process import serve

__all__ = ["Config", "ConfigError", "parse", "serve"]
