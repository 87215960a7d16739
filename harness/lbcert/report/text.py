"""Text of a product, before people see it."""

from __future__ import annotations

import re

_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164"
    "\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]")


def visible(text: str) -> str:
    """Shows characters that could hide or reorder text, or command a terminal: controls, and marks of writing direction."""
    return _HIDDEN.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
