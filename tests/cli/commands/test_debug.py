"""A bundle has what helps to find a fault, and no secret: they are planted wherever one may be."""

from __future__ import annotations

import json
import stat
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from procession import __version__
from procession.cli.local.data_folder import LocalFiles
from procession.cli.local.debug_bundle import _forms, collect, secrets
from procession.config import ClientSettings
from procession.wire.datadog import MessageType, SnapshotEncoder, frame
from tests.support.builders import a_sighting, a_snapshot
from tests.support.running import PROCESSION, clean_environment, eventually, running

SECRETS = {
    name: f"{name.replace(' ', '')}-Zq7wLt93-hidden"
    for name in (
        "api key",
        "application key",
        "store password",
        "password file",
        "password in url",
        "key in configuration",
        "key file",
        "other variable",
        "command line",
        "named in command line",
        "environment of process",
        "wrong key",
        "key in query",
        "wrong link",
        "key in host",
    )
}
OURS = ("versions.json", "system.json", "settings.json", "variables.json", "problems.txt", "README.txt")
OF_SERVER = ("server.json", "store.json", "metrics.txt", "log.txt")


@dataclass(frozen=True)
class Made:
    """A bundle, taken apart."""

    path: Path
    files: dict[str, str]
    data_dir: Path
    local_keys: list[str]
    run: subprocess.CompletedProcess[str]


def planted(folder: Path) -> dict[str, str]:
    """Variables with secrets, and a configuration file with more of them."""
    (folder / "password").write_text(SECRETS["password file"] + "\n")
    (folder / "key").write_text(SECRETS["key file"])
    (folder / "config.toml").write_text(
        f'application-key = "{SECRETS["key in configuration"]}"\n'
        f'application-key-file = "{folder / "key"}"\n'
        f'url = ["https://reader:{SECRETS["password in url"]}@example.org"]\n'
        "rate-limit = 77\n"
    )
    return clean_environment(
        PROCESSION_CONFIG=str(folder / "config.toml"),
        DD_API_KEY=SECRETS["api key"],
        DD_APP_KEY=SECRETS["application key"],
        PROCESSION_STORE_PASSWORD=SECRETS["store password"],
        PROCESSION_STORE_PASSWORD_FILE=str(folder / "password"),
        AWS_SECRET_ACCESS_KEY=SECRETS["other variable"],
    )


def provoke(url: str) -> None:
    """Have the server see each secret that comes from outside."""
    key = {"dd-api-key": SECRETS["api key"]}
    odd = a_sighting(7, cmdline=f"run --odd {SECRETS['command line']}", user=SECRETS["environment of process"])
    named = a_sighting(8, cmdline=f"run --password={SECRETS['named in command line']}")
    body = frame.encode(MessageType.PROCESSES, SnapshotEncoder().encode(a_snapshot(odd, named, host="web-1"))[0])
    assert httpx.post(f"{url}/api/v1/collector", content=body, headers=key).status_code == 200
    for headers in ({"dd-api-key": SECRETS["wrong key"]}, {"x-dd-hostname": SECRETS["key in host"]}):
        query = {"api_key": SECRETS["key in query"]}
        assert httpx.post(f"{url}/api/v1/collector", params=query, headers=headers).status_code == 403
    for body_of in ({"application_key": SECRETS["wrong key"]}, {"link": SECRETS["wrong link"]}):
        assert httpx.post(f"{url}/api/procession/v1/session", json=body_of).status_code == 403


def make(data_dir: Path, path: Path, environment: dict[str, str]) -> Made:
    run = subprocess.run(
        [*PROCESSION, "debug", "bundle", "--data-dir", str(data_dir), "--output", str(path)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    files = {}
    if run.returncode == 0:
        with tarfile.open(path) as archive:
            for entry in archive.getmembers():
                content = archive.extractfile(entry)
                assert content is not None
                files[entry.name.removeprefix("procession-debug/")] = content.read().decode()
    keys = [path.read_text().strip() for path in (data_dir / "keys").glob("*")]
    return Made(path, files, data_dir, keys, run)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("debug")
    environment = planted(folder)
    data_dir = folder / "data"
    options = ("--listen", "127.0.0.1:0", "--data-dir", str(data_dir))
    with running("serve", *options, environment=environment) as server:
        url = server.line_with("listens at").split()[-1]
        provoke(url)
        eventually((data_dir / "flush.position").exists, what="a flush")
        yield make(data_dir, folder / "bundle.tar.gz", environment)


def test_no_secret_is_in_any_file(made: Made) -> None:
    assert made.run.returncode == 0, made.run.stderr
    assert len(made.local_keys) == 3
    text = "\n".join((*made.files, *made.files.values(), made.run.stdout, made.run.stderr))

    assert {name for name, secret in SECRETS.items() if secret in text} == set()
    assert not [key for key in made.local_keys if key in text]


def test_it_has_what_helps(made: Made) -> None:
    files = made.files
    assert set(files) == {*OURS, *OF_SERVER}

    server = json.loads(files["server.json"])
    assert (server["version"], server["settings"]["rate-limit"]) == (__version__, 77)
    assert server["settings"]["store-password"] == "********"
    assert {table["name"] for table in json.loads(files["store.json"])["tables"]} >= {
        "snapshots",
        "descriptions",
    }
    assert "procession_sightings_total 2" in files["metrics.txt"]
    assert "INFO procession.cli.serving.server_process: started Procession" in files["log.txt"]
    assert "refused a payload" in files["log.txt"]
    assert "did not sign in whoever tried from 127.0.0.1" in files["log.txt"]
    assert json.loads(files["versions.json"])["libraries"]["chdb-core"]
    system = json.loads(files["system.json"])
    assert system["disk_bytes"]["free"] > 0
    assert {"keys", "clickhouse", "lock"} <= system["files"].keys()
    assert files["problems.txt"] == ""


def test_settings_are_told_with_where_they_come_from(made: Made) -> None:
    given = json.loads(made.files["settings.json"])["given"]

    assert given["rate-limit"] == {"value": 77, "from": "configuration file"}
    assert given["store-password"] == {"value": "********", "from": "PROCESSION_STORE_PASSWORD"}
    assert given["api-key"] == {"value": "********", "from": "DD_API_KEY"}
    assert given["application-key"] == {"value": "********", "from": "DD_APP_KEY"}
    assert given["url"]["value"] == ["https://********@example.org"]
    assert {"DD_API_KEY", "PROCESSION_STORE_PASSWORD"} <= set(json.loads(made.files["variables.json"]))


def test_it_is_for_its_owner_only_and_replaces_nothing(made: Made, tmp_path: Path) -> None:
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600

    again = make(made.data_dir, made.path, clean_environment())

    assert (again.run.returncode, again.run.stderr) == (1, f"procession: cannot write {made.path}: file exists\n")


def test_a_secret_is_hidden_in_each_form_that_it_may_have(tmp_path: Path) -> None:
    odd = 'pass"word\\with / ключ'
    local = LocalFiles(tmp_path)
    environment = {"PROCESSION_API_KEY": odd, "SESSION_TOKEN": "tiny"}

    files = collect(ClientSettings(data_dir=str(tmp_path)), None, environment, 7)
    forms = {form for secret in secrets(local, {}, environment) for form in _forms(secret)}

    assert {odd, json.dumps(odd)[1:-1], quote(odd, safe="")} <= forms
    assert "tiny" not in forms
    assert json.loads(files["settings.json"])["given"]["api-key"]["value"] == "********"


def test_without_a_server_it_has_what_can_be_known(tmp_path: Path) -> None:
    environment = planted(tmp_path)
    found = make(tmp_path / "nothing", tmp_path / "bundle.tar.gz", environment)

    assert found.run.returncode == 0, found.run.stderr
    assert set(found.files) == set(OURS)
    assert "server: none runs on" in found.files["problems.txt"]
    text = "\n".join(found.files.values())
    assert {name for name, secret in SECRETS.items() if secret in text} == set()


def test_a_server_that_was_killed_is_named_as_the_problem(tmp_path: Path) -> None:
    (tmp_path / "data" / "keys").mkdir(parents=True)
    (tmp_path / "data" / "address").write_text("http://127.0.0.1:9\n")
    for kind in ("api", "application", "admin"):
        (tmp_path / "data" / "keys" / f"{kind}-key").write_text("k" * 32)

    found = make(tmp_path / "data", tmp_path / "bundle.tar.gz", clean_environment())

    assert set(found.files) == {*OURS, "log.txt"}
    assert "connection refused" in found.files["problems.txt"]
