"""Nodes as processes, and clusters of them."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from tests.cluster.nodes.engine import CLUSTER, NodeConfig
from tests.support.stores.folders import quick_folder

ROOT = Path(__file__).parents[3]


class Port:
    """A port of the loopback address that nobody else gets while this is open: bound, and listening to nobody."""

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]

    def close(self) -> None:
        self._socket.close()


class Node:
    """A node that can be started, killed, halted and started again, under the same ports."""

    def __init__(self, config: NodeConfig) -> None:
        self.config = config
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.config.http}"

    def start(self, *, takes_part: bool = True) -> None:
        """`takes_part`: whether the cluster may use it at once; else that is for `take_part`."""
        assert self._process is None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.cluster.nodes.node", msgspec.json.encode(self.config).decode()],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        if takes_part:
            self._tell()

    def wait(self) -> None:
        """Until it is ready."""
        self._expect("http")

    def take_part(self) -> None:
        self._tell()
        self._expect("native")

    def _tell(self) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def _expect(self, word: str) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline().strip()
        assert line == word, f"the node said {line!r} instead of {word!r}"

    def wait_until_in_cluster(self) -> None:
        self._expect("http")
        self._expect("native")

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def halt(self) -> None:
        """It keeps its connections, and does nothing."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        if self._process is not None:
            self._end(signal.SIGKILL)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process = None

    def ask(self, statement: str, *, database: str = "default", data: bytes = b"", **settings: str) -> bytes:
        """What it answers over HTTP, without anything of ours in between."""
        import base64

        parameters = settings | {"database": database} | ({"query": statement} if data else {})
        login = base64.b64encode(f"{self.config.user}:{self.config.password}".encode()).decode()
        request = urllib.request.Request(
            f"{self.url}/?{urllib.parse.urlencode(parameters)}",
            data or statement.encode(),
            {"Authorization": f"Basic {login}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                found: bytes = answer.read()
                return found
        except urllib.error.HTTPError as error:
            raise RuntimeError(error.read().decode()) from None

    def copy_from(self, peer: Node, database: str) -> None:
        """What real replication would catch up with: all rows of the peer, into tables that are emptied first."""
        listed = peer.ask(f"SELECT name, engine FROM system.tables WHERE database = '{database}'").decode()
        for name, engine in (line.split("\t") for line in listed.splitlines()):
            if engine.endswith("MergeTree"):
                self.ask(f"TRUNCATE TABLE {name}", database=database)
        for name, engine in (line.split("\t") for line in listed.splitlines()):
            if engine.endswith("MergeTree") and int(peer.ask(f"SELECT count() FROM {name}", database=database)):
                rows = peer.ask(f"SELECT * FROM {name} FORMAT Native", database=database)
                self.ask(f"INSERT INTO {name} FORMAT Native", database=database, data=rows)


class Cluster:
    """Shards of replicas, each a process, all on this machine."""

    def __init__(self, folder: Path, shards: int = 2, replicas: int = 2, *, password: str = "") -> None:
        count = shards * replicas
        self._ports = [Port() for _ in range(2 * count)]
        native = [port.number for port in self._ports[:count]]
        http = tuple(port.number for port in self._ports[count:])
        layout = tuple(tuple(native[shard * replicas : (shard + 1) * replicas]) for shard in range(shards))
        self.nodes = [
            Node(
                NodeConfig(
                    folder=str(folder / f"node{number}"),
                    http=http[number],
                    native=native[number],
                    shard=number // replicas + 1,
                    replica=number % replicas + 1,
                    shards=layout,
                    peers=http,
                    password=password,
                )
            )
            for number in range(count)
        ]
        self._replicas = replicas

    def replicas_of(self, shard: int) -> list[Node]:
        """Counted from 0."""
        return self.nodes[shard * self._replicas : (shard + 1) * self._replicas]

    def peer_of(self, node: Node) -> Node:
        return next(one for one in self.replicas_of(node.config.shard - 1) if one is not node)

    def start(self) -> None:
        for node in self.nodes:
            node.start()
        for node in self.nodes:
            node.wait_until_in_cluster()

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()
        for port in self._ports:
            port.close()

    def address(self, database: str = "procession", *, is_cluster: bool = True) -> str:
        """The store's address, with all nodes; or with the first alone, as if it were the only one."""
        nodes = self.nodes if is_cluster else self.nodes[:1]
        hosts = ",".join(f"127.0.0.1:{node.config.http}" for node in nodes)
        password = urllib.parse.quote(self.nodes[0].config.password, safe="")
        return f"http://default:{password}@{hosts}/{database}" + (f"?cluster={CLUSTER}" if is_cluster else "")


@contextmanager
def cluster(folder: Path, shards: int = 2, replicas: int = 2, *, password: str = "") -> Iterator[Cluster]:
    with quick_folder(folder) as quick:
        found = Cluster(quick, shards, replicas, password=password)
        try:
            found.start()
            yield found
        finally:
            found.stop()
