"""What processes receive and send, as columns: what an agent does not tell of is not known, and never 0."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from procession.agent.send.payload_maker import PayloadMaker
from procession.process import ProcessNumbers
from procession.wire.datadog import MessageType, frame
from procession.wire.datadog import process_pb2 as pb
from tests.browser.conftest import application_key
from tests.browser.looking import Server, settled, sign_in
from tests.support.builders import a_sighting, a_snapshot
from tests.support.running import clean_environment, eventually, running

API_KEY = "a" * 32
UNKNOWN = "–"
COLUMNS = ("Received", "Sent", "Connections", "Network", "Connections/s")

DATADOG = {
    "all-told": pb.ProcessNetworks(bytesRate=3 * 2**20, connectionRate=12.5),
    "idle": pb.ProcessNetworks(),
    "no-network": None,
}
"""What a Datadog Agent tells of the network of each process; None: nothing."""
OWN = {
    "busy": ProcessNumbers(net_received_bytes_per_second=2048.0, net_sent_bytes_per_second=5120.0, connections=7),
    "silent": ProcessNumbers(net_received_bytes_per_second=0.0, net_sent_bytes_per_second=0.0, connections=0),
    "unseen": ProcessNumbers(),
}
"""The same of our own agent."""

EXPECTED = {
    "all-told": (UNKNOWN, UNKNOWN, UNKNOWN, "3.0 MiB/s", "12.5/s"),
    "idle": (UNKNOWN, UNKNOWN, UNKNOWN, "0 B/s", "0/s"),
    "no-network": (UNKNOWN,) * 5,
    "busy": ("2.0 KiB/s", "5.0 KiB/s", "7", UNKNOWN, UNKNOWN),
    "silent": ("0 B/s", "0 B/s", "0", UNKNOWN, UNKNOWN),
    "unseen": (UNKNOWN,) * 5,
}


@pytest.fixture(scope="module")
def watched(page_built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, int]]:
    """A server to which a Datadog Agent and our own have told of a host each; and the instant of both."""
    folder = tmp_path_factory.mktemp("networks")
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(folder), "--own-rate-limit", "0", "--sign-in-limit", "0")
    with running("serve", *options, environment=clean_environment(DD_API_KEY=API_KEY)) as started:
        server = Server(started.line_with("Procession listens at").split()[-1], application_key(folder))
        now = int(time.time()) - 5
        own = [
            a_sighting(pid, now - 600, numbers, cmdline=f"/usr/bin/{name}", command=name)
            for pid, (name, numbers) in enumerate(OWN.items(), 1)
        ]
        for payload in PayloadMaker(host="ours", run=1, started_at=now - 600).make(
            a_snapshot(*own, host="ours", taken_at=now)
        ):
            _post(server, payload.path, payload.body, payload.headers)
        _post(server, "/api/v1/collector", _datadog_payload(now), {"X-Dd-Agent-Timestamp": str(now)})
        eventually(
            lambda: server.get("/processes", at=now)["meta"]["total"] == len(EXPECTED), what="the processes of both"
        )
        yield server, now


def _datadog_payload(now: int) -> bytes:
    message = pb.CollectorProc(hostName="theirs", groupId=1, groupSize=1)
    for pid, (name, networks) in enumerate(DATADOG.items(), 1):
        process = message.processes.add(pid=pid, createTime=(now - 600) * 1000)
        process.command.args.append(f"/usr/bin/{name}")
        process.memory.rss, process.state = 4096, pb.S
        if networks is not None:
            process.networks.CopyFrom(networks)
    return frame.encode(MessageType.PROCESSES, message.SerializeToString())


def _post(server: Server, path: str, body: bytes, headers: dict[str, str]) -> None:
    answer = httpx.post(f"{server.url}{path}", content=body, headers={**headers, "DD-Api-Key": API_KEY}, timeout=30)
    answer.raise_for_status()


@pytest.fixture
def page(watched: tuple[Server, int], browser: Browser) -> Iterator[Page]:
    """The table of both hosts, with no column but the command."""
    server, now = watched
    context = browser.new_context(viewport={"width": 1440, "height": 860}, base_url=server.url)
    page = context.new_page()
    page.goto(f"/?at={now}&cols=command")
    sign_in(page, server)
    settled(page)
    page.get_by_role("button", name="Columns").click()
    for column in COLUMNS:
        page.get_by_role("checkbox", name=column, exact=True).check()
    page.get_by_role("button", name="Columns", exact=True).click()
    expect(page.get_by_role("checkbox", name=COLUMNS[0], exact=True)).to_be_hidden()
    expect(page.get_by_role("columnheader")).to_have_text(["Command", *COLUMNS])
    yield page
    context.close()


def cells(page: Page) -> list[list[str]]:
    """Of each row from the top: the command, and the columns."""
    settled(page)
    rows = page.locator('[role="row"]:has([role="gridcell"])').all()
    found = [row.get_by_role("gridcell").all_inner_texts() for row in rows]
    return [[command.partition("/usr/bin/")[0].strip(), *numbers] for command, *numbers in found]


def test_columns_show_what_each_agent_tells_and_nothing_where_it_tells_none(page: Page) -> None:
    assert {command: tuple(numbers) for command, *numbers in cells(page)} == EXPECTED


@pytest.mark.parametrize(
    ("column", "commands"),
    [("Network", ["all-told", "idle"]), ("Connections/s", ["all-told", "idle"]), ("Sent", ["busy", "silent"])],
)
def test_what_is_not_known_comes_last_when_sorted(page: Page, column: str, commands: list[str]) -> None:
    header = page.get_by_role("columnheader", name=column, exact=True)
    for direction, first in (("descending", commands), ("ascending", commands[::-1])):
        header.get_by_role("button").click()
        expect(header).to_have_attribute("aria-sort", direction)

        shown = cells(page)

        assert [row[0] for row in shown[:2]] == first
        place = 1 + COLUMNS.index(column)
        assert {row[place] for row in shown[2:]} == {UNKNOWN}


def test_a_search_for_little_traffic_does_not_find_what_is_not_known(page: Page) -> None:
    search = page.get_by_role("combobox", name="Search processes")
    search.fill("net<1")
    search.press("Enter")
    expect(page.get_by_test_id("total")).to_have_text("2")

    assert {row[0] for row in cells(page)} == {"idle", "silent"}
