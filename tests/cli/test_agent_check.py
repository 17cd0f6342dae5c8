from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Command
from tests.support.agents.proc_tree import ProcTree


def test_check_fails_where_no_process_can_be_read(procession: Command, tmp_path: Path) -> None:
    tree = ProcTree(tmp_path / "proc")
    (tree.put(7) / "stat").unlink()

    result = procession("agent", "check", "--proc-root", str(tree.root))

    assert result.code == 1
    assert f"none of the 1 processes in {tree.root} can be read" in result.err
    assert any(line.startswith("processes         0 in") for line in result.lines)


def test_check_takes_what_another_kernel_leaves_out_for_no_fault(procession: Command, tmp_path: Path) -> None:
    tree = ProcTree(tmp_path / "proc")
    (tree.put(7) / "status").write_text("Name:\tweb\nTgid:\t7\nPid:\t7\n")
    (tree.root / "stat").write_text("cpu  1 2 3 4\n")

    result = procession("agent", "check", "--proc-root", str(tree.root))

    assert result.code == 0
    assert any(line.startswith("processes         1 in") for line in result.lines)
