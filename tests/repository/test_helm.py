"""The charts of `deploy/helm`, by Helm itself: what they render, and what their docs say.

Nothing is installed here: there is no cluster where these tests run.
"""

from __future__ import annotations

import copy
import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from procession import __version__
from procession.cli.options import settings_of
from procession.config import AgentSettings, ServerSettings
from tests.repository.doc_commands import lines
from tests.repository.test_manifests import FOLDER as MANIFESTS
from tests.repository.test_manifests import VERSIONS
from tests.support.helm import CHARTS, helm_program
from tests.support.lean import ROOT

pytestmark = pytest.mark.timeout(1800)
"""The first of them may have to compile Helm."""

NAMES = ("procession", "procession-agent")
PAGE = (ROOT / "docs" / "kubernetes.md").read_text(encoding="utf-8")
URL = {"url": "https://procession.example.com:7171"}
INGRESS = {"allowedHosts": ["procession.example.com"]}
(CLUSTER,) = (yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
CASES = [
    ("procession", INGRESS, "embedded-server"),
    ("procession", CLUSTER, "server"),
    ("procession-agent", URL, "agent"),
]
HELMS_OWN = {
    "app.kubernetes.io/instance",
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/version",
    "helm.sh/chart",
    "helm.sh/hook",
    "helm.sh/hook-delete-policy",
}


@dataclass(frozen=True)
class Helm:
    program: Path
    home: Path

    def run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "KUBECONFIG": str(self.home / "none")}
        return subprocess.run([self.program, *arguments], env=environment, capture_output=True, text=True, timeout=60)

    def template(self, chart: str, values: dict[str, Any], release: str = "") -> subprocess.CompletedProcess[str]:
        file = self.home / "values.yaml"
        file.write_text(json.dumps(values))
        options = ("--namespace", "procession", "--kube-version", VERSIONS[0], "--values", file)
        return self.run("template", release or chart, CHARTS / chart, *options)

    def render(self, chart: str, values: dict[str, Any], release: str = "") -> list[dict[str, Any]]:
        done = self.template(chart, values, release)
        assert done.returncode == 0, done.stderr
        return [document for document in yaml.safe_load_all(done.stdout) if document]


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    if shutil.which("go") is None:
        pytest.skip("there is no Go here, which builds Helm")
    return Helm(helm_program(), tmp_path_factory.mktemp("helm"))


def without_helms_own(found: Any) -> Any:
    """Without the labels and annotations that only a release of Helm has."""
    if isinstance(found, list):
        return [without_helms_own(item) for item in found]
    if isinstance(found, dict):
        kept = {key: without_helms_own(value) for key, value in found.items() if key not in HELMS_OWN}
        return {key: value for key, value in kept.items() if (key, value) != ("annotations", {})}
    return found


def by_name(documents: list[dict[str, Any]]) -> dict[str, Any]:
    found = {f"{one['kind']} {one['metadata']['name']}": one for one in documents}
    assert len(found) == len(documents)
    return found


@pytest.mark.parametrize("name", NAMES)
def test_helm_lint_finds_nothing(helm: Helm, name: str) -> None:
    done = helm.run("lint", "--strict", "--kube-version", VERSIONS[0], CHARTS / name)

    assert done.returncode == 0, done.stdout
    assert "[WARNING]" not in done.stdout
    assert "[ERROR]" not in done.stdout


@pytest.mark.parametrize(("chart", "values", "manifest"), CASES, ids=[case[2] for case in CASES])
def test_a_chart_renders_what_the_manifest_says(helm: Helm, chart: str, values: dict[str, Any], manifest: str) -> None:
    rendered = by_name(helm.render(chart, values))

    written = by_name(list(yaml.safe_load_all((MANIFESTS / f"{manifest}.yaml").read_text())))
    assert without_helms_own(rendered) == written


INSTALLS = [line.text for line in lines() if line.text.startswith("helm install ")]


def test_each_line_of_helm_in_the_docs_can_be_rendered(helm: Helm) -> None:
    (helm.home / "values.yaml").write_text(yaml.safe_dump(CLUSTER))
    for line in INSTALLS:
        words = [str(helm.home / word) if word == "values.yaml" else word for word in shlex.split(line)[2:]]
        name, chart, *options = words
        done = helm.run("template", name, ROOT / chart, "--kube-version", VERSIONS[0], *options)
        assert done.returncode == 0, done.stderr
        assert "namespace: procession\n" in done.stdout

    assert {shlex.split(line)[3] for line in INSTALLS} == {f"deploy/helm/{name}" for name in NAMES}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("chart", "values", "manifest"), CASES, ids=[case[2] for case in CASES])
def test_what_a_chart_renders_fits_the_schema(
    helm: Helm, chart: str, values: dict[str, Any], manifest: str, version: str
) -> None:
    try:
        validate = importlib.import_module("kubernetes_validate").validate
    except ImportError:
        pytest.skip("the schemas, which are 100 MB, are installed by make lint")
    for document in helm.render(chart, values | all_further_values(chart)):
        validate(document, version, strict=True)


def all_further_values(chart: str) -> dict[str, Any]:
    """One for each that the defaults leave empty, so that what depends on it is rendered."""
    further: dict[str, Any] = {
        "image": {"repository": "registry.example.com/x", "tag": "1.2.3", "pullPolicy": "Always"},
        "imagePullSecrets": [{"name": "registry"}],
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []}},
        "tolerations": [{"key": "dedicated", "operator": "Exists"}],
    }
    if chart == "procession-agent":
        return further | {"settings": {"max-cpu": "2%"}, "unprivileged": True}
    return further | {
        "settings": {"rate-limit": 1000},
        "volume": {"size": "1Ti", "storageClass": "fast"},
        "replicas": 1,
    }


def variables(documents: list[dict[str, Any]], kind: str) -> dict[str, str]:
    (pod,) = (one["spec"]["template"]["spec"] for one in documents if one["kind"] == kind)
    return {item["name"]: item.get("value", "") for item in pod["containers"][0]["env"]}


def test_settings_are_given_as_the_program_reads_them(helm: Helm) -> None:
    settings = {"rate-limit": 1000, "max-live-bytes": 4294967296, "scrub-again": False, "log-format": "json"}
    networks = {"notification-networks": ["10.1.0.0/16", "10.2.0.0/16"]}

    found = variables(helm.render("procession", {"settings": settings | networks}), "StatefulSet")

    assert {"PROCESSION_RATE_LIMIT": "1000", "PROCESSION_MAX_LIVE_BYTES": "4294967296"}.items() <= found.items()
    assert {"PROCESSION_SCRUB_AGAIN": "false", "PROCESSION_LOG_FORMAT": "json"}.items() <= found.items()
    assert found["PROCESSION_NOTIFICATION_NETWORKS"] == "10.1.0.0/16,10.2.0.0/16"
    known = {name for cls in (AgentSettings, ServerSettings) for item in settings_of(cls) for name in item.variables}
    assert {name for name in found if name.startswith("PROCESSION_")} <= known


def test_two_releases_in_one_namespace_share_nothing(helm: Helm) -> None:
    one, other = (by_name(helm.render("procession-agent", URL, release)) for release in ("blue", "green"))

    assert not one.keys() & other.keys()
    left, right = (found[f"DaemonSet {name}"]["spec"] for found, name in ((one, "blue"), (other, "green")))
    assert left["selector"] != right["selector"]
    assert left["selector"]["matchLabels"].items() <= left["template"]["metadata"]["labels"].items()
    assert "path: /var/lib/blue" in yaml.safe_dump(left)


def test_an_agent_without_powers_is_not_root_and_can_read_its_key(helm: Helm) -> None:
    found = by_name(helm.render("procession-agent", URL | {"unprivileged": True}))
    pod = found["DaemonSet procession-agent"]["spec"]["template"]["spec"]
    security = pod["containers"][0]["securityContext"]

    assert (security["runAsNonRoot"], security["runAsUser"]) == (True, 7171)
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert pod["securityContext"] == {"fsGroup": 7171}
    (spool,) = (volume for volume in pod["volumes"] if volume["name"] == "spool")
    assert spool == {"name": "spool", "emptyDir": {}}


@pytest.mark.parametrize(
    ("chart", "values", "said"),
    [
        ("procession-agent", {}, "set url to the address of the server"),
        ("procession-agent", {"url": "procession.example.com"}, "url"),
        ("procession-agent", URL | {"settngs": {}}, "settngs"),
        ("procession", {"replicas": 0}, "replicas"),
        ("procession", {"settings": {"Rate_Limit": 1}}, "Rate_Limit"),
        ("procession", {"store": {"address": "https://me:secret@clickhouse:8443/procession"}}, "address"),
    ],
)
def test_a_wrong_value_is_an_error_that_names_it(helm: Helm, chart: str, values: dict[str, Any], said: str) -> None:
    done = helm.template(chart, values)

    assert done.returncode != 0
    assert said in done.stderr
    assert done.stdout == ""


def leaves(values: dict[str, Any], schema: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted name -> default. What the schema does not go into is one value."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        part = schema["properties"][name]
        if "properties" in part:
            found |= leaves(value, part, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def names_in(schema: dict[str, Any], prefix: str = "") -> set[str]:
    found: set[str] = set()
    for name, part in schema["properties"].items():
        found |= names_in(part, f"{prefix}{name}.") if "properties" in part else {f"{prefix}{name}"}
    return found


@pytest.mark.parametrize("name", NAMES)
def test_each_value_is_in_the_docs_and_in_the_schema(name: str) -> None:
    values = yaml.safe_load((CHARTS / name / "values.yaml").read_text())
    schema = json.loads((CHARTS / name / "values.schema.json").read_text())
    section = PAGE.partition(f"\n## Values of the chart `{name}`\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w.]+)` \| `(.*?)` \| \S.* \|$", section, re.MULTILINE)

    defaults = leaves(values, schema)

    assert {key: json.loads(default) for key, default in rows} == defaults
    assert len(rows) == len(defaults)
    # Helm gives that to every chart.
    assert names_in(schema) == defaults.keys() | {"global"}


@pytest.mark.parametrize("name", NAMES)
def test_each_value_changes_what_is_rendered(helm: Helm, name: str) -> None:
    given: dict[str, Any] = dict(URL) if name == "procession-agent" else {}
    values = yaml.safe_load((CHARTS / name / "values.yaml").read_text())
    schema = json.loads((CHARTS / name / "values.schema.json").read_text())
    others = {
        "replicas": 7, "servicePort": 8080, "behindProxy": False, "unprivileged": True, "maxUnavailable": 3,
        "settings": {"max-cpu": "1%"}, "image.pullPolicy": "Never", "url": "https://b.example.com",
        "store.address": "https://clickhouse.example.com/procession", "allowedHosts": ["b.example.com"],
        "imagePullSecrets": [{"name": "b"}], "tolerations": [{"key": "b"}],
    }  # fmt: skip

    unused = []
    for leaf, default in leaves(values, schema).items():
        with_store = leaf.startswith("store.secret") or leaf == "replicas"
        base = given | ({"store": {"address": CLUSTER["store"]["address"]}} if with_store else {})
        other = others.get(leaf, {"b": "c"} if isinstance(default, dict) else "other")
        changed = copy.deepcopy(base)
        place = changed
        *parents, last = leaf.split(".")
        for parent in parents:
            place = place.setdefault(parent, {})
        place[last] = other
        if helm.render(name, base) == helm.render(name, changed):
            unused.append(leaf)

    assert unused == []


@pytest.mark.parametrize("name", NAMES)
def test_the_chart_is_of_this_version(name: str) -> None:
    chart = yaml.safe_load((CHARTS / name / "Chart.yaml").read_text())

    assert (chart["name"], chart["version"], chart["appVersion"]) == (name, __version__, __version__)
