"""What five hosts told over half an hour: graphs by the minute, of what is searched for, and what happened on all of
them alike, said once."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from procession.agent.send.payload_maker import PayloadMaker
from procession.process import ProcessNumbers, Snapshot
from tests.browser.conftest import application_key
from tests.browser.looking import Server, sign_in
from tests.support.builders import a_sighting, a_snapshot
from tests.support.running import clean_environment, eventually, running

API_KEY = "a" * 32
HOSTS = [f"web-{number}" for number in range(1, 6)]
MINUTES = 30
SPIKE = 15
"""How many minutes ago java used 16 cores on the first host, for a minute."""
UPGRADE = 10
"""How many minutes ago another version of nginx came to all hosts, and a job began."""
SPAN = 4 * 3600
STEP = 300
"""Of a graph over the span."""


def told_at(end: int, minute: int) -> int:
    """When all hosts told of their processes, so many minutes before the end."""
    return end - 60 * minute + 20


def snapshot(host: str, end: int, minute: int) -> Snapshot:
    java = 1600.0 if minute == SPIKE and host == HOSTS[0] else 50.0
    processes = [
        a_sighting(10, end - 7200, command="nginx", tags=(f"version:{2 if minute <= UPGRADE else 1}",)),
        a_sighting(
            20, end - 7200, ProcessNumbers(cpu_total_percent=java), command="java", cmdline="java -jar shop.jar"
        ),
    ]
    if minute <= UPGRADE:
        processes.append(a_sighting(30, end - 60 * UPGRADE, command="report", cmdline="report --daily"))
    return a_snapshot(*processes, host=host, taken_at=told_at(end, minute))


@pytest.fixture(scope="module")
def end() -> int:
    """A whole minute, before which all was told."""
    return int(time.time()) // 60 * 60


@pytest.fixture(scope="module")
def server(page_built: None, end: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("small-fleet")
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(folder), "--own-rate-limit", "0", "--sign-in-limit", "0")
    with running("serve", *options, environment=clean_environment(DD_API_KEY=API_KEY)) as started:
        found = Server(started.line_with("Procession listens at").split()[-1], application_key(folder))
        makers = {host: PayloadMaker(host=host, run=1, started_at=end - 7200) for host in HOSTS}
        with httpx.Client(base_url=found.url, headers={"DD-Api-Key": API_KEY}) as client:
            for minute in reversed(range(1, MINUTES + 1)):
                for host, maker in makers.items():
                    for payload in maker.make(snapshot(host, end, minute)):
                        answer = client.post(payload.path, content=payload.body, headers=payload.headers)
                        answer.raise_for_status()
        last = {"at": told_at(end, 1)}
        eventually(lambda: found.get("/processes", **last)["meta"]["total"] == 3 * len(HOSTS), what="all processes")
        yield found


@pytest.fixture
def page(server: Server, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 860}, base_url=server.url)
    page = context.new_page()
    page.goto("/")
    sign_in(page, server)
    yield page
    context.close()


def test_a_graph_of_a_search_has_the_spike_of_a_minute_in_a_step_of_five(page: Page, end: int) -> None:
    page.goto(f"/?from={end - SPAN}&to={end}&tab=graphs&s=java&x.graphs=total")
    cpu = page.get_by_role("figure", name="CPU").get_by_role("img")

    expect(
        page.get_by_text(re.compile("^Steps of 5 min.*from the least to the greatest of the minutes"))
    ).to_be_visible()
    expect(cpu).to_have_accessible_name(re.compile(r"minimum 2\.50? cores, maximum 18(\.0+)? cores"))
    processes = page.get_by_role("figure", name="Processes", exact=True).get_by_role("img")
    expect(processes).to_have_accessible_name(re.compile("newest 5, minimum 5, maximum 5$"))


def test_a_graph_of_a_search_by_hosts_says_which_had_the_spike(page: Page, end: int) -> None:
    page.goto(f"/?from={end - SPAN}&to={end}&tab=graphs&s=java&by=host")
    cpu = page.get_by_role("figure", name="CPU").get_by_role("img")

    expect(cpu).to_have_accessible_name(re.compile(r"web-1: newest 0\.50? cores, minimum 0\.50? cores, maximum 16"))
    expect(cpu).to_have_accessible_name(re.compile(r"web-2: newest 0\.50? cores, minimum 0\.50? cores, maximum 0\.5"))


def test_a_click_on_a_spike_leads_to_the_minute_that_had_it(page: Page, end: int) -> None:
    begin = end - SPAN
    page.goto(f"/?from={begin}&to={end}&tab=graphs&s=java&x.graphs=total")
    plot = page.get_by_role("figure", name="CPU").locator(".u-over")
    expect(plot).to_be_visible()
    box = plot.bounding_box()
    assert box is not None
    spike = told_at(end, SPIKE)
    middle = spike // STEP * STEP + STEP / 2

    page.mouse.click(box["x"] + box["width"] * (middle - begin) / SPAN, box["y"] + box["height"] / 2)

    expect(page).to_have_url(re.compile(f"at={spike // 60 * 60 + 59}"))
    expect(page).to_have_url(re.compile("s=java"))
    expect(page.locator("#row-0")).to_contain_text(re.compile(r"1,?600"))


def test_a_change_of_all_hosts_is_said_once_with_the_hosts_that_have_it(page: Page, end: int) -> None:
    sides = f"x.left={told_at(end, UPGRADE + 1)}&x.right={told_at(end, 1)}"
    page.goto(f"/?at={end}&tab=compare&{sides}&x.show=changed")

    expect(page.get_by_role("tab", name="Changed 5")).to_be_visible()
    change = page.get_by_role("tabpanel", name="Changed 5").locator("> ul > li")
    expect(change).to_have_count(1)
    expect(change).to_contain_text("nginx 5 processes on web-1, web-2, web-3 and 2 more")
    expect(change.locator("del")).to_have_text(["version:1"])
    expect(change.locator("ins")).to_have_text(["version:2"])
    change.get_by_text("Each of them").click()
    for host in HOSTS:
        expect(change.get_by_text(f"pid 10 on {host}")).to_be_visible()


def test_what_began_on_all_hosts_is_one_row_that_opens(page: Page, end: int) -> None:
    sides = f"x.left={told_at(end, UPGRADE + 1)}&x.right={told_at(end, 1)}"
    page.goto(f"/?at={end}&tab=compare&{sides}")
    rows = page.get_by_role("row").filter(has_text="report --daily")

    expect(page.get_by_role("tab", name="Started 5")).to_be_visible()
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("5 processes")
    expect(rows).to_contain_text("web-1, web-2, web-3 and 2 more")
    rows.get_by_role("button").click()
    expect(rows).to_have_count(1 + len(HOSTS))
    expect(rows.last).to_contain_text("web-5")
