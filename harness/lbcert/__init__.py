"""lbcert: a protocol-aware test and certification suite for load balancers."""

__version__ = "0.1.0"
