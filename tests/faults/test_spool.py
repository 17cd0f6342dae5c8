"""A spool of which a power cut or a bad disk left less than there was: what is whole arrives, the rest is said."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace

from tests.faults.machines.hosts import NO_DIFFERENCE, PIDS, Host, difference
from tests.faults.machines.servers import Server
from tests.faults.machines.stored import chunks_of
from tests.support.proxy import HEALTHY, Fault, Proxy
from tests.support.running import eventually
from tests.support.torture import quoted, record

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "a byte": lambda whole: whole[:1],
    "within what comes first": lambda whole: whole[:7],
    "half": lambda whole: whole[: len(whole) // 2],
    "all but a byte": lambda whole: whole[:-1],
    "as long, and the end of it zeros": lambda whole: whole[: len(whole) // 3] + bytes(len(whole) - len(whole) // 3),
    "zeros": lambda whole: bytes(len(whole)),
    "one bit another": lambda whole: whole[:60] + bytes([whole[60] ^ 4]) + whole[61:],
    "something else": lambda _: b"\x93\x01\x02\x03",
}


def test_of_a_half_written_spool_what_is_whole_arrives(
    ending: ExitStack, server: Server, a_host: Callable[..., Host]
) -> None:
    server.start()
    proxy = Proxy(server.address)
    ending.callback(proxy.close)
    proxy.set(Fault(refuses=True))
    host = a_host("web-1", proxy.url, interval_seconds=0.2)
    host.start()
    host.agent.line_with("cannot reach")
    eventually(lambda: host.waiting() >= 2 * len(DAMAGE), what="a spool")
    host.kill()
    kept = sorted(host.spool().glob("*.snapshot"))
    whole = host.left_for_server()
    for path, damage in zip(kept[1::2], DAMAGE.values(), strict=False):
        path.write_bytes(damage(path.read_bytes()))
    left = host.left_for_server()
    assert len(whole) - len(left) == len(DAMAGE)
    unfinished = host.spool() / f"{int(kept[-1].stem) + 1:020d}.new"
    unfinished.write_bytes(kept[0].read_bytes()[:100])

    proxy.set(HEALTHY)
    host.interval_seconds = 1.0
    host.start()
    said = host.agent.line_with("cannot read all of the spool")
    host.wait_until_delivered()
    host.stop()
    listed = server.times_listed()
    server.stop()

    found = difference(host, chunks_of(server.data_dir))
    assert found.lost == whole.keys() - left.keys()
    assert replace(found, lost=frozenset()) == NO_DIFFERENCE
    assert listed == {("web-1", pid): 1 for pid in PIDS}
    assert str(host.spool()) in said
    assert "left out what is damaged" in said
    assert not unfinished.exists()
    assert not any("Traceback" in line or "too much waits" in line for line in host.output + server.output)
    record(
        f"spool of the agent: {len(DAMAGE)} of {len(whole)} files cut short, emptied or changed",
        times=len(DAMAGE),
        lost=len(found.lost & left.keys()),
        answered=quoted(said),
    )
