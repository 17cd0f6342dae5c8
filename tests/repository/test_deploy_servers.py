"""What starts servers on a cluster fits the program, and its parts fit each other. None of it is run here."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import yaml

from procession import __version__
from procession.cli import COMMANDS
from procession.cli.options import settings_of
from procession.cli.serving.server_process import MORE_SECONDS_TO_STOP
from procession.config import ServerSettings
from procession.storage.history.engine.address import ServerAddress, parse_address
from procession.storage.history.engine.connection import QUERY_SETTINGS

DEPLOY = Path(__file__).parents[2] / "deploy"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SCALING = (DEPLOY.parent / "docs" / "scaling.md").read_text()
MANIFEST: list[dict[str, Any]] = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "server.yaml").read_text()))
EMBEDDED: list[dict[str, Any]] = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "embedded-server.yaml").read_text()))
VARIABLES = {name for item in settings_of(ServerSettings) for name in item.variables} | {"DD_API_KEY", "DD_APP_KEY"}


def addresses() -> list[ServerAddress]:
    texts = [COMPOSE["services"][name]["environment"]["PROCESSION_STORE"] for name in ("procession-1", "store-init")]
    texts += [item["value"] for pod in pods() for item in container(pod)["env"] if item["name"] == "PROCESSION_STORE"]
    found = [parse_address(text) for text in texts]
    assert all(isinstance(one, ServerAddress) for one in found)
    return [one for one in found if isinstance(one, ServerAddress)]


def pods() -> list[dict[str, Any]]:
    return [one["spec"]["template"]["spec"] for one in MANIFEST if one["kind"] in ("Job", "Deployment")]


def container(pod: dict[str, Any]) -> dict[str, Any]:
    (only,) = pod["containers"]
    return dict(only)


def test_all_servers_are_given_a_store_on_a_cluster_and_no_password_in_its_address() -> None:
    assert len(addresses()) == 4
    assert {(one.cluster, one.database, one.password) for one in addresses()} == {("fleet", "procession", "")}


def test_the_cluster_is_the_same_for_the_services_the_address_and_the_configuration() -> None:
    tree = ElementTree.parse(DEPLOY / "clickhouse" / "cluster.xml")  # noqa: S314 — our own file
    shards = tree.findall("remote_servers/fleet/shard")
    hosts = [host.text for shard in shards for host in shard.iter("host")]

    assert [shard.findtext("internal_replication") for shard in shards] == ["true", "true"]
    assert hosts == [name for name, _ in addresses()[0].hosts]
    assert set(hosts) <= set(COMPOSE["services"])
    macros = [COMPOSE["services"][host]["environment"] for host in hosts]
    assert [(one["SHARD"], one["REPLICA"]) for one in macros] == [("01", "1"), ("01", "2"), ("02", "1"), ("02", "2")]
    assert {macro.tag for macro in tree.findall("macros/*")} == {"shard", "replica"}
    keeper = ElementTree.parse(DEPLOY / "clickhouse" / "keeper.xml")  # noqa: S314
    assert tree.findtext("zookeeper/node/port") == keeper.findtext("keeper_server/tcp_port")
    assert tree.findtext("zookeeper/node/host") in COMPOSE["services"]


def test_what_services_need_is_there() -> None:
    for name, service in COMPOSE["services"].items():
        assert set(service.get("depends_on", ())) <= set(COMPOSE["services"]), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (DEPLOY / source).is_file(), volume
    upstream = re.findall(r"server (\S+):7171", (DEPLOY / "nginx.conf").read_text())
    assert upstream == ["procession-1", "procession-2"]
    assert set(upstream) <= set(COMPOSE["services"])


def test_commands_and_settings_exist_and_images_are_of_this_version() -> None:
    ours = [one for one in COMPOSE["services"].values() if one["image"].startswith("procession:")]
    for service in ours:
        assert service["command"][0] in COMMANDS
        assert set(service["environment"]) <= VARIABLES
    for pod in pods():
        assert container(pod)["args"][0] in COMMANDS
        assert {item["name"] for item in container(pod)["env"]} <= VARIABLES
    images = [one["image"] for one in ours] + [container(pod)["image"] for pod in pods()]
    assert set(images) == {f"procession:{__version__}"}


def test_pods_may_do_little_and_mount_what_they_have() -> None:
    for pod in pods():
        security = container(pod)["securityContext"]
        assert security["runAsNonRoot"] is True
        assert security["readOnlyRootFilesystem"] is True
        assert security["capabilities"]["drop"] == ["ALL"]
        mounts = {mount["name"]: mount["mountPath"] for mount in container(pod)["volumeMounts"]}
        assert set(mounts) == {volume["name"] for volume in pod["volumes"]}
        variables = {item["name"]: item.get("value", "") for item in container(pod)["env"]}
        assert variables["PROCESSION_STORE_PASSWORD_FILE"].startswith(mounts["store"])


def test_labels_and_probes_belong_together() -> None:
    by_kind = {one["kind"]: one for one in MANIFEST}
    labels = by_kind["Deployment"]["spec"]["template"]["metadata"]["labels"]

    assert by_kind["Deployment"]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert by_kind["Service"]["spec"]["selector"].items() <= labels.items()
    assert by_kind["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"].items() <= labels.items()
    only = container(by_kind["Deployment"]["spec"]["template"]["spec"])
    assert only["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert only["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert not any(one["kind"] == "Secret" for one in MANIFEST)


def test_the_tests_reach_each_server_of_the_cluster_at_the_port_that_the_page_names() -> None:
    services = yaml.safe_load((DEPLOY / "compose.test.yaml").read_text())["services"]
    ports = [port for service in services.values() for port in service["ports"]]
    (named,) = re.findall(r"PROCESSION_TEST_CLICKHOUSE=.(http://\S+)\?cluster=(\w+)", SCALING)

    assert list(services) == [name for name, _ in addresses()[0].hosts]
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:8123", port) for port in ports)
    assert [port.rsplit(":", 1)[0] for port in ports] == named[0].partition("@")[2].rstrip("/").split(",")
    assert named[1] == "fleet"


def test_a_server_has_time_for_the_longest_query_before_it_is_killed() -> None:
    longest = int(QUERY_SETTINGS["max_execution_time"])

    service = COMPOSE["services"]["procession-1"]
    assert int(service["environment"]["PROCESSION_STOP_SECONDS"]) >= longest
    assert int(service["stop_grace_period"].removesuffix("s")) > longest + MORE_SECONDS_TO_STOP
    (pod,) = (one["spec"]["template"]["spec"] for one in MANIFEST if one["kind"] == "Deployment")
    variables = {item["name"]: item.get("value", "") for item in container(pod)["env"]}
    _, seconds_before = container(pod)["lifecycle"]["preStop"]["exec"]["command"]
    stop_seconds = int(variables["PROCESSION_STOP_SECONDS"])
    assert stop_seconds >= longest
    assert pod["terminationGracePeriodSeconds"] > int(seconds_before) + stop_seconds + MORE_SECONDS_TO_STOP


def embedded_pod() -> dict[str, Any]:
    (spec,) = (one["spec"] for one in EMBEDDED if one["kind"] == "StatefulSet")
    assert spec["replicas"] == 1
    return dict(spec["template"]["spec"])


def test_the_embedded_store_is_in_the_volume_and_nobody_elses() -> None:
    (spec,) = (one["spec"] for one in EMBEDDED if one["kind"] == "StatefulSet")
    only = container(embedded_pod())
    variables = {item["name"]: item.get("value", "") for item in only["env"]}
    mounts = {mount["name"]: mount["mountPath"] for mount in only["volumeMounts"]}

    assert set(variables) <= VARIABLES
    assert [claim["metadata"]["name"] for claim in spec["volumeClaimTemplates"]] == ["data"]
    # The volume itself belongs to root, and its group may write there.
    assert Path(variables["PROCESSION_DATA_DIR"]).parent == Path(mounts["data"])
    assert embedded_pod()["securityContext"]["fsGroup"] == only["securityContext"]["runAsGroup"]
    assert set(mounts) == {"data", *(volume["name"] for volume in embedded_pod()["volumes"])}


def test_the_embedded_server_is_as_the_others_but_for_its_store() -> None:
    (pod,) = (one["spec"]["template"]["spec"] for one in MANIFEST if one["kind"] == "Deployment")
    one, other = container(embedded_pod()), container(pod)

    for part in ("name", "image", "args", "ports", "livenessProbe", "readinessProbe", "lifecycle", "securityContext"):
        assert one[part] == other[part], part
    variables = {item["name"]: item for item in one["env"]}
    others = {item["name"]: item for item in other["env"]}
    assert variables.keys() - others.keys() == {"PROCESSION_DATA_DIR"}
    assert others.keys() - variables.keys() == {"PROCESSION_STORE", "PROCESSION_STORE_PASSWORD_FILE"}
    assert all(variables[name] == others[name] for name in variables.keys() & others.keys())
    services = [[part for part in manifest if part["kind"] == "Service"] for manifest in (EMBEDDED, MANIFEST)]
    assert services[0] == services[1]
