from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import pytest

from procession.agent.read.discovery.languages import (
    CompiledLanguages,
    compiled_language,
    interpreted_language,
    number_of,
)

GO = struct.pack("<III", 4, 8, 4) + b"Go\0\0" + b"buildid!"
GNU = struct.pack("<III", 4, 4, 3) + b"GNU\0" + b"1234"


def elf(notes: bytes) -> bytes:
    """A program with one header, for notes."""
    head = b"\x7fELF\x02\x01\x01".ljust(16, b"\0")
    head += struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    return head + struct.pack("<IIQQQQQQ", 4, 4, 120, 0, 0, len(notes), len(notes), 4) + notes


@pytest.mark.parametrize(
    ("exe", "comm", "language"),
    [
        ("/usr/bin/python3.11", "gunicorn", "python"),
        ("/usr/lib/jvm/bin/java", "java", "java"),
        ("/opt/node/bin/node", "MainThread", "node"),
        ("/usr/bin/ruby3.1 (deleted)", "puma", "ruby"),
        ("/usr/sbin/php-fpm8.2", "php-fpm8.2", "php"),
        ("/usr/bin/dotnet", "dotnet", "dotnet"),
        ("", "python3", "python"),
        ("/usr/bin/nginx", "python3", ""),
        ("/usr/bin/javascript", "node-exporter", ""),
        ("", "", ""),
    ],
)
def test_an_interpreter_tells_the_language_of_what_it_runs(exe: str, comm: str, language: str) -> None:
    assert interpreted_language(exe, comm) == language


@pytest.mark.parametrize(
    ("data", "language"),
    [
        (elf(GO), "go"),
        (elf(GNU + GO), "go"),
        (elf(GNU), ""),
        (elf(GO)[:130], ""),
        (elf(GO)[:60], ""),
        (b"\x7fELF\x02\x01" + b"\xff" * 200, ""),
        (b"#!/bin/sh\n", ""),
        (b"", ""),
    ],
)
def test_a_program_of_go_has_the_note_of_its_linker(tmp_path: Path, data: bytes, language: str) -> None:
    path = tmp_path / "program"
    path.write_bytes(data)

    assert compiled_language(str(path)) == language


def test_a_program_that_is_not_there_has_no_language(tmp_path: Path) -> None:
    assert compiled_language(str(tmp_path / "none")) == ""


def test_programs_are_looked_at_by_others_and_known_soon_after(tmp_path: Path) -> None:
    for pid, notes in ((7, GO), (8, GNU)):
        (tmp_path / str(pid)).mkdir()
        (tmp_path / str(pid) / "exe").write_bytes(elf(notes))
    languages = CompiledLanguages(str(tmp_path))
    numbers = [number_of(7, 500), number_of(8, 500)]

    languages.ask(numbers, 0.0)

    deadline = time.monotonic() + 60
    while not languages.get(numbers[0]) and time.monotonic() < deadline:
        os.sched_yield()
    assert [languages.get(number) for number in numbers] == ["go", ""]
