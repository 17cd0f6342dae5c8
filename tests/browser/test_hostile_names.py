"""Names, command lines, users, tags and hosts that try to be more than text."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from procession.agent.send.payload_maker import PayloadMaker
from procession.process import ProcessNumbers
from tests.browser.conftest import application_key
from tests.browser.looking import Look, Server
from tests.support.builders import a_sighting, a_snapshot
from tests.support.running import clean_environment, eventually, running

API_KEY = "a" * 32
HOST = 'web-"><img src=x onerror=trap(1)>'
TRAPS = {
    "script": "<script>trap(2)</script>",
    "attribute": "\" onmouseover='trap(3)' autofocus onfocus=trap(3) x=\"",
    "image": "<img src=x onerror=trap(4)>",
    "link": "javascript:trap(5)",
    "template": "{{constructor.constructor('trap(6)')()}} ${trap(6)}",
    "terminal": "\x1b]0;owned\x07\x1b[2Jrm -rf /",
    "direction": "photo\u202egpj.exe",
    "vector": "</div></style><svg/onload=trap(7)>",
    "long": "<b>" + "x" * 1_000_000,
}


@pytest.fixture(scope="module")
def hostile(page_built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("hostile")
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(folder), "--own-rate-limit", "0", "--sign-in-limit", "0")
    with running("serve", *options, environment=clean_environment(DD_API_KEY=API_KEY)) as started:
        url = started.line_with("Procession listens at").split()[-1]
        now = int(time.time())
        sightings = [
            a_sighting(
                number,
                now - 60,
                ProcessNumbers(cpu_total_percent=float(number), rss_bytes=number * 2**20, state="S"),
                cmdline=trap,
                exe=f"/{trap[:200]}",
                comm=trap[:15],
                command=trap[:100],
                cwd=f"/{trap[:200]}",
                user=trap[:100],
                tags=(f"env:{trap[:100]}".lower(), f"{trap[:50]}:x".lower()),
            )
            for number, trap in enumerate(TRAPS.values(), start=10)
        ]
        maker = PayloadMaker(host=HOST, run=1, started_at=now)
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
        for payload in maker.make(a_snapshot(*sightings, host=HOST, taken_at=now)):
            headers = {**payload.headers, "DD-Api-Key": API_KEY}
            headers = {name: value for name, value in headers.items() if name.lower() != "x-dd-hostname"}
            connection.request("POST", "/api/v1/collector", payload.body, headers | {"X-Dd-Hostname": "web"})
            answer = connection.getresponse()
            assert answer.status == 200, answer.read()
            answer.read()
        connection.close()
        server = Server(url, application_key(folder))
        eventually(lambda: server.get("/hosts")["data"], what="the host")
        yield server


@pytest.fixture(scope="module")
def at(hostile: Server) -> int:
    """The instant that all tests look at, however long they take. Unix seconds."""
    return int(hostile.get("/hosts")["meta"]["at"])


@pytest.fixture
def page(look: Look, hostile: Server, at: int, browser: Browser) -> Iterator[Page]:
    with look.fresh(browser) as page:
        page.add_init_script("window.sprung = []; window.trap = (which) => window.sprung.push(which);")
        page.on("dialog", lambda dialog: pytest.fail(f"a dialog: {dialog.message}"))
        page.goto(f"{hostile.url}/?at={at}")
        look.sign_in(page, hostile)
        look.settled(page)
        yield page
        assert page.evaluate("window.sprung") == []
        assert page.title() != "owned"


def test_the_table_and_facets_show_them_as_text(look: Look, page: Page) -> None:
    grid = page.get_by_role("grid")
    for name in ("script", "image", "link", "template"):
        expect(grid.get_by_text(TRAPS[name]).first).to_be_visible()
    expect(grid.get_by_text("gpj.exe").first).to_be_visible()
    assert look.total(page) == len(TRAPS)
    assert grid.locator("img, svg[onload], script").count() == 0
    # Nothing turns the direction of what comes after it, or moves a terminal that it is pasted to.
    shown = page.locator("body").inner_text()
    assert "\u202e" not in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize("name", TRAPS)
def test_the_panel_of_each_shows_it_as_text(look: Look, page: Page, hostile: Server, at: int, name: str) -> None:
    data = hostile.get("/processes", at=at)["data"]
    pid = 10 + list(TRAPS).index(name)
    process = next(item for item in data if item["attributes"]["pid"] == pid)

    page.goto(f"{page.url}&p={quote(process['id'])}")

    panel = page.get_by_role("dialog", name="Process")
    expect(panel).to_be_visible()
    expect(panel.get_by_text(str(pid)).first).to_be_visible()
    assert panel.locator("img, script").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("tab", ["Hosts", "Groups", "Graphs", "Scatter", "Compare"])
def test_other_views_show_them_as_text(page: Page, tab: str) -> None:
    page.get_by_role("tab", name=tab).click()

    expect(page.get_by_role("tabpanel").last).to_be_visible()
    expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
    page.wait_for_load_state("networkidle")
    assert page.locator("main img, main script").count() == 0


def test_a_search_for_one_finds_it_and_stays_text(look: Look, page: Page) -> None:
    search = page.get_by_role("combobox", name="Search processes")
    search.fill(f'"{TRAPS["image"]}"')
    search.press("Enter")

    expect(page.get_by_test_id("total")).to_have_text("1")
    expect(page.get_by_role("grid").get_by_text(TRAPS["image"]).first).to_be_visible()
    page.reload()
    expect(search).to_have_value(f'"{TRAPS["image"]}"')


def test_hostile_addresses_are_text_too(page: Page, hostile: Server, tmp_path: Path) -> None:
    for text in TRAPS.values():
        some = quote(text[:2000])
        page.goto(f"{hostile.url}/?s={some}&q={some}&tags={some}&sort={some}&by={some}&p={some}&columns={some}")
        expect(page.get_by_role("combobox", name="Search processes")).to_be_visible()
