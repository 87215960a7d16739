"""Who logs in, and how. Plain values, for tests to write down."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Login:
    """An account as a client gives it."""

    user: str
    password: str
    domain: str = ""


@dataclass(frozen=True)
class Manner:
    """How a client goes about TLS and CredSSP."""

    login: Login
    tls: str = "1.3"
    """the newest version of TLS that it speaks"""
    credssp: int = 6
    """the newest version of CredSSP that it speaks"""
    in_pieces: bool = False
    """whether its first TLS flight comes in pieces"""
    body: int = 2048
    """bytes that it says inside and wants to hear again"""


class SecurityError(Exception):
    """TLS or CredSSP cannot go on; one sentence."""
