"""What is installed is said exactly, and where from is everyone's own affair."""

from __future__ import annotations

import json
import re
import tomllib

from tests.conformance.clients import HERE

CRATES_IO = "registry+https://github.com/rust-lang/crates.io-index"
"""Cargo's name for its registry, whatever it is reached by: no address that anything is downloaded from."""


def test_the_lock_of_npm_names_hashes_and_no_addresses() -> None:
    packages = json.loads((HERE / "typescript" / "package-lock.json").read_text())["packages"]
    installed = {name: entry for name, entry in packages.items() if name}

    assert [name for name, entry in installed.items() if "resolved" in entry] == []
    assert [name for name, entry in installed.items() if not entry["integrity"].startswith("sha512-")] == []


def test_the_lock_of_cargo_names_hashes_and_no_mirror() -> None:
    packages = tomllib.loads((HERE / "rust" / "Cargo.lock").read_text())["package"]
    installed = [package for package in packages if package["name"] != "procession-conformance"]

    assert {package["source"] for package in installed} == {CRATES_IO}
    assert all(re.fullmatch(r"[0-9a-f]{64}", package["checksum"]) for package in installed)


def test_the_versions_of_maven_are_exact_and_it_is_told_no_repository() -> None:
    pom = (HERE / "java" / "pom.xml").read_text()

    assert "epositor" not in pom
    assert all(re.fullmatch(r"[0-9.]+", version) for version in re.findall("<version>(.*)</version>", pom))


def test_every_module_of_go_has_its_hash() -> None:
    required = re.findall(r"^\s*(?:require )?(\S+/\S+) (v\S+)", (HERE / "go" / "go.mod").read_text(), re.MULTILINE)
    sums = (HERE / "go" / "go.sum").read_text()

    assert required
    assert [name for name, version in required if f"{name} {version}/go.mod h1:" not in sums] == []
