"""The chain of hashes: each record carries the SHA-256 of its own bytes behind the hash of the record before.

    {"number":17,"at":…,…,"hash":"<64 hex digits>"}\n

The hash is over the bytes of the hash before and all of the line up to the comma before `"hash"`. So nothing in the
chain can be changed, left out, added or moved without all hashes after it being others.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ANCHOR = "anchor"
"""The kind of the record that stands in the place of others, whose time was over."""

MAX_LINE_BYTES = 2**20
"""No record of ours is so long; so no file makes its reader hold more."""

_ENCODE = json.JSONEncoder(separators=(",", ":")).encode
_TAIL = re.compile(rb',"hash":"([0-9a-f]{64})"\}\n')
_TAIL_BYTES = len(b',"hash":""}\n') + 64


class BrokenChain(Exception):
    """What is wrong with a line."""


@dataclass(frozen=True, slots=True)
class ChainLink:
    """Where a chain goes on: the record that is the last so far."""

    number: int = 0
    hash: bytes = bytes(32)

    def sealed(self, fields: Mapping[str, Any]) -> tuple[bytes, ChainLink]:
        """The line of the next record, and where the chain goes on after it."""
        number = self.number + 1
        # ASCII alone: nothing that somebody asked acts on the terminal of whoever looks into the file.
        body = _ENCODE({"number": number, **fields}).encode("ascii")[:-1]
        digest = hashlib.sha256(self.hash + body).digest()
        return b'%b,"hash":"%b"}\n' % (body, digest.hex().encode("ascii")), ChainLink(number, digest)

    def after(self, line: bytes) -> ChainLink:
        """Where the chain goes on after this line. Raises BrokenChain where it is not the next one."""
        tail = _TAIL.fullmatch(line, max(0, len(line) - _TAIL_BYTES))
        if tail is None:
            raise BrokenChain("it is no record of an audit trail")
        body = line[:-_TAIL_BYTES]
        digest = hashlib.sha256(self.hash + body).digest()
        number = number_of(line)
        if number != self.number + 1:
            raise BrokenChain(f"record {self.number + 1} should stand there, and it is record {number}")
        if not hmac.compare_digest(digest.hex().encode("ascii"), tail[1]):
            raise BrokenChain("its hash does not fit: it was changed, or is not in its place")
        return ChainLink(number, digest)


def number_of(line: bytes) -> int:
    """Of the record in a line. Raises BrokenChain."""
    found = re.match(rb'\{"number":([0-9]{1,18}),', line)
    if found is None:
        raise BrokenChain("it is no record of an audit trail")
    return int(found[1])


def mac_of(key: bytes, purpose: str, fields: Mapping[str, Any]) -> str:
    """Says that whoever has the key wrote this."""
    text = json.dumps([purpose, sorted(fields.items())], separators=(",", ":"))
    return hmac.new(key, text.encode("ascii"), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Anchor:
    """Stands for the records from `first` to `last`, which were removed since their time was over."""

    first: int
    last: int
    before: bytes
    """The hash of the record before the first."""
    after: bytes
    """The hash of the last."""
    expired_at: int

    def line(self, key: bytes) -> bytes:
        fields = {**self._fields(), "kind": ANCHOR}
        shown = {**fields, "mac": mac_of(key, ANCHOR, fields)}
        return json.dumps(shown, separators=(",", ":")).encode("ascii") + b"\n"

    def _fields(self) -> dict[str, Any]:
        return {
            "first": self.first,
            "last": self.last,
            "before": self.before.hex(),
            "after": self.after.hex(),
            "expired_at": self.expired_at,
        }

    @staticmethod
    def parse(line: bytes, key: bytes) -> Anchor | None:
        """None where this is another kind of record. Raises BrokenChain for one that nobody with the key wrote."""
        if not line.startswith(b'{"first":'):
            return None
        try:
            fields = json.loads(line)
            mac = fields.pop("mac")
            made = Anchor(
                int(fields["first"]),
                int(fields["last"]),
                bytes.fromhex(fields["before"]),
                bytes.fromhex(fields["after"]),
                int(fields["expired_at"]),
            )
        except (ValueError, LookupError, TypeError, AttributeError):
            raise BrokenChain("it is no anchor") from None
        if made.line(key) != line or not hmac.compare_digest(str(mac), mac_of(key, ANCHOR, fields)):
            raise BrokenChain("this anchor was not written by the server: its signature does not fit")
        return made

    def link(self) -> ChainLink:
        return ChainLink(self.last, self.after)
