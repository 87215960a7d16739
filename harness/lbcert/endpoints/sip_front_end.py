"""What one Front End knows whichever connection it is asked on: associations, calls, bindings."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any, ClassVar, TypeVar

from .sip_associations import Associations

KEPT = 20_000
"""calls, and bindings, that one Front End remembers"""
K = TypeVar("K")
V = TypeVar("V")


class FrontEnd:
    """What one Front End knows, of whatever connection."""

    _all: ClassVar[dict[str, FrontEnd]] = {}

    def __init__(self, name: str, options: dict[str, Any]):
        self.name = name
        self.associations = Associations(name, options)
        self.dialogs: OrderedDict[tuple[str, str, str], None] = OrderedDict()
        self.bindings: OrderedDict[str, str] = OrderedDict()

    @classmethod
    def named(cls, name: str, options: dict[str, Any]) -> FrontEnd:
        """The one of this process that goes by the name, from now on with these options."""
        if name not in cls._all:
            cls._all[name] = cls(name, options)
        cls._all[name].associations.options = options
        return cls._all[name]

    @staticmethod
    def keep(known: OrderedDict[K, V], key: K, value: V) -> None:
        """Remember it, and drop the oldest where there are too many."""
        known[key] = value
        if len(known) > KEPT:
            known.popitem(last=False)

    def forget(self) -> None:
        """Know nothing any more, as after a restart or when everything has expired."""
        self.associations.forget()
        self.dialogs.clear()
        self.bindings.clear()
