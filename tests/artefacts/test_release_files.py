"""What lies beside the packages: what they are made of, and the hashes of it all."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from procession import __version__
from release import bill_of_materials, checksums
from tests.artefacts.conftest import MOMENT
from tests.support.lean import lean_packages
from tests.support.licences import page_packages, python_packages


def test_the_bill_of_materials_names_all_that_is_needed_and_all_that_is_in_the_page() -> None:
    bom = json.loads(bill_of_materials.bill_of_materials(MOMENT))

    found = {component["name"]: component for component in bom["components"]}
    assert bom["bomFormat"] == "CycloneDX"
    assert (bom["metadata"]["component"]["name"], bom["metadata"]["component"]["version"]) == (
        "procession",
        __version__,
    )
    assert set(found) == {package.name for package in (*python_packages(to_run=True), *page_packages())}
    assert {
        name for name, one in found.items() if one["purl"].startswith("pkg:pypi/") and one["scope"] == "required"
    } == (lean_packages() & set(found))
    assert found["chdb-core"]["scope"] == "optional"
    assert found["react"]["purl"].startswith("pkg:npm/react@")
    assert all(one["licenses"] for one in found.values())


def test_the_bill_of_materials_is_the_same_each_time() -> None:
    assert bill_of_materials.bill_of_materials(MOMENT) == bill_of_materials.bill_of_materials(MOMENT)


def test_the_file_of_hashes_is_one_that_sha256sum_checks(tmp_path: Path) -> None:
    (tmp_path / "a.whl").write_bytes(b"one")
    (tmp_path / "b.tar.gz").write_bytes(b"another")
    checksums.write(tmp_path)

    def check() -> int:
        command = ["sha256sum", "--check", "--strict", checksums.NAME]
        return subprocess.run(command, cwd=tmp_path, capture_output=True).returncode

    assert check() == 0
    (tmp_path / "a.whl").write_bytes(b"two")
    assert check() == 1


@pytest.mark.parametrize("name", ["", "README.md"])
def test_a_file_of_hashes_lists_every_file_but_itself(tmp_path: Path, name: str) -> None:
    if name:
        (tmp_path / name).write_text("x")

    checksums.write(tmp_path)
    again = checksums.write(tmp_path).read_text()

    assert [line.split()[1] for line in again.splitlines()] == ([name] if name else [])
