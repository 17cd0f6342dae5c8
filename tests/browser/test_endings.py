"""What died, where and why: the views of a window, sorted and searched by how processes ended, in our own language."""

from __future__ import annotations

import csv
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from procession.agent.send.payload_maker import PayloadMaker
from procession.lifecycle.events import ProcessEvents, ProcessExit
from procession.process import ProcessNumbers
from tests.browser.conftest import application_key
from tests.browser.looking import Server, settled, sign_in
from tests.browser.pointer import box_in, point_at
from tests.browser.test_reading_for_all import violations
from tests.support.builders import a_description, a_sighting, a_snapshot
from tests.support.running import clean_environment, eventually, running

API_KEY = "a" * 32
PROCESSES = 300
RUNNING = 100
"""Those with the greatest pids."""
CODES = {1: 137, 2: 1, 3: 0}
"""Of the first ones; of the others that have ended no exit was reported."""


@pytest.fixture(scope="module")
def ended(page_built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, int]]:
    """A host where 200 of 300 processes have ended, three of them with an exit code; and its last instant."""
    folder = tmp_path_factory.mktemp("ended")
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(folder), "--own-rate-limit", "0", "--sign-in-limit", "0")
    with running("serve", *options, environment=clean_environment(DD_API_KEY=API_KEY)) as started:
        server = Server(started.line_with("Procession listens at").split()[-1], application_key(folder))
        now = int(time.time()) - 5
        sightings = [
            a_sighting(
                pid,
                now - 1000 - pid,
                ProcessNumbers(cpu_total_percent=pid / 4, rss_bytes=pid * 2**20, state="S"),
                cmdline=f"{'java' if pid % 2 else 'python'} job-{pid}",
                command="java" if pid % 2 else "python",
                tags=("env:prod" if pid % 3 else "env:test",),
            )
            for pid in range(1, PROCESSES + 1)
        ]
        maker = PayloadMaker(host="web-1", run=1, started_at=now - 100)
        exits = tuple(
            ProcessExit(pid=pid, at=now - 40 + pid, exit_code=code, description=a_description())
            for pid, code in CODES.items()
        )
        before = a_snapshot(*sightings, host="web-1", taken_at=now - 60)
        after = a_snapshot(*sightings[-RUNNING:], host="web-1", taken_at=now - 20)
        for payload in [
            *maker.make(before),
            *maker.make(after, events=ProcessEvents("web-1", exits)),
        ]:
            headers = {**payload.headers, "DD-Api-Key": API_KEY}
            httpx.post(f"{server.url}{payload.path}", content=payload.body, headers=headers).raise_for_status()
        window = {"from": now - 600, "to": now, "ended": "true"}
        eventually(
            lambda: server.get("/processes", **window)["meta"]["total"] == PROCESSES - RUNNING, what="those that ended"
        )
        yield server, now


@pytest.fixture
def page(ended: tuple[Server, int], browser: Browser) -> Iterator[Page]:
    server, now = ended
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=server.url)
    faults: list[str] = []
    context.on("weberror", lambda error: faults.append(str(error.error)))
    context.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    page = context.new_page()
    page.goto(f"/?from={now - 600}&to={now}")
    sign_in(page, server)
    settled(page)
    yield page
    context.close()
    assert faults == []


def cell(page: Page, row: int, column: str) -> Locator:
    names = page.get_by_role("columnheader").all_inner_texts()
    return page.locator(f"#row-{row}").get_by_role("gridcell").nth(names.index(column))


def searched(page: Page, text: str) -> None:
    search = page.get_by_role("combobox", name="Search processes")
    search.fill(text)
    search.press("Enter")


def test_what_died_last_and_why_is_two_clicks_away(page: Page) -> None:
    total = page.get_by_test_id("total")
    expect(total).to_have_text("100")
    page.get_by_text("Ended", exact=True).click()
    expect(total).to_have_text("200")

    assert page.get_by_role("columnheader").all_inner_texts()[:5] == [
        *("Command", "Ended", "Exit code", "Signal", "Lifetime"),
    ]
    expect(page.get_by_role("columnheader", name="Ended")).to_have_attribute("aria-sort", "descending")
    expect(cell(page, 0, "Lifetime")).to_contain_text("min")
    page.get_by_role("checkbox", name="Only signal:SIGKILL").check()

    expect(total).to_have_text("1")
    expect(cell(page, 0, "Exit code")).to_have_text("137")
    expect(cell(page, 0, "Signal")).to_have_text("SIGKILL")
    expect(cell(page, 0, "Host")).to_contain_text("web-1")
    page.get_by_text("Running now").click()
    expect(page.get_by_text("No process matches")).to_be_visible()


@pytest.mark.parametrize("scope", ["window", "ended"])
def test_a_window_stays_when_it_is_sorted_and_its_end_is_reached(page: Page, scope: str) -> None:
    page.get_by_text({"window": "Seen in window", "ended": "Ended"}[scope], exact=True).click()
    expect(page.get_by_test_id("total")).to_have_text({"window": "300", "ended": "200"}[scope])
    header = page.get_by_role("columnheader", name="PID", exact=True)
    header.get_by_role("button").click()
    header.get_by_role("button").click()
    expect(header).to_have_attribute("aria-sort", "ascending")
    expect(page).to_have_url(re.compile(f"x.scope={scope}"))
    settled(page)

    page.get_by_role("grid").focus()
    page.keyboard.press("End")

    last = 300 if scope == "window" else 200
    expect(cell(page, last - 1, "PID")).to_have_text(str(last))
    page.keyboard.press("Home")
    expect(cell(page, 0, "PID")).to_have_text("1")


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("exit_code:*", "3"),
        ("signal:KILL OR exit_code:1", "2"),
        ("cpu>=74 prod", "3"),
        ("pid:7", "1"),
        ("web-1", "300"),
        ('"web-1"', None),
        ("ended:false rss>250MiB", "50"),
    ],
)
def test_numbers_endings_hosts_and_tags_are_searched(page: Page, search: str, found: str | None) -> None:
    page.get_by_text("Seen in window").click()
    searched(page, search)

    if found is None:
        expect(page.get_by_text("No process matches")).to_be_visible()
    else:
        expect(page.get_by_test_id("total")).to_have_text(found)


def test_the_last_results_stay_while_a_search_is_not_finished(page: Page) -> None:
    searched(page, "cpu>70")
    expect(page.get_by_test_id("total")).to_have_text("20")
    facets = page.get_by_role("checkbox", name=re.compile("^Only command:"))
    expect(facets).to_have_count(2)

    searched(page, "cpu>70 (java OR")

    alert = page.get_by_role("search").get_by_role("alert")
    expect(alert).to_contain_text("The last results stay")
    expect(page.get_by_test_id("total")).to_have_text("20")
    expect(facets).to_have_count(2)
    expect(page.get_by_role("alert")).to_have_count(1)
    searched(page, "cpu>70 (java OR python)")
    expect(alert).to_be_hidden()
    expect(page).to_have_url(re.compile("python"))


def test_a_word_is_completed_to_a_value_and_a_number(page: Page) -> None:
    search = page.get_by_role("combobox", name="Search processes")

    search.press_sequentially("jav")
    page.get_by_role("option", name=re.compile("^command:java")).click()
    expect(search).to_have_value("command:java ")
    search.press_sequentially("exi")
    page.get_by_role("option", name=re.compile("^exit_code:")).click()

    expect(search).to_have_value("command:java exit_code:")


def test_an_old_link_and_a_saved_view_keep_their_meaning(page: Page, ended: tuple[Server, int]) -> None:
    server, now = ended
    bounds = f"from={now - 600}&to={now}"
    page.goto(f"/?{bounds}&q=web-1")
    expect(page.get_by_text("No process matches")).to_be_visible()
    expect(page.get_by_role("combobox", name="Search processes")).to_have_value('"web-1"')

    headers = {"authorization": f"Bearer {server.application_key}"}
    body = {"state": f"{bounds}&q=job-299"}
    httpx.put(f"{server.url}/api/procession/v1/views/before", json=body, headers=headers).raise_for_status()
    page.get_by_role("button", name="Views").click()
    page.get_by_role("button", name=re.compile("^before")).click()

    expect(page.get_by_test_id("total")).to_have_text("1")
    expect(page).to_have_url(re.compile("s=%22job-299%22"))


def test_what_has_ended_is_exported_as_it_is_seen(page: Page, tmp_path: Path) -> None:
    page.get_by_text("Ended", exact=True).click()
    expect(page.get_by_test_id("total")).to_have_text("200")
    page.get_by_role("button", name="Export").click()

    with page.expect_download() as download:
        page.get_by_role("menuitem", name="CSV, for spreadsheets").click()
    expect(page.get_by_text("200 processes are in the file. Those that still run are left out.")).to_be_visible()
    download.value.save_as(tmp_path / "ended.csv")

    rows = list(csv.DictReader((tmp_path / "ended.csv").open(newline="")))
    assert len(rows) == 200
    assert [row["ended"] for row in rows] == sorted((row["ended"] for row in rows), reverse=True)
    assert {row["exit_code"] for row in rows} == {"", "0", "1", "137"}
    assert {row["signal"] for row in rows} == {"", "SIGKILL"}


def test_a_monitor_of_a_search_names_what_it_cannot_carry(page: Page) -> None:
    searched(page, "web-1 cpu>20 java")
    expect(page).to_have_url(re.compile("s=web-1"))
    page.get_by_role("button", name="Monitor this search").first.click()

    expect(page.get_by_text("A monitor cannot carry cpu>20: it watches more processes")).to_be_visible()
    form = page.get_by_role("form", name="Monitor this search")
    expect(form.get_by_label("Search", exact=True)).to_have_value("web-1 java")
    expect(form.get_by_label("Query", exact=True)).to_have_text(
        "processes('web-1 java').language('procession').rollup('count_now') < 1"
    )


def test_the_strip_shows_what_began_and_ended_and_hatches_gaps(page: Page, ended: tuple[Server, int]) -> None:
    _, now = ended
    page.goto(f"/?at={now}")
    strip = page.get_by_role(
        "img", name=re.compile(r"^Processes over time: \d+ to \d+; .* 3 ended, 2 of them badly; .* steps without data$")
    )

    expect(strip).to_be_visible(timeout=120_000)
    gaps = strip.locator("[data-gap]")
    assert gaps.count() > 20
    hatched = gaps.first.evaluate("(gap) => getComputedStyle(gap).backgroundImage")
    assert hatched.startswith("repeating-linear-gradient")
    # No gap has a bar, and what failed is drawn in another colour than what ended well.
    assert gaps.first.locator('[style*="height: 0%"]').count() == 4
    badly = strip.locator('[data-of="ends"] > :first-child:not([style*="height: 0%"])').first
    well = strip.locator('[data-of="ends"] > :last-child').first
    color = "(bar) => getComputedStyle(bar).backgroundColor"
    assert badly.evaluate(color) != well.evaluate(color)

    bar = box_in(badly, strip)
    point_at(strip, bar.left + bar.width / 2, bar.top + 1)
    with_codes = re.compile(r"ended, \d of them with an exit code other than 0: .*(SIGKILL|exit 1)")
    expect(strip).to_have_attribute("title", with_codes)
    assert violations(page) == []

    # Numbers tell which run, and not which have begun or ended: that is no fault of the search.
    page.goto(f"/?at={now}&s=cpu>50")
    settled(page)
    expect(page.get_by_role("img", name=re.compile(r"^Processes over time: \d+ to \d+; "))).to_be_visible(
        timeout=120_000
    )
    expect(page.get_by_role("search").get_by_role("alert")).to_have_count(0)


@pytest.mark.parametrize("size", [(390, 844), (820, 1180), (1440, 900)], ids=["phone", "tablet", "desktop"])
def test_what_ended_and_an_unfinished_search_can_be_read_by_all_at_any_size(page: Page, size: tuple[int, int]) -> None:
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.get_by_text("Seen in window", exact=True).click()
    expect(page.get_by_test_id("total")).to_have_text("300")
    settled(page)
    assert violations(page) == []

    page.get_by_text("Ended", exact=True).click()
    expect(page.get_by_test_id("total")).to_have_text("200")
    settled(page)
    assert violations(page) == []

    searched(page, "java (")
    expect(page.get_by_role("search").get_by_role("alert")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
    assert violations(page) == []
