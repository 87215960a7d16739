"""Where clients come from: addresses of the lab's routed prefixes, and users' names; how an address is written with its port."""

from __future__ import annotations

import ipaddress
import random
import string
from collections.abc import Iterable, Sequence


def endpoint(host: str, port: int) -> str:
    """An address and a port as one writes them: 192.0.2.1:3389, [2001:db8::1]:3389."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


class Sources:
    """Source addresses for clients, of the VIP's family, no two alike unless asked for, none of the lab's own (`taken`)."""

    def __init__(self, prefixes: Sequence[str], vip: str, rng: random.Random, taken: Iterable[str] = ()):
        version = ipaddress.ip_address(vip).version
        self._networks = [n for n in map(ipaddress.ip_network, prefixes) if n.version == version]
        self._random = rng
        self._used: set[str] = set(taken)

    def one(self) -> str:
        """An address that was not used before, anywhere in the prefixes."""
        while True:
            network = self._random.choice(self._networks)
            low, high = (1, network.num_addresses - 2) if network.num_addresses > 2 else (0, network.num_addresses - 1)
            address = str(network.network_address + self._random.randint(low, high))
            if address not in self._used:
                self._used.add(address)
                return address

    def several(self, count: int) -> list[str]:
        return [self.one() for _ in range(count)]

    def neighbours(self, count: int) -> list[str]:
        """So many addresses in a row, of one office; none was used before."""
        wide = [network for network in self._networks if network.num_addresses > count + 2]
        while True:
            network = self._random.choice(wide)
            first = network.network_address + self._random.randint(1, network.num_addresses - count - 1)
            found = [str(first + number) for number in range(count)]
            if not self._used.intersection(found):
                self._used.update(found)
                return found

    def roaming(self) -> list[str]:
        """Five addresses of one wandering user: a neighbour, and others that share less and less of the first."""
        first = ipaddress.ip_address(self.one())
        home = next(network for network in self._networks if first in network)
        wanted = [first, first + 1 if first + 1 in home else first - 1]
        for distance in (256, 65536):
            candidate = first + distance if first + distance in home else first - distance
            wanted.append(candidate if candidate in home else ipaddress.ip_address(self.one()))
        abroad = [network for network in self._networks if network != home] or [home]
        other = self._random.choice(abroad)
        wanted.append(other.network_address + self._random.randint(1, max(1, other.num_addresses - 2)))
        self._used.update(str(address) for address in wanted)
        return [str(address) for address in wanted]


def sequential(count: int, stem: str = "user") -> list[str]:
    """user000, user001, ..."""
    return [f"{stem}{number:03d}" for number in range(count)]


def doubled_digits(count: int) -> list[str]:
    """u000000, u001001, ...: each number twice, which a weak hash may not tell apart."""
    return [f"u{number:03d}{number:03d}" for number in range(count)]


def random_letters(count: int, rng: random.Random, length: int = 8) -> list[str]:
    """Distinct names of random lower-case letters."""
    names: dict[str, None] = {}
    while len(names) < count:
        names["".join(rng.choices(string.ascii_lowercase, k=length))] = None
    return list(names)


def long_names(count: int) -> list[str]:
    """Names of 40 characters, all alike but for one letter in one of the places 24 to 31.

    They unmask keys made of a name's first bytes; they stay inside the 32 characters that many tables keep.
    """
    base = "terminal-server-user-in-one-department-x"
    assert len(base) == 40
    letters = string.ascii_lowercase
    names = [base[:place] + letter + base[place + 1 :] for letter in letters for place in range(24, 32)
             if base[place] != letter]  # fmt: skip
    return names[:count]
