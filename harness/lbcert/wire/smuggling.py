"""Requests whose end two readers might see in different places, and what RFC 9112 makes of each.

Each hides a second request, for HIDDEN, in what is the body of the first by one reading and follows it by another. A vector says
which bodies the first may have at a server; refusing it is always right. Sections: 2.2 (line ends, bare CR), 3.2.2 (absolute form),
5.1 and 5.2 (white space, folded lines), 6.1 to 6.3 (Transfer-Encoding, Content-Length), 7.1 (chunks).
"""

from __future__ import annotations

from dataclasses import dataclass

OWN, HIDDEN = "/own", "/hidden"


@dataclass(frozen=True)
class Smuggled:
    """One request, as `bytes` makes it. `head` and `body` may say {size} (bytes of all that follows the head), {hidden} (the second
    request) and {chunk} (its size as that of a chunk).
    """

    head: str
    """lines behind Host, each with its end"""
    body: str = ""
    bodies: tuple[int | str, ...] = ()
    """lengths of the body that a server may see; `all`: all that follows the head; `chunk`: {chunk}; none: it must be refused"""
    method: str = "POST"
    version: str = "1.1"
    authority: str = ""
    """the host of a target in absolute form, which the server must be told"""
    before_host: str = ""

    def bytes(self, token: str, host: str) -> bytes:
        """On the wire, for a client whose token is this."""
        hidden = _hidden(token, host)
        body = self.body.replace("{hidden}", hidden).replace("{chunk}", f"{len(hidden):x}")
        target = f"{'http://' + self.authority if self.authority else ''}{OWN}?token={token}"
        head = f"{self.method} {target} HTTP/{self.version}\r\n{self.before_host}Host: {host}\r\n{self.head}\r\n"
        return (head.replace("{size}", str(len(body))) + body).encode("latin-1")

    def allowed(self, token: str, host: str) -> list[int]:
        """Lengths of the body that a server may see."""
        sizes = {"all": len(self.bytes(token, host).partition(b"\r\n\r\n")[2]), "chunk": len(_hidden(token, host))}
        return [sizes[one] if isinstance(one, str) else one for one in self.bodies]


def _hidden(token: str, host: str) -> str:
    return f"GET {HIDDEN}?token={token} HTTP/1.1\r\nHost: {host}\r\n\r\n"


_END = "0\r\n\r\n"
_CHUNKS = _END + "{hidden}"
"""an empty chunked body, and then the hidden request"""
_ONE_CHUNK = "{chunk}\r\n{hidden}\r\n" + _END
"""a chunked body that is the hidden request"""
_BOTH = "Content-Length: {size}\r\n"


def _coded(*lines: str, bodies: tuple[int | str, ...] = ()) -> Smuggled:
    """A request with the right Content-Length and Transfer-Encoding written like this."""
    return Smuggled(_BOTH + "".join(lines), _CHUNKS, bodies)


def _long(*lengths: str, bodies: tuple[int | str, ...] = ()) -> Smuggled:
    """A request with Content-Lengths that read so, five bytes, and the hidden request where one is right."""
    return Smuggled("".join(f"Content-Length: {one}\r\n" for one in lengths), "hello" + ("" if bodies else "{hidden}"), bodies)


def _chunked(body: str, bodies: tuple[int | str, ...] = ()) -> Smuggled:
    return Smuggled("Transfer-Encoding: chunked\r\n", body, bodies)


SMUGGLING = {
    # 6.1 and 6.3: Transfer-Encoding overrides Content-Length, and the connection ends with the answer.
    "both lengths, chunked ends first": _coded("Transfer-Encoding: chunked\r\n", bodies=(0,)),
    "both lengths, chunked first": Smuggled("Transfer-Encoding: chunked\r\n" + _BOTH, _CHUNKS, (0,)),
    "both lengths, Content-Length ends first": Smuggled("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", _ONE_CHUNK, ("chunk",)),
    # 6.1, 5.1, 5.2: codings that some do not see as chunked. Where they are none, the length is not known: refuse.
    "chunked in capitals": _coded("TRANSFER-ENCODING: CHUNKED\r\n", bodies=(0,)),
    "chunked behind a tab": _coded("Transfer-Encoding:\tchunked\r\n", bodies=(0,)),
    "chunked before white space": _coded("Transfer-Encoding: chunked \t\r\n", bodies=(0,)),
    "xchunked": _coded("Transfer-Encoding: xchunked\r\n"),
    "chunked in quotation marks": _coded('Transfer-Encoding: "chunked"\r\n'),
    "chunked twice": _coded("Transfer-Encoding: chunked\r\n", "Transfer-Encoding: chunked\r\n", bodies=(0,)),
    "chunked, then identity": _coded("Transfer-Encoding: chunked, identity\r\n"),
    "identity on a second line": _coded("Transfer-Encoding: chunked\r\n", "Transfer-Encoding: identity\r\n"),
    "an odd coding on a second line": _coded("Transfer-Encoding: chunked\r\n", "Transfer-Encoding: cow\r\n"),
    "a space before the colon": _coded("Transfer-Encoding : chunked\r\n"),
    "a vertical tab before chunked": _coded("Transfer-Encoding: \x0bchunked\r\n"),
    "a NUL before chunked": _coded("Transfer-Encoding: \0chunked\r\n"),
    "chunked on a folded line": _coded("Transfer-Encoding:\r\n chunked\r\n", bodies=(0,)),
    "the name on a folded line": _coded("X-Folded: a\r\n Transfer-Encoding: chunked\r\n", bodies=("all",)),
    "chunked behind a bare LF": _coded("X-Line: a\nTransfer-Encoding: chunked\r\n", bodies=(0,)),
    "chunked behind a bare CR": _coded("X-Line: a\rTransfer-Encoding: chunked\r\n", bodies=("all",)),
    "chunked in HTTP/1.0": Smuggled(_BOTH + "Transfer-Encoding: chunked\r\n", _CHUNKS, (0,), version="1.0"),
    # 6.3 and RFC 9110 8.6: Content-Length is digits; the same number twice may be read as one.
    "two lengths, short first": Smuggled("Content-Length: 5\r\nContent-Length: {size}\r\n", "hello{hidden}"),
    "two lengths, long first": Smuggled("Content-Length: {size}\r\nContent-Length: 5\r\n", "hello{hidden}"),
    "two lengths on one line": Smuggled("Content-Length: 5, {size}\r\n", "hello{hidden}"),
    "the same length twice": _long("5", "5", bodies=(5,)),
    "length with zeros before it": _long("005", bodies=(5,)),
    "length with a plus": _long("+5"),
    "length with a minus": _long("-5"),
    "length in hexadecimal": _long("0x5"),
    "length of two words": _long("5 5"),
    "length with a comma": _long("5,"),
    "length with an exponent": _long("5e0"),
    "length with a NUL": _long("5\0"),
    "empty length": _long(""),
    "length too large for 64 bits": _long("18446744073709551621"),
    "a space before the colon of the length": Smuggled("Content-Length : 5\r\n", "hello{hidden}"),
    "length on a folded line": Smuggled("Content-Length:\r\n 5\r\n", "hello", (5,)),
    "length behind a bare LF": Smuggled("X-Line: a\nContent-Length: 5\r\n", "hello", (5,)),
    # 7.1: chunk sizes are hexadecimal digits; extensions are skipped.
    "a chunk with an extension": _chunked('5;name="value"\r\nhello\r\n' + _END, (5,)),
    "a chunk size with a prefix": _chunked("0x5\r\nhello\r\n" + _CHUNKS),
    "a chunk size with a minus": _chunked("-5\r\nhello\r\n" + _CHUNKS),
    "a chunk size with a letter": _chunked("5g\r\nhello\r\n" + _CHUNKS),
    "a chunk size too large for 64 bits": _chunked("10000000000000005\r\nhello\r\n" + _CHUNKS),
    "a chunk longer than its size": _chunked("3\r\nhello\r\n" + _CHUNKS),
    "an extension that ends with a bare LF": _chunked("2;\nxx\r\n{chunk}\r\n" + _END + "{hidden}"),
    "a chunk that ends with a bare CR": _chunked("5\r\nhello\rX" + _CHUNKS),
    # 2.2 and 5.2: what a head may not hold.
    "a NUL in a value": Smuggled("X-Line: a\0b\r\n", "", (0,), "GET"),
    "a NUL in a name": Smuggled("X-\0Line: a\r\n", "", (), "GET"),
    "a bare CR in a value": Smuggled("X-Line: a\rGET /hidden HTTP/1.1\r\n", "", (0,), "GET"),
    "a folded value": Smuggled("X-Line: a\r\n b\r\n", "", (0,), "GET"),
    "a line without a colon": Smuggled("X-Line\r\n", "", (0,), "GET"),
    "a space before the first field": Smuggled("", "", (0,), "GET", before_host=" X-Line: a\r\n"),
    # RFC 9110 7.2, RFC 9112 3.2.2: the target's host is the one; two Host lines are refused.
    "absolute form of another host": Smuggled("", "", (0,), "GET", authority="other.lbcert.test"),
    "two hosts": Smuggled("Host: other.lbcert.test\r\n", "", (), "GET"),
    "a body of GET": Smuggled("Content-Length: 5\r\n", "hello", (5,), "GET"),
}  # fmt: skip
"""name -> request"""
