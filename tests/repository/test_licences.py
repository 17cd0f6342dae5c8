from __future__ import annotations

import json

from tests.support.licences import ALLOWED, PAGE, ROOT, page, page_packages, python_packages


def test_the_page_lists_what_is_locked() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "`make licences` writes it anew"


def test_every_licence_is_one_that_may_be_handed_on_with_ours() -> None:
    packages = [*python_packages(to_run=True), *python_packages(to_run=False), *page_packages()]

    assert {package.name: package.licence for package in packages if not package.licences <= ALLOWED} == {}
    assert {"chdb-core", "click", "react"} <= {package.name for package in packages}
    assert "hatchling" not in {package.name for package in python_packages(to_run=True)}


def test_the_lock_of_the_page_names_hashes_and_no_addresses() -> None:
    packages = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    installed = {name: entry for name, entry in packages.items() if name and not entry.get("inBundle")}

    assert len(installed) > 100
    assert [name for name, entry in installed.items() if "resolved" in entry] == []
    assert [name for name, entry in installed.items() if not entry["integrity"].startswith("sha512-")] == []
