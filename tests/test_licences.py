from __future__ import annotations

from tests.support.licences import ALLOWED, PAGE, page, page_packages, python_packages


def test_the_page_lists_what_is_locked() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "`make licences` writes it anew"


def test_every_licence_is_one_that_may_be_handed_on_with_ours() -> None:
    packages = [*python_packages(to_run=True), *python_packages(to_run=False), *page_packages()]

    assert {package.name: package.licence for package in packages if not package.licences <= ALLOWED} == {}
    assert {"chdb-core", "click", "react"} <= {package.name for package in packages}
    assert "hatchling" not in {package.name for package in python_packages(to_run=True)}
