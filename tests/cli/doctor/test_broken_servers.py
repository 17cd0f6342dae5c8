"""Each thing that keeps a server from its work, really broken: the doctor finds it and says what to do."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from procession.cli import client
from procession.cli.doctor import server as of_server
from procession.config import ServerSettings
from procession.storage.folder_version import OURS, VERSION_FILE
from procession.storage.history.tables.migrations import NEWEST
from tests.cli.doctor.broken import doctor, without
from tests.support.lean import lean_procession
from tests.support.running import Running, clean_environment, running
from tests.support.small_disk import small_disk
from tests.support.stores.folders import quick_folder


def test_a_folder_that_is_open_on_a_disk_that_is_full_and_a_port_in_use_are_said(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", megabytes=4) as disk, socket.create_server(("127.0.0.1", 0)) as taken:
        disk.chmod(0o755)
        (disk / "keys").mkdir()
        (disk / "keys" / "admin-key").write_text("secret")
        (disk / "keys" / "admin-key").chmod(0o604)
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        limited = ("prlimit", "--nofile=4096:4096")

        found = doctor("server", "--data-dir", disk, "--listen", address, before=limited)

    key = disk / "keys" / "admin-key"
    assert found["data folder"] == f"bad: others may enter {disk}, mode 0755; chmod 0700 {disk}"
    assert found["disk"].endswith(
        f"are free for {disk}; make room, or keep less (--retention-hours, --sighting-retention-hours)"
    )
    assert found["secrets"] == f"bad: everybody may read {key}, mode 0604; chmod 0600 {key}, and make a new key"
    assert found["open files"].startswith("warning: at most 4,096, and ")
    assert "; raise the limit (LimitNOFILE=" in found["open files"]
    assert found["port"].startswith(f"bad: cannot listen on {address}: it is in use by process ")
    assert found["port"].endswith("; or stop what uses it")


def test_a_port_that_is_not_ours_to_take_is_said(tmp_path: Path) -> None:
    asked = ("server", "--data-dir", tmp_path, "--listen")

    low = doctor(*asked, "127.0.0.1:80", before=without("net_bind_service"))
    of_others = of_server.port("203.0.113.1:7171")

    assert low["port"].startswith("bad: cannot listen on 127.0.0.1:80: permission denied; choose another address")
    assert "cannot assign requested address" in of_others.found


def test_an_engine_that_is_not_installed_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    done = lean_procession(
        *("doctor", "server", "--data-dir", str(folder), "--listen", "127.0.0.1:0", "--json"),
        environment=clean_environment(),
        listed=tmp_path / "modules",
    )

    (engine,) = (one for one in json.loads(done.out) if one["subject"] == "engine")
    assert (done.code, engine["level"]) == (1, "bad")
    assert "`pip install 'procession[server]'`" in engine["found"]


def test_a_store_that_this_version_does_not_open_is_said(tmp_path: Path) -> None:
    assert of_server.store(tmp_path).line.endswith(f"there is none in {tmp_path} yet")

    (tmp_path / "clickhouse").mkdir()
    newer = msgspec.structs.replace(OURS, tables=NEWEST + 1)
    (tmp_path / VERSION_FILE).write_bytes(msgspec.json.encode(newer))
    assert of_server.store(tmp_path).line.endswith(
        f"a newer Procession wrote it (its tables are at {NEWEST + 1}, this one knows {NEWEST});"
        " start that version; see docs/upgrading.md"
    )

    (tmp_path / "restoring").touch()
    assert of_server.store(tmp_path).line.endswith(
        f"a restore into {tmp_path} was broken off; do it again with `procession restore`"
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with quick_folder(tmp_path_factory.mktemp("doctor")) as folder:
        yield folder


@pytest.fixture(scope="module")
def served(place: Path) -> Iterator[Running]:
    with running("serve", "--data-dir", str(place / "data"), "--listen", "127.0.0.1:0") as started:
        started.line_with("Procession listens at")
        yield started


def lines(settings: ServerSettings) -> dict[str, str]:
    return {finding.subject: finding.line for finding in of_server.server_findings(settings)}


def test_a_server_that_is_well_that_hangs_and_that_was_killed_are_told_apart(
    served: Running, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = ServerSettings(data_dir=str(place / "data"), listen="127.0.0.1:0")

    well = lines(settings)
    monkeypatch.setattr(client, "TIMEOUT_SECONDS", 0.3)
    served.process.send_signal(signal.SIGSTOP)
    hanging = lines(settings)
    served.kill()
    killed = lines(settings)

    bad = ("bad", "warning")
    assert [line for subject, line in well.items() if line.startswith(bad) and subject not in ("clock", "disk")] == []
    assert "port" not in well
    assert hanging["server"].startswith("bad      server         one runs on this folder, and cannot reach ")
    assert hanging["server"].endswith("; look at its log, and start it anew")
    assert "server" not in killed
    assert killed["port"].endswith("is free; no server runs on this folder")
