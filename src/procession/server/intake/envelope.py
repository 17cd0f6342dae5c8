"""What the headers of a payload say about it."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

import msgspec

from procession.process import MAX_UINT32, MAX_UINT64
from procession.text.whole_number import whole_number


class Envelope(msgspec.Struct, frozen=True):
    host: str
    taken_at: int
    request_id: int | None
    is_partial: bool
    """Only some processes of the host, such as new ones: it says nothing of those that it lacks. An agent of ours says
    so in a header that others do not have."""
    lists_all: bool
    """Real-time numbers are of every process of the host, and so are a snapshot. Also from an agent of ours."""
    may_have_containers: bool
    """Whether there may be containers in the message, beside what else it has."""
    is_live: bool
    """False where an agent that is not to collect processes sends those it knows from discovering services. They are
    some of the host's, and one of them may be missing because it is no longer taken for a service."""

    @classmethod
    def of(cls, headers: Mapping[str, str], moment_of: Callable[[str, int | None], int]) -> Envelope:
        """`moment_of` takes the host and what the agent says."""
        host = headers.get("x-dd-hostname", "")
        taken_at = moment_of(host, whole_number(headers.get("x-dd-agent-timestamp", ""), 0, MAX_UINT32))
        request_id = whole_number(headers.get("x-dd-request-id", ""), 0, MAX_UINT64)
        is_partial = headers.get("x-procession-partial", "").lower() == "true"
        lists_all = headers.get("x-procession-live", "").lower() == "all"
        is_live = headers.get("x-dd-processes-enabled", "").lower() != "false"
        may_have_containers = headers.get("x-dd-containercount", "") != "0"
        return cls(host, taken_at, request_id, is_partial, lists_all, may_have_containers, is_live)

    def request_id_of(self, body: bytes) -> int:
        """The agent's, or one made from the payload, which also stays the same when it is sent again."""
        if self.request_id is not None:
            return self.request_id
        return int.from_bytes(hashlib.blake2b(body, digest_size=8).digest(), "big")
