"""The pictures of README and docs, of the real page. PROCESSION_SCREENSHOTS=1 writes them anew."""

from __future__ import annotations

import os
import time
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import application_key
from tests.browser.looking import Look, Server, sign_in
from tests.browser.pictured_containers import HOSTS, OPENED, container_id, payloads
from tests.browser.test_containers import API_KEY, post
from tests.support.running import clean_environment, eventually, running

IMAGES = Path(__file__).parents[2] / "docs" / "images"
DESKTOP, PHONE = (1440, 860), (390, 844)

PICTURES = {
    "table": ("at={end}", "light", DESKTOP),
    "search": ("at={end}&s=java cpu>5&tags=env:prod&sort=-rss_bytes", "dark", DESKTOP),
    "groups": ("at={end}&tab=groups&by=service", "light", DESKTOP),
    "graphs": ("from={begin}&to={end}&tab=graphs", "dark", DESKTOP),
    "scatter": ("at={end}&tab=scatter&by=command", "light", DESKTOP),
    "hosts": ("at={end}&tab=hosts", "light", DESKTOP),
    "phone": ("at={end}", "light", PHONE),
}
"""`begin`: when the first snapshots of all hosts were there."""
DRAWN = ("graphs", "scatter")
"""On a canvas."""


def written(folder: Path, name: str) -> Path:
    return (IMAGES if os.environ.get("PROCESSION_SCREENSHOTS") else folder) / f"{name}.png"


def wait_until_still(page: Page) -> None:
    """Until nothing is on its way that would change the picture, and with nothing under the pointer."""
    page.mouse.move(0, 0)
    page.wait_for_load_state("networkidle")
    expect(page.locator("[aria-busy=true]")).to_have_count(0, timeout=60_000)


@pytest.mark.parametrize("name", PICTURES)
def test_a_view_can_be_pictured(look: Look, browser: Browser, tmp_path: Path, name: str) -> None:
    address, scheme, (width, height) = PICTURES[name]
    with look.fresh(browser) as page:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.goto(look.url("?" + address.format(end=look.end, begin=look.end - 150)))
        look.sign_in(page)
        drawn = page.locator("main canvas") if name in DRAWN else page.locator("main [role=gridcell], main td")
        expect(drawn.first).to_be_visible(timeout=60_000)
        if width > PHONE[0]:
            expect(page.locator("aside input[type=checkbox]").first).to_be_visible(timeout=60_000)
        wait_until_still(page)

        picture = page.screenshot(path=written(tmp_path, name))

    assert picture.startswith(b"\x89PNG")


def test_a_process_can_be_pictured(look: Look, browser: Browser, tmp_path: Path) -> None:
    found = look.get("/processes", at=look.end, sort="-cpu_total_percent", **{"page[limit]": 1})
    process = quote(found["data"][0]["id"])
    with look.fresh(browser) as page:
        page.set_viewport_size({"width": DESKTOP[0], "height": DESKTOP[1]})
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page.goto(look.url(f"?at={look.end}&sort=-cpu_total_percent&p={process}"))
        look.sign_in(page)
        expect(page.get_by_role("dialog", name="Process").get_by_label("Command line")).to_be_visible(timeout=60_000)
        expect(page.locator("aside input[type=checkbox]").first).to_be_visible(timeout=60_000)
        wait_until_still(page)

        picture = page.screenshot(path=written(tmp_path, "process"))

    assert picture.startswith(b"\x89PNG")


def test_containers_can_be_pictured(page_built: None, browser: Browser, tmp_path: Path) -> None:
    end = int(time.time()) - 5
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(tmp_path / "data"), "--own-rate-limit", "0")
    with running("serve", *options, environment=clean_environment(DD_API_KEY=API_KEY)) as started:
        server = Server(started.line_with("Procession listens at").split()[-1], application_key(tmp_path / "data"))
        post(server.url, [*payloads(end)])
        eventually(lambda: len(server.get("/containers", at=end)["data"]) == 5 * len(HOSTS), what="all containers")
        context = browser.new_context(viewport={"width": DESKTOP[0], "height": DESKTOP[1]})
        page = context.new_page()
        page.emulate_media(color_scheme="light", reduced_motion="reduce")
        opened = f"x.container={container_id(OPENED)}&x.containerhost={HOSTS[0]}"
        page.goto(f"{server.url}/?at={end}&tab=containers&x.containersort=-cpu_throttled_percent&{opened}")
        sign_in(page, server)
        expect(page.get_by_role("region", name="Table of containers").get_by_role("row").nth(1)).to_be_visible()
        expect(page.get_by_role("figure", name="CPU of the container").locator("canvas")).to_be_visible()
        expect(page.locator("aside input[type=checkbox]").first).to_be_visible(timeout=60_000)
        wait_until_still(page)

        picture = page.screenshot(path=written(tmp_path, "containers"))
        context.close()

    assert picture.startswith(b"\x89PNG")
