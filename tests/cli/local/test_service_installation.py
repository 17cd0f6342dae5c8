from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from procession.cli.local import service_installation
from procession.cli.local.service_installation import CAPABILITIES, ENVIRONMENT_FILE, UNIT_FILE, Installation
from procession.errors import UsageError
from tests.support.running import PROCESSION, clean_environment

KEY = "k" * 32
GIVEN = ("--url", "https://one.example.org", "--api-key", KEY)


def procession(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROCESSION, "agent", *arguments],
        env=clean_environment(**variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def below(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_install_writes_a_unit_for_all_and_the_key_for_nobody_else(tmp_path: Path) -> None:
    done = procession("install", *GIVEN, "--root", str(tmp_path))

    unit, environment = below(tmp_path, UNIT_FILE), below(tmp_path, ENVIRONMENT_FILE)
    assert done.returncode == 0, done.stderr
    assert f"wrote {unit}\nwrote {environment}\n" in done.stdout
    assert (mode(unit), mode(environment)) == (0o644, 0o600)
    assert f"EnvironmentFile={ENVIRONMENT_FILE}" in unit.read_text()
    assert KEY not in unit.read_text() + done.stdout
    assert environment.read_text().splitlines()[1:] == [
        f'PROCESSION_API_KEY="{KEY}"',
        'PROCESSION_CONFIG="/dev/null"',  # as the variables of the tests say
        'PROCESSION_SPOOL="false"',
        'PROCESSION_URL="https://one.example.org"',
    ]


def test_install_again_changes_only_what_has_changed_and_uninstall_takes_all_away(tmp_path: Path) -> None:
    root = ("--root", str(tmp_path))
    procession("install", *GIVEN, *root)
    environment = below(tmp_path, ENVIRONMENT_FILE)
    environment.chmod(0o644)

    again = procession("install", *GIVEN, *root)
    assert f"{below(tmp_path, UNIT_FILE)} is as it should be\nwrote {environment}\n" in again.stdout
    assert mode(environment) == 0o600
    assert procession("install", *GIVEN, *root).stdout.count("is as it should be") == 2

    assert procession("uninstall", *root).stdout.count("removed ") == 2
    gone = procession("uninstall", *root)
    assert (gone.returncode, gone.stdout.count("is not there")) == (0, 2)
    assert [path for path in tmp_path.rglob("*") if not path.is_dir()] == []


def test_only_what_was_given_becomes_a_setting_of_the_service(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("first-key\n")
    (tmp_path / "two").write_text("second-key\n")
    config = tmp_path / "procession.toml"
    config.write_text("interval-seconds = 5\n")

    done = procession(
        *("install", "--url", "https://one", "--url", "https://two", "--root", str(tmp_path), "--config", str(config)),
        *("--api-key-file", str(tmp_path / "one"), "--api-key-file", str(tmp_path / "two"), "--no-scrub-urls"),
        *("--exclude-patterns", "a{1,3}", "--exclude-patterns", "b"),
        DD_HOSTNAME='we"b$1',
    )

    assert done.returncode == 0, done.stderr
    assert below(tmp_path, ENVIRONMENT_FILE).read_text().splitlines()[1:] == [
        'PROCESSION_API_KEY="first-key,second-key"',
        f'PROCESSION_CONFIG="{config}"',
        *('PROCESSION_EXCLUDE_PATTERNS="a{1,3}', "b", '"'),
        'PROCESSION_HOSTNAME="we\\"b\\$1"',
        'PROCESSION_SCRUB_URLS="false"',
        'PROCESSION_SPOOL="false"',
        'PROCESSION_URL="https://one,https://two"',
    ]


def test_print_shows_everything_but_the_key_and_writes_nothing() -> None:
    done = procession("install", *GIVEN, "--print")

    assert done.returncode == 0, done.stderr
    assert "[Service]" in done.stdout
    assert 'PROCESSION_API_KEY="********"' in done.stdout
    assert KEY not in done.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--url", "https://one"), "there is no API key"),
        (("--url", "nonsense", "--api-key", KEY), "is no URL of a server"),
        ((*GIVEN, "--spool-dir", "/data"), "--spool-dir: the service keeps what waits in /var/lib/procession-agent"),
        ((*GIVEN, "--root", "/proc/nowhere"), "cannot write /proc/nowhere/etc/systemd/system/procession-agent.service"),
        ((*GIVEN, "--print", "--hostname", "a\tb"), "PROCESSION_HOSTNAME holds what no line of"),
    ],
)
def test_what_cannot_be_installed_is_said_in_one_line(arguments: tuple[str, ...], complaint: str) -> None:
    done = procession("install", *arguments)

    assert done.returncode == 1
    assert complaint in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert KEY not in done.stderr


def test_without_systemd_it_says_what_to_do_instead() -> None:
    if Path("/run/systemd/system").exists():
        return  # there it would do it
    for command in (("install", *GIVEN), ("uninstall",)):
        done = procession(*command)

        assert done.returncode == 1
        assert "this machine does not run systemd; have `procession agent` started by" in done.stderr


def test_systemctl_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "systemctl"
    fake.write_text("#!/bin/sh\necho >&2 'Failed to enable unit:  no'\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")

    with pytest.raises(UsageError, match=r"`systemctl enable x` failed: Failed to enable unit: no$"):
        service_installation.systemctl(["enable", "x"])


def test_words_with_odd_characters_stay_one_word_in_the_unit() -> None:
    unit = Installation({}, command=("/opt/my programs/python", "-m", "50%", "$HOME")).unit

    assert 'ExecStart="/opt/my programs/python" -m 50%% $$HOME\n' in unit


@pytest.mark.parametrize(
    ("places", "line"),
    [((Path("/opt/x"),), "ProtectHome=yes"), ((Path("/opt/x"), Path("/home/a/x")), "ProtectHome=read-only")],
)
def test_homes_are_closed_unless_the_program_is_in_one(places: tuple[Path, ...], line: str) -> None:
    assert line in Installation({}, places=places).unit.splitlines()


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze")
    path = tmp_path / UNIT_FILE.name
    path.write_text(Installation({}).unit)
    return path


@pytest.mark.may_skip
def test_systemd_finds_nothing_wrong_with_the_unit(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(unit)], capture_output=True, text=True, check=False, timeout=60
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.may_skip
def test_systemd_finds_the_service_little_exposed(unit: Path) -> None:
    """On its scale from 0 to 10; a service that says nothing has 9.6."""
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=30", "--no-pager", str(unit)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stdout + done.stderr


def a_nobody_with(*capabilities: str) -> Callable[[str], subprocess.CompletedProcess[str]]:
    """Runs `procession agent ...` as a user without any right but these."""
    names = ",".join(["-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in capabilities)])

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [
                *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"),
                *(f"--inh-caps={names}", f"--ambient-caps={names}", f"--bounding-set={names}"),
                *PROCESSION, "agent", *arguments,
            ],
            env=clean_environment(), capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip

    return run


@pytest.mark.may_skip
def test_the_capabilities_of_the_unit_let_a_nobody_see_what_root_sees() -> None:
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        pytest.skip("takes root and setpriv")

    said = a_nobody_with(*CAPABILITIES.split())("check").stdout
    shown = {line[:17].strip(): line[18:] for line in said.splitlines()}

    for name in ("executables", "reads and writes", "open files"):
        seen, living = (int(word) for word in shown[name].partition(";")[0].split() if word.isdigit())
        # One that has just begun or is about to end has nothing to show, to root either.
        assert living - seen <= 3 + living // 20, shown[name]
    assert shown["between snapshots"] == "seen, with their start, end and exit code"


def test_the_service_starts_this_very_program() -> None:
    command = Installation({}).command

    done = subprocess.run([*command, "--help"], env=clean_environment(), capture_output=True, text=True, check=True)

    assert command[0] == sys.executable
    assert "procession agent install" in done.stdout
