"""What is in `deploy/`, the Dockerfile and the docs beside them fit the program and each other.

None of it is run here: there is no cluster and no Docker where these tests run.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from procession import __version__
from procession.agent.send.payload import Payload
from procession.agent.send.spool import Spool
from procession.cli.local.service_installation import CAPABILITIES
from procession.cli.options import settings_of
from procession.config import AgentSettings, ServerSettings
from tests.support.running import up

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "deploy" / "kubernetes" / "agent.yaml"
DOCKERFILE = (ROOT / "Dockerfile").read_text()

VARIABLES = {name for cls in (AgentSettings, ServerSettings) for item in settings_of(cls) for name in item.variables}


def documents() -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(MANIFEST.read_text()))


def pod() -> dict[str, Any]:
    (daemon_set,) = [document for document in documents() if document["kind"] == "DaemonSet"]
    return dict(daemon_set["spec"]["template"]["spec"])


def container() -> dict[str, Any]:
    (only,) = pod()["containers"]
    return dict(only)


def test_labels_and_names_of_the_manifest_belong_together() -> None:
    account, daemon_set = documents()
    template = daemon_set["spec"]["template"]

    assert daemon_set["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    assert template["spec"]["serviceAccountName"] == account["metadata"]["name"]
    assert account["metadata"]["namespace"] == daemon_set["metadata"]["namespace"]
    mounts = {mount["name"] for mount in container()["volumeMounts"]}
    assert mounts == {volume["name"] for volume in pod()["volumes"]}


def test_the_pod_sees_the_node_and_may_do_nothing_to_it() -> None:
    security = container()["securityContext"]

    assert pod()["hostPID"] is True
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["privileged"] is False
    assert security["capabilities"]["drop"] == ["ALL"]
    assert {f"CAP_{name}" for name in security["capabilities"]["add"]} == set(CAPABILITIES.split())
    writable = [mount["mountPath"] for mount in container()["volumeMounts"] if not mount.get("readOnly")]
    assert writable == ["/var/lib/procession-agent"]
    assert {"requests", "limits"} <= set(container()["resources"])


def test_the_settings_of_the_manifest_exist_and_lead_to_what_is_mounted() -> None:
    variables = {item["name"]: item.get("value") for item in container()["env"]}
    mounts = [mount["mountPath"] for mount in container()["volumeMounts"]]

    assert set(variables) <= VARIABLES
    for name in ("PROCESSION_PROC_ROOT", "PROCESSION_SPOOL_DIR", "PROCESSION_API_KEY_FILE"):
        assert any(Path(str(variables[name])).is_relative_to(mount) for mount in mounts), name
    # Found beside the other /proc.
    assert str(Path(str(variables["PROCESSION_PROC_ROOT"])).parent / "etc" / "passwd") in mounts
    (secret,) = [volume["secret"] for volume in pod()["volumes"] if "secret" in volume]
    assert Path(str(variables["PROCESSION_API_KEY_FILE"])).name == secret["items"][0]["path"]
    assert secret["defaultMode"] & 0o077 == 0


def test_no_secret_is_in_the_manifest() -> None:
    assert not any(document["kind"] == "Secret" for document in documents())
    assert "PROCESSION_API_KEY\n" not in MANIFEST.read_text()


def test_the_image_is_of_this_version() -> None:
    assert container()["image"] == f"procession-agent:{__version__}"
    for name in ("procession", "procession-agent"):
        assert f" -t {name}:{__version__} ." in DOCKERFILE


def stages() -> dict[str, str]:
    """Name of each stage -> its steps."""
    parts = re.split(r"^FROM \S+ AS (\S+)$", DOCKERFILE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("name", ["agent", "server"])
def test_an_image_runs_as_nobody_special_and_writes_only_into_its_volume(name: str) -> None:
    steps = stages()[name]
    (volume,) = re.findall(r'^VOLUME \["(.*)"\]$', steps, re.MULTILINE)
    folders = re.findall(r"(PROCESSION_\w+_DIR)=(\S+)", steps)

    assert re.findall(r"^USER (\S+)$", steps, re.MULTILINE) == ["procession"]
    assert [folder for _, folder in folders] == [volume]
    assert "PYTHONDONTWRITEBYTECODE=1" in steps
    assert f"--owner procession --group procession {volume}" in steps
    assert f"COPY --from=build-{name} " in steps


def test_the_image_of_the_agent_has_no_engine_and_both_are_locked() -> None:
    assert "--requirement requirements-agent.lock" in stages()["build-agent"]
    assert "requirements.lock" not in stages()["build-agent"]
    installs = [line for line in DOCKERFILE.splitlines() if "pip install" in line]
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)


def health_check(name: str) -> list[str]:
    (command,) = re.findall(r"^    CMD (\[.*\])$", stages()[name], re.MULTILINE)
    found: list[str] = json.loads(command)
    return found


def test_the_image_of_the_agent_is_well_as_long_as_it_keeps_snapshots(tmp_path: Path) -> None:
    _, option, program = health_check("agent")
    here = program.replace("/var/lib/procession-agent", str(tmp_path))

    def is_well() -> bool:
        return subprocess.run([sys.executable, option, here], stderr=subprocess.DEVNULL).returncode == 0

    assert not is_well()
    spool = Spool(tmp_path / "server")
    spool.write([Payload(b"body", {}, "/api/v1/collector")])
    assert is_well()
    os.utime(spool.folder, times=(time.time() - 301,) * 2)
    assert not is_well()
    # An agent that sends all that it sees touches it as well.
    spool.remove(spool.write([Payload(b"body", {}, "/api/v1/collector")]))
    assert is_well()
    spool.close()


def test_the_pod_of_the_agent_is_ready_when_its_image_is_well() -> None:
    probe = [word.strip() for word in container()["readinessProbe"]["exec"]["command"]]

    assert probe == health_check("agent")
    assert "livenessProbe" not in container()


def test_the_image_of_the_server_is_asked_by_the_address_that_the_server_leaves(tmp_path: Path) -> None:
    _, option, program = health_check("server")
    with up(tmp_path) as (_, url):
        here = program.replace("/var/lib/procession", str(tmp_path))
        assert subprocess.run([sys.executable, option, here]).returncode == 0

        (tmp_path / "address").write_text(url.rpartition(":")[0] + ":1\n")
        assert subprocess.run([sys.executable, option, here], stderr=subprocess.DEVNULL).returncode != 0


def test_the_dockerfile_copies_what_there_is_and_what_is_not_ignored() -> None:
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = [
        word
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for word in shlex.split(line)[:-1]
    ]

    assert copied
    assert {word.removeprefix("./") for word in copied} == allowed
    assert all((ROOT / word).exists() for word in copied)


def test_the_settings_of_the_dockerfile_exist() -> None:
    named = set(re.findall(r"\b(PROCESSION_[A-Z_]+)=", DOCKERFILE))

    assert named
    assert named <= VARIABLES
