"""Each thing that keeps an agent from its work, really broken: the doctor finds it and says what to do."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from procession.cli.doctor import machine
from tests.cli.conftest import RunningServer
from tests.cli.doctor.broken import doctor, without
from tests.support.running import eventually
from tests.support.served import API_KEY
from tests.support.small_disk import small_disk

HIDDEN = (
    "unshare", "--mount", "--net", "sh", "-ec", 'mount -t proc -o hidepid=invisible proc /proc; exec "$@"', "sh",
)  # fmt: skip
"""Where one sees only one's own processes, in a network of its own."""


@pytest.fixture
def _may_unshare() -> None:
    tried = subprocess.run([*HIDDEN, "true"], capture_output=True, text=True)
    if tried.returncode:
        pytest.skip(f"needs root: {tried.stderr.strip()}")


@pytest.mark.usefixtures("_may_unshare")
def test_what_is_hidden_from_an_agent_is_said_with_the_right_that_it_lacks(
    server: RunningServer, tmp_path: Path
) -> None:
    asked = ("agent", "--url", server.url, "--api-key", API_KEY, "--spool-dir", tmp_path / "spool")

    found = doctor(*asked, before=(*HIDDEN, *without("sys_ptrace", "dac_read_search", "net_admin")))

    assert found["hidepid"] == (
        "bad: /proc is mounted with hidepid=invisible: this user sees only its own processes;"
        " give the agent CAP_SYS_PTRACE, or the group that the mount's gid= names"
    )
    assert found["rights"] == (
        "warning: without CAP_DAC_READ_SEARCH and CAP_SYS_PTRACE, paths, files and I/O of other users' processes stay"
        " unknown; run it as `procession agent install` or the package does"
    )
    assert found["netlink"].startswith("warning: no process connector: ")
    assert found["netlink"].endswith("; it takes CAP_NET_ADMIN or Linux 6.6, in the network namespace of the host")
    assert found["server"].startswith(f"bad: cannot reach {server.url}: ")
    assert found["server"].endswith("; start it, or mend the address")

    seen = doctor(*asked, before=HIDDEN)
    assert seen["hidepid"].startswith("good: /proc is mounted with hidepid=invisible, which does not hold for ")
    assert seen["rights"].startswith("good: ")


def test_a_spool_that_cannot_be_used_is_said(server: RunningServer, tmp_path: Path) -> None:
    asked = ("agent", "--url", server.url, "--api-key-file", tmp_path / "none")
    with small_disk(tmp_path / "disk", megabytes=4) as disk:
        disk.chmod(0o700)
        os.chown(disk, 65534, 65534)

        found = doctor(*asked, "--spool-dir", disk, before=without("dac_override", "dac_read_search"))
        (of_another,) = machine.folder_rights("spool", disk, "")

    assert found["spool"] == f"bad: {disk} may not be written by this user; run this as its owner, uid 65534"
    assert found["disk"].startswith("bad: ")
    assert found["disk"].endswith(f"are free for {disk}; make room, or name a folder elsewhere with --spool-dir")
    assert found["key"] == (
        f"bad: {tmp_path / 'none'} cannot be read: no such file or directory;"
        " name the file that holds the key, or mend its mode"
    )
    assert of_another.line.endswith(f"{disk} is of uid 65534; run this as the user of the service")


def test_a_clock_that_is_an_hour_ahead_is_said(server: RunningServer, tmp_path: Path) -> None:
    asked = ("agent", "--url", server.url, "--api-key", API_KEY, "--spool-dir", tmp_path)

    found = doctor(*asked, before=("faketime", "-f", "+1h"))

    assert found["server clock"].startswith("bad: it is 3")
    assert found["server clock"].endswith(f" s ahead of {server.url}; set the clocks of both by NTP")


def test_a_server_that_is_another_program_is_said(tmp_path: Path) -> None:
    asked = ("agent", "--api-key", API_KEY, "--spool-dir", tmp_path, "--url")
    log = tmp_path / "log"
    with log.open("w") as said:
        program = ("python3", "-u", "-m", "http.server", "0", "--bind", "127.0.0.1")
        other = subprocess.Popen(program, cwd=tmp_path, stdout=said, stderr=subprocess.STDOUT)
    try:
        line = eventually(log.read_text, what="its first line")
        url = f"http://127.0.0.1:{line.split(' port ')[1].split()[0]}"
        found = doctor(*asked, url)
        mistaken = doctor(*asked, url.replace("http", "https"))
    finally:
        other.kill()
        other.wait()

    assert found["server"].startswith(f"bad: what answers at {url} is not Procession")
    assert mistaken["server"].startswith("bad: what answers at ")
    assert f"speaks http; name it as {url}" in mistaken["server"]


def test_a_key_that_everybody_may_read_or_that_was_made_up_is_said(server: RunningServer, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("0" * 32)
    key.chmod(0o644)

    found = doctor("agent", "--url", server.url, "--api-key-file", key, "--spool-dir", tmp_path / "spool")

    assert found["key"] == f"bad: everybody may read {key}, mode 0644; chmod 0600 {key}, and make a new key"
    assert found["server key"].startswith(f"bad: {server.url} refuses it: ")
    assert found["server key"].endswith("; `procession keys create api` on the server makes another")
    assert found["spool"].startswith("warning: there is no ")
