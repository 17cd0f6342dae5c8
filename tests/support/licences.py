"""`make licences`: which licences come with what a user installs, from the lock files into `docs/licences.md`."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.metadata import metadata, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "licences.md"

ALLOWED = frozenset(
    (
        "0BSD",
        "Apache-2.0",
        "BSD",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "CC0-1.0",
        "ISC",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "PSF-2.0",
        "Zlib",
    )
)
"""All of them let a program under Apache-2.0 be handed on together with what is under them."""

_NAMES = {
    "MIT License": "MIT",
    "Apache Software License": "Apache-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD License": "BSD",
}
_IN_PAGE = "Built into the package, from `web/package-lock.json`; their texts are in `licences.md` there."
_LOCKED = re.compile(r"^([a-z0-9.-]+)==(\S+)", re.MULTILINE)

_BEGINNING = """# Licences

Procession is under the [Apache License 2.0](../LICENSE). What it needs comes under these. The list is made from the
lock files by `make licences`, and a test holds it to them.
"""


@dataclass(frozen=True, order=True)
class Package:
    name: str
    version: str
    licence: str

    @property
    def row(self) -> str:
        return f"| {self.name} | {self.version} | {self.licence} |"

    @property
    def licences(self) -> set[str]:
        return set(re.split(r" (?:AND|OR) ", self.licence.strip("()")))


def python_packages(*, to_run: bool) -> list[Package]:
    """Those that a server and an agent run on, or those that only build the package."""
    versions: dict[str, list[str]] = {}
    for name, version in _LOCKED.findall((ROOT / "requirements.lock").read_text(encoding="utf-8")):
        versions.setdefault(name, []).append(version)
    running = _needed_to_run(versions.keys())
    return [
        Package(name, " or ".join(found), _licence(name))
        for name, found in sorted(versions.items())
        if (name in running) is to_run
    ]


def page_packages() -> list[Package]:
    """Those of which the page is made, and parts of which are in the package therefore."""
    lock = json.loads((ROOT / "web" / "package-lock.json").read_text(encoding="utf-8"))
    return sorted(
        Package(path.rpartition("node_modules/")[2], found["version"], found["license"].strip("()"))
        for path, found in lock["packages"].items()
        if path and not found.get("dev") and not found.get("optional")
    )


def page() -> str:
    return "\n".join(
        (
            _BEGINNING,
            *_section("To run", "In Python, from `requirements.lock`.", python_packages(to_run=True)),
            *_section("In the page", _IN_PAGE, page_packages()),
            *_section("To build", "Only where the package is built from its sources.", python_packages(to_run=False)),
        )
    )


def _section(title: str, about: str, packages: list[Package]) -> Iterator[str]:
    yield from (f"## {title}", "", about, "", "| package | version | licence |", "| --- | --- | --- |")
    yield from (package.row for package in packages)
    yield ""


def _needed_to_run(locked: Collection[str]) -> set[str]:
    """By the dependencies of the project, and theirs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [text for texts in project["optional-dependencies"].values() for text in texts]
    ours = canonicalize_name(project["name"])
    wanted = [Requirement(text) for text in [*project["dependencies"], *extras]]
    wanted = [need for need in wanted if canonicalize_name(need.name) != ours]
    found: set[str] = set()
    while wanted:
        name = canonicalize_name(wanted.pop().name)
        if name not in found:
            found.add(name)
            # Whatever Python and machine it is for, but not what only an extra needs.
            needs = [Requirement(text) for text in requires(name) or ()] if name in locked else []
            wanted += [need for need in needs if "extra ==" not in str(need.marker)]
    return found


def _licence(name: str) -> str:
    found = metadata(name)
    if expressions := found.get_all("License-Expression"):
        return str(expressions[0])
    classifiers = found.get_all("Classifier") or ()
    classified = [text.rpartition(" :: ")[2] for text in classifiers if text.startswith("License")]
    names = classified or found.get_all("License") or ["unknown"]
    return " OR ".join(_NAMES.get(text, text) for text in names)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
