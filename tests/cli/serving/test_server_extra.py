from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from procession.cli.serving import server_extra
from procession.cli.serving.server_extra import Machine, require_engine, require_server
from procession.errors import UsageError


@pytest.mark.parametrize(
    ("system", "processor", "libc", "lacking"),
    [
        ("linux", "x86_64", "glibc 2.36", None),
        ("linux", "aarch64", "glibc 2.17", None),
        ("darwin", "arm64", "", None),
        ("linux", "x86_64", "", "a C library other than glibc, such as musl"),
        ("linux", "x86_64", "glibc 2.12", "glibc 2.12"),
        ("linux", "riscv64", "glibc 2.41", "the processor riscv64"),
        ("darwin", "x86_64", "", "the processor x86_64"),
        ("freebsd14", "amd64", "", "freebsd14"),
    ],
)
def test_the_engine_is_made_for_some_machines(system: str, processor: str, libc: str, lacking: str | None) -> None:
    assert Machine(system, processor, libc).lacks_engine_for == lacking


def test_this_machine_has_an_engine_since_these_tests_run_it() -> None:
    assert Machine.this().lacks_engine_for is None

    require_server()
    require_engine()


def test_where_there_is_no_engine_the_advice_is_another_machine_or_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_extra, "ENGINE_MODULE", "no_such_engine")

    with pytest.raises(UsageError) as error:
        require_engine(Machine("linux", "x86_64", ""))

    assert str(error.value) == (
        "this needs the engine, which is not installed here: its engine (chdb) is not made for a C library other than "
        "glibc, such as musl; use a Linux with glibc 2.17 or newer on x86_64 or aarch64, or install "
        "'procession[cluster]' and keep the data on ClickHouse servers (`procession serve --store https://...`)"
    )


def test_an_engine_that_cannot_be_loaded_is_one_line(tmp_path: Path) -> None:
    broken = 'raise ImportError("/lib/libc.so.6: version `GLIBC_2.99\' not found (required by _chdb.abi3.so)")\n'
    (tmp_path / "chdb.py").write_text(broken)

    done = subprocess.run(
        [sys.executable, "-m", "procession.cli", "serve", "--listen", "127.0.0.1:0", "--data-dir", str(tmp_path / "d")],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "procession: the engine (chdb) cannot be loaded: /lib/libc.so.6: ver"
    )
    assert "Traceback" not in done.stderr
