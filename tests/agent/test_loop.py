from __future__ import annotations

import pwd
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from procession.agent import run_agent
from procession.agent.read.connector import ConnectorUnavailable, ProcConnector
from procession.agent.send.spool import Spool
from procession.config import AgentSettings
from procession.errors import UsageError
from procession.lifecycle.events import ProcessExec, ProcessExit
from procession.wire.datadog import decode_events
from tests.support.agents.intake import TAKEN, WATCHED, FakeIntake, Posted, Reply
from tests.support.agents.proc_tree import BOOT_TIME, ProcTree
from tests.support.builders import NOON
from tests.support.clock import FastClock
from tests.support.running import eventually


class Running:
    def __init__(self) -> None:
        self.stop = threading.Event()
        self.lines: list[str] = []
        self.ended_after = -1.0


@contextmanager
def an_agent(tree: ProcTree, url: str | tuple[str, ...] = "http://127.0.0.1:9", **settings: Any) -> Iterator[Running]:
    running = Running()
    defaults: dict[str, Any] = {
        "url": (url,) if isinstance(url, str) else url, "api_key": ("k" * 32,), "proc_root": str(tree.root),
        "hostname": "web-1",
        "interval_seconds": 0.1, "spool": False,
        "max_cpu": "0",  # it shares the process with the test
    }  # fmt: skip
    failures: list[BaseException] = []

    def run() -> None:
        try:
            run_agent(AgentSettings(**(defaults | settings)), stop=running.stop, report=running.lines.append)
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield running
    finally:
        begin = time.monotonic()
        running.stop.set()
        thread.join(30)
        running.ended_after = time.monotonic() - begin
        assert not thread.is_alive()
        if failures:
            raise failures[0]


def test_agent_sends_a_snapshot_at_once_and_then_again_and_again(tree: ProcTree, intake: FakeIntake) -> None:
    tree.put(7, start_ticks=1299)

    with an_agent(tree, intake.url):
        posted = intake.wait_for(3)

    first, second, third = (post.snapshot for post in posted)
    (sighting,) = first.sightings
    assert first.host == "web-1"
    assert (sighting.pid, sighting.started_at) == (7, BOOT_TIME + 12)
    assert sighting.description.cmdline == "/usr/sbin/nginx -g daemon off;"
    assert sighting.numbers.cpu_total_percent is None
    assert second.sightings[0].numbers.cpu_total_percent == 0
    assert len({first.request_id, second.request_id, third.request_id}) == 3
    assert abs(first.taken_at - time.time()) < 30


def test_agent_whose_patterns_leave_out_every_process_says_that_there_is_none(
    tree: ProcTree, intake: FakeIntake
) -> None:
    tree.put(7)

    with an_agent(tree, intake.url, exclude_patterns=("nginx",)):
        posted = intake.wait_for(2)

    snapshots = [post.snapshot for post in posted]
    assert [(snapshot.host, snapshot.sightings) for snapshot in snapshots] == [("web-1", ())] * 2
    assert [snapshot.chunk_count for snapshot in snapshots] == [1, 1]


def test_agent_that_starts_again_after_the_clock_was_set_doubles_no_process(
    tree: ProcTree, intake: FakeIntake, tmp_path: Path
) -> None:
    (tree.root / "sys/kernel/random").mkdir(parents=True)
    (tree.root / "sys/kernel/random/boot_id").write_text("one\n")
    tree.put(7, start_ticks=1299)
    for boot_time in (BOOT_TIME, BOOT_TIME + 3600):
        tree.boot_at(boot_time)
        with an_agent(tree, intake.url, spool=True, spool_dir=str(tmp_path / "spool")):
            intake.wait_for(len(intake.posted) + 2)
    posted = intake.wait_for(4)

    assert {post.snapshot.sightings[0].started_at for post in posted} == {BOOT_TIME + 12}


def test_agent_sends_no_secret(tree: ProcTree, intake: FakeIntake) -> None:
    tree.put(7, cmdline=b"mysql\0-phunter2\0--password=hunter3\0my_word\0hunter4\0")

    with an_agent(tree, intake.url, custom_sensitive_words=('["my_word"', '"a**b"]')) as running:
        (post,) = intake.wait_for(1)

    assert post.snapshot.sightings[0].description.cmdline == "mysql -p******** --password=******** my_word ********"
    assert "hunter" not in repr(post.headers)
    assert any("a**b" in line and line.endswith("; left out") for line in running.lines)


@pytest.mark.parametrize(
    ("settings", "cmdline"),
    [
        ({"scrub_args": False}, "mysql -px --password=y http://a:b@c"),
        ({"strip_proc_arguments": True, "scrub_args": False}, "mysql"),
        (
            {"scrub_urls": False, "scrub_clients": False, "scrub_more_forms": False},
            "mysql -px --password=******** http://a:b@c",
        ),
    ],
)
def test_scrubbing_follows_its_settings(
    tree: ProcTree, intake: FakeIntake, settings: dict[str, bool], cmdline: str
) -> None:
    tree.put(7, cmdline=b"mysql\0-px\0--password=y\0http://a:b@c\0")

    with an_agent(tree, intake.url, **settings):
        (post,) = intake.wait_for(1)

    assert post.snapshot.sightings[0].description.cmdline == cmdline


@pytest.mark.may_skip
def test_agent_sends_a_process_that_lived_between_two_snapshots_and_how_it_ended(intake: FakeIntake) -> None:
    try:
        ProcConnector().close()
    except ConnectorUnavailable as error:
        pytest.skip(str(error))
    running = Running()
    settings = AgentSettings(
        url=(intake.url,), api_key=("k",), hostname="web-1", interval_seconds=2.0, spool=False, max_cpu="0"
    )
    thread = threading.Thread(target=run_agent, args=(settings,), kwargs={"stop": running.stop, "report": print})
    thread.start()
    try:
        intake.wait_for(1)
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(0.05); exit(7)", "marker"])
        process.wait()
        eventually(lambda: any(process.pid in pids for pids in map(pids_of, list(intake.posted))))
        eventually(lambda: any(post.path == "/api/v2/proclcycle" for post in list(intake.posted)))
    finally:
        running.stop.set()
        thread.join(30)

    seen = [
        sighting
        for post in intake.posted
        if post.path == "/api/v1/collector"
        for sighting in post.snapshot.sightings
        if sighting.pid == process.pid
    ]
    events = [
        event
        for post in intake.posted
        if post.path == "/api/v2/proclcycle"
        for event in decode_events(post.body).events
        if event.pid == process.pid
    ]
    assert len(seen) == 1
    assert seen[0].description.cmdline.endswith("marker")
    assert [type(event) for event in events] == [ProcessExec, ProcessExit]
    assert events[-1].exit_code == 7  # type: ignore[union-attr]


def pids_of(post: Posted) -> set[int]:
    if post.path != "/api/v1/collector":
        return set()
    if post.is_live:
        return {process.pid for process in post.live.processes}
    return {sighting.pid for sighting in post.snapshot.sightings}


def test_collecting_goes_on_while_the_server_is_slow(tree: ProcTree, intake: FakeIntake) -> None:
    tree.put(7)
    intake.gate.clear()

    with an_agent(tree, intake.url):
        intake.wait_for(1)
        tree.put(8)
        time.sleep(0.5)
        tree.remove(8)
        intake.gate.set()
        eventually(lambda: any(len(post.snapshot.sightings) == 2 for post in list(intake.posted)))

    moments = [post.snapshot.taken_at for post in intake.posted]
    assert moments == sorted(moments)


def test_agent_stops_within_a_second_even_in_the_middle_of_a_slow_post(tree: ProcTree, intake: FakeIntake) -> None:
    tree.put(7)
    intake.gate.clear()

    with an_agent(tree, intake.url, interval_seconds=100.0) as running:
        intake.wait_for(1)

    assert running.ended_after < 1.0
    assert running.lines == []


@pytest.mark.parametrize("is_down", [True, False])
def test_agent_says_that_its_machine_is_shut_down_and_nothing_when_it_alone_ends(
    tree: ProcTree, intake: FakeIntake, monkeypatch: pytest.MonkeyPatch, is_down: bool
) -> None:
    monkeypatch.setattr("procession.agent.loop.is_shutting_down", lambda: is_down)
    tree.put(7)

    with an_agent(tree, intake.url, interval_seconds=100.0) as running:
        (post,) = intake.wait_for(1)

    said = [one.headers.get("x-procession-leaving") for one in intake.about_hosts]
    assert said == [None, "shutdown"][: 1 + is_down]
    assert post.headers["x-procession-interval"] == "100"
    assert intake.about_hosts[-1].headers["x-dd-hostname"] == "web-1"
    assert running.ended_after < 1.0


def test_agent_keeps_the_newest_when_too_much_waits(tree: ProcTree, intake: FakeIntake) -> None:
    tree.put(7)
    intake.replies += [Reply(403)] * 10

    with an_agent(tree, intake.url, queue_bytes=0) as running:
        eventually(lambda: any("dropped the oldest" in line for line in running.lines))

    assert any("refuses the API key; keeping 1 snapshot, next try in 60 s" in line for line in running.lines)


def test_agent_takes_the_key_from_a_file(tree: ProcTree, intake: FakeIntake, tmp_path: Path) -> None:
    tree.put(7)
    file = tmp_path / "key"
    file.write_text("abc123\n")

    with an_agent(tree, intake.url, api_key=(), api_key_file=(str(file),)):
        (post,) = intake.wait_for(1)

    assert post.headers["dd-api-key"] == "abc123"


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"api_key": ()}, "there is no API key; give one by --api-key-file FILE or in DD_API_KEY"),
        (
            {"api_key": (), "api_key_file": ("/nowhere",)},
            "cannot read the API key in /nowhere: No such file or directory",
        ),
        ({"api_key": ("a b",)}, "the API key has characters that no key has"),
        ({"api_key": ("ü",)}, "the API key has characters that no key has"),
        ({"url": "example.org"}, "'example.org' is no URL of a server"),
        ({"url": ()}, "there is no server to send to; --url names one"),
        ({"url": ("http://a", "http://a/")}, "http://a is named twice; a server gets everything once"),
        ({"url": ("http://a", "http://b", "http://c"), "api_key": ("k", "l")}, "there are 3 servers and 2 API keys"),
        ({"max_cpu": "much"}, "--max-cpu 'much' is no percentage; it looks like 1%"),
        ({"spool": True, "spool_dir": "/proc/nowhere"}, "cannot keep snapshots in /proc/nowhere"),
        ({"hostname": "a\nb"}, "is no name of a host; --hostname gives one"),
        ({"proc_root": "/nowhere"}, "no processes can be read in /nowhere"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_one_line(tree: ProcTree, settings: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError) as raised, an_agent(tree, **settings):
        pass

    assert line in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_bug_in_the_sender_ends_the_agent_and_does_not_pass_in_silence(tree: ProcTree, intake: FakeIntake) -> None:
    tree.put(7)

    def report(line: str) -> None:
        raise RuntimeError(line)

    settings = AgentSettings(
        url=(intake.url,), api_key=("k",), proc_root=str(tree.root), hostname="web-1", interval_seconds=0.1, spool=False
    )
    with pytest.raises(RuntimeError, match="sending the processes of web-1"):
        run_agent(settings, stop=threading.Event(), report=report)


def test_agent_imports_neither_the_store_nor_the_server() -> None:
    code = "import procession.agent, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()

    assert not {"chdb", "clickhouse_connect", "pyarrow", "numpy", "starlette", "uvloop", "rich"} & set(loaded)


def test_an_hour_without_a_server_and_two_kills_cost_no_snapshot(tree: ProcTree, tmp_path: Path) -> None:
    """All of them arrive, in order, once. The agents are real processes with a fast clock, and the kills are -9."""
    tree.put(7)
    intake = FakeIntake()
    intake.close()  # so that its port is free, and nobody is there
    spool = tmp_path / "spool"
    snapshots = 3600 // 10

    def an_agent_until(count: int) -> None:
        kept = len(list(spool.glob("*/*.snapshot")))
        agent = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.support.agents.hasty_agent", intake.url, str(tree.root), str(spool)),
                str(kept * 10),
            ],
            cwd=Path(__file__).parents[2],
        )
        try:
            eventually(lambda: len(list(spool.glob("*/*.snapshot"))) >= count, seconds=60)
        finally:
            agent.kill()
            agent.wait()

    an_agent_until(snapshots // 3)
    an_agent_until(snapshots * 2 // 3)
    an_agent_until(snapshots)
    kept = len(list(spool.glob("*/*.snapshot")))
    assert b"k" * 32 not in b"".join(path.read_bytes() for path in spool.glob("*/*"))

    intake = FakeIntake(intake.port)
    try:
        with an_agent(tree, intake.url, spool=True, spool_dir=str(spool)):
            posted = intake.wait_for(kept + 1, 60)
    finally:
        intake.close()

    moments = [post.snapshot.taken_at for post in posted]
    assert moments[:kept] == [NOON + 10 * number for number in range(kept)]
    assert moments[kept] > NOON + 10 * kept
    assert len({post.snapshot.request_id for post in posted}) == kept + 1
    assert posted[0].headers["dd-api-key"] == "k" * 32


def test_two_runs_with_one_pid_in_the_same_seconds_number_what_they_send_apart(tree: ProcTree) -> None:
    """As in a container, where the pid is the same at each start, after a kill or with a clock that was set back."""
    tree.put(7)
    ids = []
    for _ in range(2):
        intake = FakeIntake()
        stop = threading.Event()
        settings = AgentSettings(
            url=(intake.url,), api_key=("k",), proc_root=str(tree.root), hostname="web-1", spool=False
        )
        options = {"stop": stop, "report": lambda _: None, "clock": FastClock()}
        thread = threading.Thread(target=run_agent, args=(settings,), kwargs=options)
        thread.start()
        try:
            posted = intake.wait_for(3)
        finally:
            stop.set()
            thread.join(30)
            intake.close()
        ids.append({post.headers["x-dd-request-id"] for post in posted})

    assert ids[0].isdisjoint(ids[1])


def test_each_server_gets_everything_whatever_becomes_of_the_others(tree: ProcTree, intake: FakeIntake) -> None:
    tree.put(7)
    slow, other = FakeIntake(), FakeIntake()
    slow.gate.clear()
    urls = (intake.url, "http://127.0.0.1:9", slow.url, other.url)
    try:
        with an_agent(tree, url=urls, api_key=("a" * 32, "b" * 32, "c" * 32, "d" * 32)) as running:
            first, last = intake.wait_for(5), other.wait_for(5)
            slow.wait_for(1)
    finally:
        slow.close()
        other.close()

    assert [post.body for post in first] == [post.body for post in last]
    assert len(slow.posted) == 1
    keys = [posted[0].headers["dd-api-key"][0] for posted in (first, slow.posted, last)]
    assert keys == ["a", "c", "d"]
    assert any("cannot reach http://127.0.0.1:9" in line for line in running.lines)
    assert running.ended_after < 1.0


def test_one_key_serves_all_servers_and_each_has_a_spool_of_its_own(tree: ProcTree, tmp_path: Path) -> None:
    tree.put(7)
    urls = ("http://127.0.0.1:9", "http://127.0.0.1:9/proxy")
    with an_agent(tree, url=urls, spool=True, spool_dir=str(tmp_path / "spool")):
        eventually(lambda: len(list((tmp_path / "spool").glob("*/*.snapshot"))) >= 6)

    folders = sorted(path.name for path in (tmp_path / "spool").iterdir())
    assert len(folders) == 2
    assert all(name.startswith("127.0.0.1-9-") for name in folders)


def test_while_somebody_watches_what_is_new_goes_whole_and_then_all_numbers(tree: ProcTree, intake: FakeIntake) -> None:
    tree.put(7)
    tree.put(9)
    intake.usual = WATCHED

    with an_agent(tree, intake.url, interval_seconds=60.0):
        eventually(lambda: any(post.is_live for post in list(intake.posted)))
        tree.put(8)
        tree.remove(9)
        eventually(lambda: any(post.is_live and pids_of(post) == {7, 8} for post in list(intake.posted)))
        intake.usual = TAKEN
        count = len(intake.posted)
        # What was on its way may still be answered in the old way; after that, nothing comes for a minute.
        intake.wait_for(count + 1)
        time.sleep(2.5)

    assert len(intake.posted) <= count + 2
    kinds = [(post.is_live, post.headers.get("x-procession-partial"), pids_of(post)) for post in intake.posted]
    assert kinds[0] == (False, None, {7, 9})
    assert (True, None, {7, 9}) in kinds
    partial = kinds.index((False, "true", {8}))
    assert kinds[partial + 1] == (True, None, {7, 8})
    new, live = intake.posted[partial], intake.posted[partial + 1]
    assert live.headers["x-procession-live"] == "all"
    assert [item.numbers.cpu_total_percent for item in live.live.processes if item.pid == 7] == [0]
    assert new.headers["x-dd-agent-timestamp"] == live.headers["x-dd-agent-timestamp"]
    assert new.headers["x-dd-request-id"] != live.headers["x-dd-request-id"]


def test_only_the_server_where_somebody_watches_gets_what_is_live(tree: ProcTree, intake: FakeIntake) -> None:
    tree.put(7)
    other = FakeIntake()
    intake.usual = WATCHED
    try:
        with an_agent(tree, url=(intake.url, other.url), interval_seconds=60.0):
            eventually(lambda: sum(post.is_live for post in list(intake.posted)) >= 2)
    finally:
        other.close()

    assert len(other.posted) == 1


def test_live_numbers_are_not_sent_again(tree: ProcTree, intake: FakeIntake) -> None:
    tree.put(7)
    intake.replies += [WATCHED, Reply(503)]

    with an_agent(tree, intake.url, interval_seconds=4.0) as running:
        posted = intake.wait_for(3)
        again = "takes payloads again; 0 snapshots left to send, 0 snapshots and live numbers of 1 moment dropped since"
        eventually(lambda: any(again in line for line in running.lines))

    assert [post.is_live for post in posted] == [False, True, False]
    assert any("answers 503; keeping 0 snapshots" in line for line in running.lines)


def test_a_spool_that_nobody_asked_for_may_be_missing(
    tree: ProcTree, intake: FakeIntake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.put(7)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    with an_agent(tree, intake.url, spool=True) as one, an_agent(tree, intake.url, spool=True) as another:
        # Whichever of them is there first has it.
        eventually(lambda: any("another agent keeps its snapshots" in line for line in (*one.lines, *another.lines)))
        intake.wait_for(4)
    (folder,) = (tmp_path / "state" / "procession" / "spool").iterdir()

    assert folder.stat().st_mode & 0o077 == 0
    assert any(line.endswith("; until then they are kept in memory") for line in (*one.lines, *another.lines))


def test_an_agent_over_its_budget_says_so_in_what_it_sends(tree: ProcTree, intake: FakeIntake) -> None:
    tree.put(7)

    class Costly(FastClock):
        """The machine is so slow that each look takes 0.2 s of CPU."""

        def now(self) -> float:
            self.use(0.2)
            return super().now()

    stop = threading.Event()
    lines: list[str] = []
    settings = AgentSettings(
        url=(intake.url,), api_key=("k" * 32,), proc_root=str(tree.root), hostname="web-1", spool=False, max_cpu="1%"
    )
    thread = threading.Thread(
        target=run_agent, args=(settings,), kwargs={"stop": stop, "report": lines.append, "clock": Costly()}
    )
    thread.start()
    try:
        posted = intake.wait_for(10)
    finally:
        stop.set()
        thread.join(30)

    moments = [post.snapshot.taken_at for post in posted]
    assert moments[-1] - moments[-2] > 12
    assert int(posted[-1].headers["x-procession-interval"]) > 12
    assert any("of CPU, and --max-cpu allows 1%: one every" in line for line in lines)


def test_users_whose_names_do_not_come_hold_up_no_snapshot(
    tree: ProcTree, intake: FakeIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()

    def slow(uid: int) -> pwd.struct_passwd:
        answers.wait(60)
        return pwd.struct_passwd((f"user{uid}", "x", uid, uid, "", "/", "/bin/sh"))

    monkeypatch.setattr(pwd, "getpwuid", slow)
    for number in range(8):
        tree.put(100 + number, uid=4000 + number)

    with an_agent(tree, intake.url) as running:
        begun = time.monotonic()
        before = intake.wait_for(12)
        took = time.monotonic() - begun
        answers.set()
        count = len(before)
        eventually(lambda: users_in(intake.wait_for(count + 1)[-1]) == {f"user{4000 + n}" for n in range(8)})
        after = intake.wait_for(count + 1)[-1]

    assert took < 8  # eight times ten seconds it would be otherwise; twelve tenths of one it is
    assert all(users_in(post) == {f"uid:{4000 + n}" for n in range(8)} for post in before)
    processes = {(one.pid, one.started_at) for post in (*before, after) for one in post.snapshot.sightings}
    assert len(processes) == 8
    assert len(after.snapshot.sightings) == 8
    assert running.ended_after < 2


def users_in(post: Posted) -> set[str]:
    return {sighting.description.user for sighting in post.snapshot.sightings}


def test_an_agent_ends_though_names_never_come(
    tree: ProcTree, intake: FakeIntake, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = threading.Event()

    def never(uid: int) -> pwd.struct_passwd:
        answers.wait(60)
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", never)
    tree.put(7, uid=4000)

    with an_agent(tree, intake.url) as running:
        intake.wait_for(2)
    answers.set()

    assert running.ended_after < 2


def test_an_agent_that_can_read_nothing_says_so_here_and_to_the_server(tree: ProcTree, intake: FakeIntake) -> None:
    for pid in (7, 8):
        (tree.put(pid) / "stat").unlink()

    with an_agent(tree, intake.url) as running:
        eventually(lambda: bool(intake.about_hosts and running.lines))
        assert intake.posted == []
        tree.put(7)
        (sighting,) = intake.wait_for(1)[0].snapshot.sightings

    (line,) = [line for line in running.lines if "can be read" in line]
    assert line.startswith(f"none of the 2 processes in {tree.root} can be read: {tree.root}/")
    assert line.endswith(": No such file or directory; nothing is sent of them")
    assert [post.headers.get("x-procession-unreadable") for post in intake.about_hosts] == ["2"]
    assert sighting.pid == 7


def test_processes_that_can_be_read_no_more_have_not_ended(tree: ProcTree, intake: FakeIntake) -> None:
    tree.put(7)
    intake.usual = WATCHED  # so that what is live goes, too

    with an_agent(tree, intake.url) as running:
        intake.wait_for(1)
        (tree.root / "7" / "stat").write_bytes(b"")
        eventually(lambda: any("can be read" in line for line in running.lines))
        count = len(intake.posted)
        tree.put(7)
        posted = intake.wait_for(count + 2)

    assert all(post.live.processes if post.is_live else post.snapshot.sightings for post in posted)


def test_a_disk_that_hangs_holds_up_no_snapshot(
    tree: ProcTree, intake: FakeIntake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk, write = threading.Event(), Spool.write

    def slow(*given: Any, **more: Any) -> Any:
        assert disk.wait(60)
        return write(*given, **more)

    monkeypatch.setattr(Spool, "write", slow)
    tree.put(7)

    with an_agent(tree, intake.url, spool=True, spool_dir=str(tmp_path / "spool")) as running:
        (line,) = eventually(lambda: [line for line in running.lines if "does not keep up" in line])
        disk.set()
        intake.wait_for(3)

    assert line.endswith(": 1 snapshots left out so far")
    assert running.ended_after < 2
