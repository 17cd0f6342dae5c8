"""From `/proc` to the bytes on the wire, on the disk and in the log: no secret that a rule covers is in any of them."""

from __future__ import annotations

import re
import string
import threading
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.agent import run_agent
from procession.agent.describe.collector import Collector
from procession.agent.describe.expressions import TagRules
from procession.agent.describe.live_numbers import LiveNumbers
from procession.agent.read.exits.ended import Ended
from procession.agent.read.process_reading import ProcessFacts, ProcessReading
from procession.agent.read.procfs import Stat
from procession.agent.send.payload import Payload
from procession.agent.send.payload_maker import PayloadMaker
from procession.agent.send.spool import CHECKSUM_BYTES
from procession.config import AgentSettings
from procession.scrubbing import Scrubber
from procession.scrubbing.commands import program_name
from procession.wire.datadog import FrameError, frame
from tests.support import secrets
from tests.support.agents.intake import FakeIntake
from tests.support.agents.proc_tree import ProcTree

CORPUS = list(secrets.corpus())
STAT = Stat("app", "S", 1, 0, 0, 0, 0, 1, 100, 1, 1, b"")


def content(data: bytes) -> bytes:
    """What a frame holds, or the data itself where it is none."""
    try:
        return bytes(frame.decode(data).body)
    except FrameError:
        return data


def leaked(where: bytes) -> list[list[str]]:
    found = {match.decode() for match in re.findall(secrets.SECRET, where)}
    return [arguments for secret, arguments in CORPUS if secret in found]


def test_the_corpus_is_large_and_every_line_holds_its_secret() -> None:
    assert len(CORPUS) > 2000
    assert leaked("\n".join(" ".join(arguments) for _, arguments in CORPUS).encode()) == [line for _, line in CORPUS]


def test_a_corpus_of_secrets_reaches_neither_the_wire_nor_the_disk_nor_the_log(
    tree: ProcTree, intake: FakeIntake, tmp_path: Path
) -> None:
    for pid, (secret, arguments) in enumerate(CORPUS, 10):
        line = b"".join(argument.encode() + b"\0" for argument in arguments)
        tree.put(pid, cmdline=line, environ=f"DD_SERVICE=web\0DB_PASSWORD={secret}\0".encode())
    spool = tmp_path / "spool"
    settings = AgentSettings(
        url=(intake.url, "http://127.0.0.1:9"),  # nobody is there, so that all for it goes to the disk
        api_key=("Zq99999xK",),
        proc_root=str(tree.root),
        hostname="web-1",
        interval_seconds=0.2,
        spool_dir=str(spool),
        max_cpu="0",
        tag_rules=("(?P<line>.+)",),
        process_env_tags=True,
        container_names=False,
    )
    lines: list[str] = []
    stop = threading.Event()
    agent = threading.Thread(target=lambda: run_agent(settings, stop=stop, report=lines.append))
    agent.start()
    try:
        posted = intake.wait_for(2 * (len(CORPUS) // 100 + 1), timeout=60)
        deadline = time.monotonic() + 60
        while len(list(spool.rglob("*.snapshot"))) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        files = {path: path.read_bytes() for path in spool.rglob("*.snapshot")}
    finally:
        stop.set()
        agent.join()

    seen = {one.pid for post in posted for one in post.snapshot.sightings}
    assert len(seen) == len(CORPUS)
    wire = b"".join(content(post.body) for post in posted)
    assert leaked(wire) == []
    assert wire.count(b"********") > len(CORPUS)
    kept = b"".join(body for data in files.values() for body in bodies_of(data))
    assert leaked(kept) == []
    assert kept.count(b"********") > len(CORPUS)
    assert leaked(b"".join(files.values())) == []
    assert leaked("\n".join(lines).encode()) == []
    assert b"Zq99999xK" not in b"".join(files.values()) + "\n".join(lines).encode()


def bodies_of(data: bytes) -> list[bytes]:
    """The content of each payload in a file of the spool."""
    found: list[bytes] = []

    def walk(item: object) -> None:
        if isinstance(item, bytes):
            found.append(content(item))
        elif isinstance(item, (list, tuple)):
            for one in item:
                walk(one)
        elif isinstance(item, dict):
            for one in item.values():
                walk(one)

    walk(msgspec.msgpack.decode(data[CHECKSUM_BYTES:]))
    return found


# Secrets that nobody thought of

_SECRETS = st.text(string.ascii_letters + string.digits + "!#%+.?_~^", min_size=8, max_size=24).map(
    lambda text: "Zq" + text + "9"
)
# A program that is known makes another line of it: `grep mysql -px` looks for a word, and `ssh mysql -px` names a host.
_NOISE = st.lists(
    st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=12).filter(
        lambda word: not program_name(word)
    ),
    max_size=3,
)


@st.composite
def lines_with_a_secret(draw: st.DrawFn) -> tuple[str, list[str]]:
    secret = draw(_SECRETS)
    kind = draw(st.integers(0, 3))
    if kind == 0:
        forms = list(secrets.named(draw(st.sampled_from(secrets.names())), secret))
    else:
        forms = list((secrets.in_urls, secrets.in_headers, secrets.of_clients)[kind - 1](secret))
    form = draw(st.sampled_from(forms))
    if form[0] == secret or secret in form[0]:
        return secret, [*form, *draw(_NOISE)]
    return secret, [*draw(_NOISE), *form, *draw(_NOISE)]


def a_reading(pid: int, arguments: list[str], state: str = "S") -> ProcessReading:
    facts = ProcessFacts(tuple(arguments), "/usr/bin/app", "/", "/", 0, 0, pid)
    return ProcessReading(pid, 0, msgspec.structs.replace(STAT, state=state), facts)


@given(st.lists(lines_with_a_secret(), min_size=1, max_size=5))
def test_a_secret_never_reaches_the_bytes_of_a_payload(lines: list[tuple[str, list[str]]]) -> None:
    """Nor of a snapshot, nor of an end that was heard of, nor of what goes live, nor as a tag."""
    collector = Collector(
        host="h", ticks_per_second=100, page_bytes=4096, scrub=Scrubber().scrub,
        tag_rules=TagRules(["(?P<line>.+)"], pytest.fail),
    )  # fmt: skip
    maker = PayloadMaker(host="h", run=1, started_at=1)
    ended = [
        Ended(100 + pid, 0, 5.0, 4.0, 4.0, a_reading(100 + pid, line, "X")) for pid, (_, line) in enumerate(lines, 1)
    ]
    events, gone = collector.conclude(ended, moment=1.0)
    readings = [a_reading(pid, line) for pid, (_, line) in enumerate(lines, 1)]
    snapshot = collector.collect(readings[1:], taken_at=10, moment=1.0, also=gone)
    payloads: list[Payload] = maker.make(snapshot, events)
    payloads += maker.make_live(12, *LiveNumbers(collector, snapshot).look(readings, taken_at=12, moment=3.0))

    written = b"".join(content(payload.body) + repr(payload.headers).encode() for payload in payloads)

    assert b"********" in written
    for secret, line in lines:
        assert secret.encode() not in written, line
