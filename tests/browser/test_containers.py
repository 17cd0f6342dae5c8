"""The containers of the page: what they are and use, their processes, one over time, at any instant."""

from __future__ import annotations

import http.client
import re
import time
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from procession.agent.send.payload import Payload
from procession.agent.send.payload_maker import PayloadMaker
from procession.containers.container import Container, ContainerNumbers
from procession.wire.datadog import ContainerInfo
from tests.browser.conftest import application_key
from tests.browser.looking import Server, settled, sign_in
from tests.browser.test_reading_for_all import violations
from tests.support.builders import a_sighting, a_snapshot
from tests.support.running import clean_environment, eventually, running

API_KEY = "a" * 32
HOST = "web-1"
MINUTES = 20
GONE_SINCE = 8
"""Minutes: how long ago one of them went."""
SHOP, BATCH, OLD, EVIL = "5" * 64, "b" * 64, "0" * 64, "e" * 64
TRAP = "<img src=x onerror=trap(1)>\u202egpj"


def containers_at(now: int, minute: int) -> list[tuple[ContainerInfo, Container]]:
    """So many minutes ago."""

    def container(
        container_id: str, name: str, image: str, *tags: str, **numbers: float | None
    ) -> tuple[ContainerInfo, Container]:
        own = (f"container_id:{container_id}", f"container_name:{name}".lower(), *tags)
        info = ContainerInfo(container_id=container_id, runtime="docker", name=name, image=image, tags=own)
        known = ContainerNumbers(**numbers)  # type: ignore[arg-type]
        return info, Container(container_id=container_id, state="running", started_at=now - 7200, numbers=known)

    found = [
        container(
            SHOP,
            "shop",
            "registry/shop:1.2",
            "env:prod",
            cpu_total_percent=190.0 if minute == 0 else 100.0,
            cpu_limit_percent=200.0,
            cpu_throttled_percent=12.5,
            memory_usage_bytes=2**28,
            memory_limit_bytes=2**30,
            oom_kills=3,
        ),
        container(BATCH, "batch", "registry/batch:7", "env:test", cpu_total_percent=10.0, memory_usage_bytes=2**29),
        container(EVIL, TRAP, f"{TRAP}:1", f"env:{TRAP}", memory_usage_bytes=2**20),
    ]
    if minute > GONE_SINCE:
        found.append(container(OLD, "old", "registry/old:1", "env:prod", memory_usage_bytes=2**20))
    return found


@pytest.fixture(scope="module")
def now() -> int:
    """When all was told, and what all tests look at, however long they take. Unix seconds."""
    return int(time.time())


@pytest.fixture(scope="module")
def server(page_built: None, now: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With the containers of a host over some minutes, and two processes of one of them."""
    folder = tmp_path_factory.mktemp("containers")
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(folder), "--own-rate-limit", "0", "--sign-in-limit", "0")
    with running("serve", *options, environment=clean_environment(DD_API_KEY=API_KEY)) as started:
        url = started.line_with("Procession listens at").split()[-1]
        infos = {info.container_id: info for info, _ in containers_at(now, 0)}
        maker = PayloadMaker(host=HOST, run=1, started_at=now, containers=infos.__getitem__)
        processes = [a_sighting(pid, now - 60, command="shop", container_id=SHOP) for pid in (11, 12)]
        payloads = maker.make(a_snapshot(*processes, host=HOST, taken_at=now))
        for minute in reversed(range(MINUTES)):
            payloads += maker.make_containers(containers_at(now, minute), now - 60 * minute)
        post(url, payloads)
        found = Server(url, application_key(folder))
        eventually(lambda: found.get("/containers", at=now)["data"], what="the containers")
        yield found


def post(url: str, payloads: Sequence[Payload]) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    for payload in payloads:
        connection.request("POST", payload.path, payload.body, {**payload.headers, "DD-Api-Key": API_KEY})
        answer = connection.getresponse()
        assert answer.status in (200, 202), answer.read()
        answer.read()
    connection.close()


@pytest.fixture
def page(server: Server, now: int, browser: Browser) -> Iterator[Page]:
    """The tab, at the instant when all was told."""
    context = browser.new_context(viewport={"width": 1440, "height": 860}, base_url=server.url)
    page = context.new_page()
    page.add_init_script("window.sprung = []; window.trap = (which) => window.sprung.push(which);")
    page.goto(f"/?at={now}&tab=containers")
    sign_in(page, server)
    expect(page.get_by_role("region", name="Table of containers")).to_be_visible()
    yield page
    assert page.evaluate("window.sprung") == []
    context.close()


def names(page: Page) -> list[str]:
    return page.locator("tbody tr td:first-child").all_inner_texts()


def test_containers_are_listed_with_what_they_use_of_what_they_may(page: Page) -> None:
    row = page.get_by_role("row", name=re.compile("^shop "))

    for text in ("registry/shop:1.2", HOST, "running", "1.90 cores of 2 cores", "256 MiB of 1.0 GiB", "12.5%"):
        expect(row).to_contain_text(text)
    assert row.get_by_role("cell").all_inner_texts()[-2:] == ["3", "2"]
    expect(page.get_by_text("3 containers match")).to_be_visible()


def test_columns_sort_and_a_search_chooses(page: Page) -> None:
    page.get_by_role("button", name="Memory", exact=True).click()
    expect(page.get_by_role("columnheader", name="Memory")).to_have_attribute("aria-sort", "descending")
    expect(page.locator("tbody tr").first).to_contain_text("batch")

    search = page.get_by_role("combobox", name="Search processes")
    search.fill("registry env:prod")
    search.press("Enter")

    expect(page.get_by_text("1 container matches")).to_be_visible()
    assert names(page) == ["shop"]
    page.reload()
    expect(page.get_by_text("1 container matches")).to_be_visible()
    search.fill("nothing-like-it")
    search.press("Enter")
    expect(page.get_by_text("No container matches")).to_be_visible()


def test_a_container_leads_to_its_processes_and_back(page: Page) -> None:
    page.get_by_role("button", name="Show the processes of shop: 2").click()

    expect(page).to_have_url(re.compile(f"tags=container_id:{SHOP}"))
    settled(page)
    expect(page.get_by_test_id("total")).to_have_text("2")
    page.go_back()
    expect(page.get_by_role("region", name="Table of containers")).to_be_visible()


def test_a_container_over_time_is_a_link_and_can_be_closed(page: Page) -> None:
    page.get_by_role("button", name="shop", exact=True).click()
    over_time = page.get_by_role("region", name="Container over time")

    expect(over_time.get_by_role("figure", name="CPU of the container")).to_contain_text("Limit")
    page.reload()
    expect(over_time.get_by_role("heading")).to_have_text(f"shop on {HOST}")
    curve = over_time.get_by_role("img", name=re.compile("^CPU of the container over time"))
    expect(curve).to_have_accessible_name(re.compile("minimum 100.0%, maximum 190.0%"))
    over_time.get_by_role("button", name="Close").click()
    expect(over_time).to_have_count(0)
    assert "x.container" not in page.url


def test_another_instant_has_the_containers_of_then(page: Page, now: int) -> None:
    assert "old" not in names(page)

    page.goto(f"/?at={now - 60 * (GONE_SINCE + 2)}&tab=containers")
    expect(page.get_by_text("4 containers match")).to_be_visible()
    assert "old" in names(page)

    page.goto(f"/?at={now - 3600}&tab=containers")
    expect(page.get_by_text("No containers at this time")).to_be_visible()


def test_hostile_names_are_text(page: Page) -> None:
    row = page.get_by_role("row").filter(has_text="<img src=x")
    row.get_by_role("button").first.click()

    expect(page.get_by_role("region", name="Container over time").get_by_role("heading")).to_contain_text("<img src=x")
    assert page.locator("main img, main script").count() == 0
    assert "\u202e" not in page.locator("body").inner_text()


@pytest.mark.parametrize("more", ["", f"&x.container={SHOP}&x.containerhost={HOST}"], ids=["table", "over time"])
def test_all_can_read_it_in_both_themes_and_at_three_sizes(page: Page, now: int, more: str) -> None:
    page.goto(f"/?at={now}&tab=containers{more}")

    def is_there() -> None:
        expect(page.get_by_role("region", name="Table of containers")).to_be_visible()
        if more:
            expect(page.get_by_role("figure", name="CPU of the container")).to_be_visible()
        page.wait_for_load_state("networkidle")

    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        expect(page.locator(f'html[data-mantine-color-scheme="{scheme}"]')).to_be_attached()
        is_there()
        assert violations(page) == []
    for width, height in ((820, 1180), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        is_there()
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert violations(page) == []
