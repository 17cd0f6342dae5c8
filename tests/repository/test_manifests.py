"""The manifests of `deploy/kubernetes`, held against the schemas of Kubernetes."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
import yaml

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSIONS = ("1.30", "1.34", "1.37")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_manifest_fits_the_schema(path: Path, version: str) -> None:
    try:
        validate = importlib.import_module("kubernetes_validate").validate
    except ImportError:
        pytest.skip("the schemas, which are 100 MB, are installed by make lint")
    for document in yaml.safe_load_all(path.read_text()):
        validate(document, version, strict=True)
