"""What only the user can answer."""

from __future__ import annotations


class Question(Exception):
    """The check cannot go on without an answer; the text asks for all that is missing, with the options that give it."""
