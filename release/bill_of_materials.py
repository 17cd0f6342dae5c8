"""What the package is made of and needs, as CycloneDX: each with its version, licence and place in a registry."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import DisjunctiveLicense, License, LicenseExpression
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL

from procession import __version__
from tests.support.lean import lean_packages
from tests.support.licences import Package, page_packages, python_packages

SCHEMA = SchemaVersion.V1_6
_OURS = uuid.UUID("6f2d6c0e-7a53-4e57-9d59-7d5f9d6b6a11")
"""Under which the serial numbers are made: the same content has the same."""


def bill_of_materials(at: int) -> str:
    """JSON, the same for the same lock files and moment. Raises ValueError where it does not fit the schema."""
    bom = Bom(components=_components())
    bom.metadata.timestamp = datetime.fromtimestamp(at, UTC)
    bom.metadata.component = Component(
        name="procession",
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref="procession",
        purl=PackageURL("pypi", None, "procession", __version__),
        licenses=[DisjunctiveLicense(id="Apache-2.0")],
    )
    bom.register_dependency(bom.metadata.component, bom.components)
    content = "\n".join(sorted(str(component.purl) for component in bom.components))
    bom.serial_number = uuid.uuid5(_OURS, f"{__version__}\n{at}\n{content}")
    text = str(make_outputter(bom, OutputFormat.JSON, SCHEMA).output_as_string(indent=2)) + "\n"
    from cyclonedx.validation.json import JsonStrictValidator  # compiles grammars for a second

    if error := JsonStrictValidator(SCHEMA).validate_str(text):
        raise ValueError(f"the bill of materials does not fit its schema: {error}")
    return text


def write(folder: Path, at: int) -> Path:
    path = folder / f"procession-{__version__}.cdx.json"
    path.write_text(bill_of_materials(at), encoding="utf-8")
    return path


def _components() -> Iterator[Component]:
    lean = lean_packages()
    for package in python_packages(to_run=True):
        is_always = package.name in lean
        yield from _versions("pypi", package, ComponentScope.REQUIRED if is_always else ComponentScope.OPTIONAL)
    # Parts of these are in the wheel itself.
    for package in page_packages():
        yield from _versions("npm", package, ComponentScope.REQUIRED)


def _versions(registry: str, package: Package, scope: ComponentScope) -> Iterator[Component]:
    namespace, _, name = package.name.rpartition("/")
    for version in package.version.split(" or "):
        purl = PackageURL(registry, namespace or None, name, version)
        yield Component(
            name=package.name,
            version=version,
            type=ComponentType.LIBRARY,
            scope=scope,
            bom_ref=str(purl),
            purl=purl,
            licenses=[_licence(package.licence)],
        )


def _licence(text: str) -> License:
    if " OR " in text or " AND " in text:
        return LicenseExpression(text)
    # "BSD" alone is what a package says of itself, and no id.
    return DisjunctiveLicense(name=text) if text == "BSD" else DisjunctiveLicense(id=text)
