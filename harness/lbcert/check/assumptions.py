"""What a lab needs beside the configuration, guessed from the product's own words when it refuses to start.

Certificates, accounts, folders and pages are made up, since RDP meets none of them; names get addresses. Files whose
content decides something (Lua, maps, lists) are asked for. Sources: messages of HAProxy 2.6 and 2.8.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .question import Question
from .reader import Text

DEFAULT_NETWORK = "192.168.0.0/24"
"""of the servers where nothing in the file says otherwise"""
_PAGE = b"HTTP/1.0 503 Service Unavailable\r\nCache-Control: no-cache\r\nConnection: close\r\n\r\n"
_ACCOUNTS = b"root:x:0:0:root:/root:/bin/sh\nhaproxy:x:64001:64001::/nonexistent:/usr/sbin/nologin\n"
_GROUPS = b"root:x:0:\nhaproxy:x:64001:\n"
_FIRST_ID = 65100
"""of accounts that are made up; below 65,535, the last one that a lab has"""

_CERTIFICATE = re.compile(r"unable to (?:stat|load) SSL certificate from file '([^']+)'"
                          r"|unable to load (?:CA file|ca file) '?([^' ]+)'?"
                          r"|'ca-file' : unable to load '?([^' ]+?)'?(?: |$)")  # fmt: skip
_NAME = re.compile(r"invalid address: '([^']+)'|could not resolve address '([^']+)'")
_USER = re.compile(r"cannot find (user|group) id for '([^']+)'|unknown (user|group) name '+([^']+)'")
_PAGE_FILE = re.compile(r"error opening file '([^']+)'|error opening file <([^>]+)>")
_FOLDER = re.compile(r"Cannot chroot1?\((/[^)]*)\)")
_SOCKET = re.compile(r"cannot bind UNIX socket \(No such file or directory\) \[([^\]]+)\]")
_CONTENT = re.compile(r"failed to open pattern file <([^>]+)>|cannot open (\S+): No such file"
                      r"|'crt-list' : cannot open file '([^']+)'|load DH parameters from file <([^>]+)>"
                      r"|[Cc](?:ould not|annot|an't) open (?:file )?['<](/[^'>]+)['>]")  # fmt: skip


@dataclass
class Assumptions:
    """Everything made up so far, and why; `files` are of the DUT's folder, by their name there."""

    text: Text
    given_files: dict[str, Path]
    """what the user gave with --file: absolute path in the configuration -> local file"""
    hosts: dict[str, str] = field(default_factory=dict)
    targets: dict[str, str] = field(default_factory=dict)
    """dut.yaml's `files`: absolute path -> a file of the folder, or self-signed"""
    contents: dict[str, bytes] = field(default_factory=dict)
    """files of the folder that were made up or given: name -> content"""
    said: list[tuple[str, str]] = field(default_factory=list)
    """(what was assumed, why), in order"""
    _accounts: dict[str, dict[str, int]] = field(default_factory=lambda: {"user": {}, "group": {}})

    def learn(self, complaint: str) -> bool:
        """Take up what the product complained of; False if there is nothing that can be helped. Raises a Question."""
        before = (len(self.hosts), len(self.targets), str(self._accounts))
        for name in _found(_NAME, complaint):
            self.name(name, "the product cannot resolve it, and the lab has no DNS")
        for path in _found(_CERTIFICATE, complaint):
            self._certificate(path)
        for match in _USER.finditer(complaint):
            self._account(match[1] or match[3], match[2] or match[4])
        for path in _found(_PAGE_FILE, complaint):
            if path not in self.targets:
                self._put(path, "error-page.http", _PAGE, "an error page of no meaning: RDP meets none")
        for path in _found(_FOLDER, complaint):
            self._put(f"{path.rstrip('/')}/.lbcert", "empty", b"", "so that the folder exists")
        for path in _found(_SOCKET, complaint):
            folder = path.removeprefix("unix@").rpartition("/")[0]
            self._put(f"{folder}/.lbcert", "empty", b"", "so that the folder of the socket exists")
        wanted = [path for path in _found(_CONTENT, complaint) if path not in self.targets]
        if wanted:
            options = " ".join(f"--file {path}=..." for path in wanted)
            raise Question("the configuration uses files whose content decides what it does:\n"
                           + "".join(f"  {path}\n" for path in wanted) + f"Give them with: {options}")  # fmt: skip
        return before != (len(self.hosts), len(self.targets), str(self._accounts))

    def give(self) -> None:
        """Take the files that the user gave."""
        for number, (target, path) in enumerate(self.given_files.items(), start=1):
            name = f"given-{number}-{Path(target).name}"
            self.contents[name] = path.read_bytes()
            self.targets[target] = name

    def name_servers(self) -> None:
        """Give the servers' names addresses. Raises a Question where they are found by DNS at run time only."""
        dynamic = []
        for section in self.text.of("backend", "listen"):
            for line in section.lines:
                if line.words[0] == "server-template":
                    dynamic.append(line)
                elif line.words[0] == "server" and len(line.words) > 2:
                    host = _host(line.words[2])
                    usual = [one for each in (section, section.defaults) if each for one in each.all("default-server")]
                    resolved = any("resolvers" in one.words for one in (line, *usual))
                    if host and resolved:
                        dynamic.append(line)
                    elif host:
                        self.name(host, f"{line.place}: the lab has no DNS")
        if dynamic:
            raise Question("servers get their addresses from DNS while HAProxy runs, and the lab has no DNS:\n"
                           + "".join(f"  {line.place}: {line.text}\n" for line in dynamic[:8])
                           + "Check a copy in which these lines are `server` lines without `resolvers`.")  # fmt: skip

    def name(self, name: str, why: str) -> None:
        """Give a name an address among the servers'."""
        if name not in self.hosts:
            self.hosts[name] = free_address(self.network(name), self.taken(), 11)
            self.said.append((f"{name} is {self.hosts[name]}", f"{why}; another one: --host {name}=ADDRESS"))

    def network(self, name: str = "") -> Any:
        """The network of the servers beside which `name` stands, of any servers, or of the VIP."""
        beside = [section for section in self.text.of("backend", "listen")
                  if any(name and line.starts("server") and name in line.text for line in section.lines)]  # fmt: skip
        for sections in (beside, self.text.of("backend", "listen")):
            for section in sections:
                for line in section.all("server"):
                    if len(line.words) > 2 and (address := literal(line.words[2])):
                        return _around(address)
        for address in [*self.hosts.values(), *(bind.host for bind in self.text.binds() if 3389 in bind.ports)]:
            if literal(address) and not ipaddress.ip_address(address).is_unspecified:
                return _around(address)
        return ipaddress.ip_network(DEFAULT_NETWORK)

    def taken(self) -> set[str]:
        """Every address that stands in the text or was given away."""
        found = {address for line in self.text.lines for word in line.words if (address := literal(word.split("/")[0]))}
        return found | set(self.hosts.values())

    def _certificate(self, path: str) -> None:
        target = f"{path.rstrip('/')}/lbcert.pem" if path.endswith("/") or not re.search(r"\.\w{2,4}$", path) else path
        if target not in self.targets:
            self.targets[target] = "self-signed"
            self.said.append((f"{target} is self-signed", "the product cannot find its certificate"))

    def _account(self, kind: str, name: str) -> None:
        known = self._accounts[kind]
        if name not in known:
            every = {**self._accounts["user"], **self._accounts["group"]}
            known[name] = every.get(name, _FIRST_ID + len(every))
            self.said.append((f"{kind} {name} exists", "the product does not find it"))
        users, groups = self._accounts["user"], self._accounts["group"]
        self.contents["passwd"] = _ACCOUNTS + "".join(
            f"{one}:x:{number}:{number}::/nonexistent:/usr/sbin/nologin\n" for one, number in users.items()).encode()  # fmt: skip
        self.contents["group"] = _GROUPS + "".join(f"{one}:x:{number}:\n" for one, number in {**users, **groups}.items()).encode()
        self.targets.update({"/etc/passwd": "passwd", "/etc/group": "group"})

    def _put(self, target: str, name: str, content: bytes, why: str) -> None:
        if target not in self.targets:
            self.contents[name] = content
            self.targets[target] = name
            said = f"{target} is a file of ours" if content else f"{target.removesuffix('/.lbcert')} is there"
            self.said.append((said, why))


def _found(pattern: re.Pattern[str], text: str) -> list[str]:
    return list(dict.fromkeys(next(filter(None, match.groups())) for match in pattern.finditer(text)))


def literal(word: str) -> str | None:
    """The address in `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`; None for a name or another word."""
    for candidate in (word, word.strip("[]"), word.rpartition(":")[0].strip("[]")):
        try:
            return str(ipaddress.ip_address(candidate))
        except ValueError:
            continue
    return None


def _host(word: str) -> str | None:
    """The name in a server's `NAME:PORT` or `NAME`; None for an address, a socket or a variable."""
    if literal(word) or word.startswith(("/", "unix@", "abns@", "fd@", "sockpair@", "rhttp@")):
        return None
    name = re.sub(r"^(ipv4|ipv6|tcp|tcp4|tcp6)@", "", word)
    name = re.sub(r":[+-]?[0-9]*$", "", name)
    return name if re.fullmatch(r"[A-Za-z0-9_]([A-Za-z0-9._-]*)", name) else None


def free_address(network: Any, taken: set[str], start: int) -> str:
    """The first address of `network`, counted from `start`, that nobody has."""
    for step in range(start, min(network.num_addresses - 4, 5000)):
        if (address := str(network.network_address + step)) not in taken:
            return address
    raise Question(f"no address is free in {network}: give the names addresses with --host NAME=ADDRESS")


def _around(address: str) -> Any:
    ip = ipaddress.ip_address(address)
    return ipaddress.ip_network(f"{address}/{24 if ip.version == 4 else 64}", strict=False)
