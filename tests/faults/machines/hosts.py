"""Hosts with a real agent, of which it is known what it took: it tells a second server, which nothing befalls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from procession.agent.send.destination import folder_of
from procession.agent.send.payload import Payload
from procession.agent.send.spool import Spool
from procession.packed import AnySnapshot, PackedSnapshot, pack
from procession.process import host_key
from procession.wire.columns.decoder import ColumnsDecoder
from procession.wire.columns.offer import PATH as COLUMNS_PATH
from procession.wire.datadog import Limits, SnapshotDecoder, frame
from tests.faults.machines.stored import Chunk
from tests.support.agents.column_frames import read
from tests.support.agents.intake import FakeIntake
from tests.support.agents.proc_tree import ProcTree
from tests.support.running import Running, clean_environment, eventually

API_KEY = "a" * 32
PIDS = (7, 8, 9)


@dataclass(frozen=True)
class Taken:
    """A payload that an agent made."""

    taken_at: int
    pids: frozenset[int]


class Host:
    """One host and its agent. To the server it goes by `url`, to the witness directly."""

    def __init__(
        self,
        folder: Path,
        name: str,
        url: str,
        *,
        interval_seconds: float = 1.0,
        environment: Mapping[str, str] = {},
        before: Sequence[str] = (),
        api_key: str = API_KEY,
    ) -> None:
        """`environment` and `before`, a command to be started by, are the agent's."""
        self.name = name
        self.url = url
        self.spool_dir = folder / f"{name}-spool"
        self.witness = FakeIntake()
        self.witness_url = self.witness.url
        """By which its agent knows the witness."""
        self.output: list[str] = []
        """What agents said that have ended."""
        self._tree = ProcTree(folder / f"{name}-proc")
        for pid in PIDS:
            self._tree.put(pid)
        self.interval_seconds = interval_seconds
        self._environment = environment
        self._before = before
        self._api_key = api_key
        self._agent: Running | None = None
        self._seen_in_spool: dict[int, Taken] = {}

    @property
    def agent(self) -> Running:
        assert self._agent is not None
        return self._agent

    @property
    def is_running(self) -> bool:
        return self._agent is not None

    def start(self) -> None:
        self._agent = Running(
            *(
                "agent",
                "--url",
                self.url,
                "--url",
                self.witness_url,
                "--api-key",
                self._api_key,
                "--hostname",
                self.name,
            ),
            *("--proc-root", str(self._tree.root), "--spool-dir", str(self.spool_dir)),
            *("--interval-seconds", str(self.interval_seconds), "--max-cpu", "0"),
            environment=clean_environment(PROCESSION_SPOOL="true", **self._environment),
            before=self._before,
        )

    def kill(self) -> None:
        """`kill -9`, and a look at what was in the spool at that moment."""
        self.agent.kill()
        self._ended()

    def stop(self) -> None:
        self.agent.stop()
        self._ended()

    def _ended(self) -> None:
        self.output += self.agent.output
        self._agent = None
        self._seen_in_spool |= self.left_for_server()

    def close(self) -> None:
        if self._agent is not None:
            self._agent.kill()
        self.witness.close()

    def spool(self, url: str | None = None) -> Path:
        """The folder of the server's spool."""
        return self.spool_dir / folder_of(self.url if url is None else url)

    def waiting(self) -> int:
        """Snapshots that the server has not acknowledged yet."""
        return len(list(self.spool().glob("*.snapshot")))

    def wait_until_delivered(self, *, seconds: float = 90.0) -> None:
        """All but what is being sent."""
        eventually(lambda: self.waiting() <= 1, what=f"delivery of what {self.name} kept", seconds=seconds)

    def wait_for_snapshots(self, count: int, *, seconds: float = 60.0) -> None:
        """So many more."""
        self.witness.wait_for(len(self.witness.posted) + count, seconds)

    def taken(self) -> dict[int, Taken]:
        """Request id -> payload: whatever the witness was told of, and what was found in a spool."""
        told = {post.snapshot.request_id: _taken(post.snapshot) for post in self.witness.posted}
        return told | self._seen_in_spool | self._left_in(self.spool(self.witness_url))

    def left_for_server(self) -> dict[int, Taken]:
        """What is in the spool while no agent runs."""
        return self._left_in(self.spool())

    @staticmethod
    def _left_in(folder: Path) -> dict[int, Taken]:
        if not folder.exists():
            return {}
        spool = Spool(folder)
        try:
            payloads = [payload for entry in spool.entries() for payload in spool.read(entry)]
        finally:
            spool.close()
        return {int(one.headers["X-DD-Request-ID"]): _taken(_snapshot(one)) for one in payloads if one.is_answered}


def _snapshot(payload: Payload) -> PackedSnapshot:
    taken_at = int(payload.headers["X-DD-Agent-Timestamp"])
    if payload.path == COLUMNS_PATH:
        # What is kept is whole, since nobody knows which frame the server will have then.
        return read(ColumnsDecoder(Limits()), payload.body, taken_at=taken_at)
    return SnapshotDecoder().decode(frame.decode(payload.body), taken_at=taken_at, request_id=0)


def _taken(snapshot: AnySnapshot) -> Taken:
    return Taken(snapshot.taken_at, frozenset(one.pid for one in pack(snapshot).listing.processes))


@dataclass(frozen=True)
class Difference:
    """Between what an agent took and what is stored, by request ids."""

    lost: frozenset[int]
    invented: frozenset[int]
    torn: frozenset[int]
    """With other processes than it had."""
    moved: frozenset[int]
    """At another moment than the agent said."""
    twice: frozenset[int]


def difference(host: Host, stored: Sequence[Chunk]) -> Difference:
    """Once its agent has ended. What still waits in the spool may be stored or not."""
    taken, waiting = host.taken(), host.left_for_server()
    key = host_key(host.name)
    found = [chunk for chunk in stored if chunk.host_key == key]
    counts = Counter(chunk.request_id for chunk in found)
    there = {chunk.request_id: chunk for chunk in found}
    both = taken.keys() & there.keys()
    return Difference(
        lost=frozenset(taken.keys() - there.keys() - waiting.keys()),
        invented=frozenset(there.keys() - taken.keys()),
        torn=frozenset(one for one in both if there[one].pids != taken[one].pids),
        moved=frozenset(one for one in both if there[one].taken_at != taken[one].taken_at),
        twice=frozenset(one for one, count in counts.items() if count > 1),
    )


NO_DIFFERENCE = Difference(frozenset(), frozenset(), frozenset(), frozenset(), frozenset())
