"""The rules for Prometheus: they are valid, come of the numbers they should, and name metrics that a server has."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from procession.server.runtime.metrics import Metrics

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "prometheus"
RULES = FOLDER / "procession.rules.yml"


@pytest.mark.parametrize("arguments", [("check", "rules", RULES.name), ("test", "rules", "procession.rules.test.yml")])
def test_promtool_finds_nothing(arguments: tuple[str, ...]) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("promtool comes with Debian's prometheus")

    done = subprocess.run(["promtool", *arguments], cwd=FOLDER, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


def rules() -> list[dict[str, str]]:
    (group,) = yaml.safe_load(RULES.read_text())["groups"]
    return list(group["rules"])


def test_the_rules_name_metrics_that_there_are() -> None:
    exposed = set(re.findall(r"^# TYPE (\S+)", Metrics().render(), re.MULTILINE))
    named = {name for rule in rules() for name in re.findall(r"\bprocession_\w+", rule["expr"])}

    assert named
    assert named <= exposed


def test_each_alert_is_tried_and_has_its_place_in_the_docs() -> None:
    tried = (FOLDER / "procession.rules.test.yml").read_text()
    page = (ROOT / "docs" / "operating.md").read_text()

    for rule in rules():
        assert f"alertname: {rule['alert']}" in tried
        assert f"| `{rule['alert']}` |" in page
