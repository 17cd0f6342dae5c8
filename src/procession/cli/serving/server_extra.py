"""What of the package is an extra: the server and its embedded engine. Who lacks them is told what to install."""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import sys
from dataclasses import dataclass

import click

from procession.errors import UsageError

SERVER_MODULES = (
    "argon2",
    "authlib",
    "clickhouse_connect",
    "httptools",
    "joserfc",
    "numpy",
    "pyarrow",
    "rich",
    "starlette",
    "uvloop",
)
"""What the extra `cluster` brings."""
ENGINE_MODULE = "chdb"
"""What the extra `server` brings besides."""

ENGINE_PROCESSORS = ("x86_64", "aarch64", "arm64")
OLDEST_GLIBC = (2, 17)
_ELSEWHERE = (
    "use a Linux with glibc 2.17 or newer on x86_64 or aarch64, or install 'procession[cluster]' and keep the data on "
    "ClickHouse servers (`procession serve --store https://...`)"
)


@dataclass(frozen=True)
class Machine:
    """What decides whether there is an engine for it."""

    system: str
    processor: str
    libc: str
    """As `glibc 2.36`; empty where it is another one."""

    @classmethod
    def this(cls) -> Machine:
        try:
            libc = os.confstr("CS_GNU_LIBC_VERSION") or ""
        except (ValueError, OSError):
            libc = ""
        return cls(sys.platform, platform.machine(), libc)

    @property
    def lacks_engine_for(self) -> str | None:
        """What there is no engine for; None where there is one."""
        if self.system not in ("linux", "darwin"):
            return self.system
        if self.processor not in ENGINE_PROCESSORS or (self.system, self.processor) == ("darwin", "x86_64"):
            return f"the processor {self.processor}"
        if self.system == "darwin":
            return None
        name, _, version = self.libc.partition(" ")
        if name != "glibc":
            return "a C library other than glibc, such as musl"
        return self.libc if _numbers(version) < OLDEST_GLIBC else None


def require_server(machine: Machine | None = None) -> None:
    """Raises UsageError where the server is not installed, in words for who has just called a command."""
    if not all(map(_is_installed, SERVER_MODULES)):
        raise UsageError(f"{_command()} needs the server, which is not installed here: {_advice(machine)}")


def require_engine(machine: Machine | None = None) -> None:
    """Raises UsageError where a folder cannot be opened, since there is no engine or it cannot be loaded."""
    require_server(machine)
    if not _is_installed(ENGINE_MODULE):
        raise UsageError(f"{_command()} needs the engine, which is not installed here: {_advice(machine)}")
    try:
        importlib.import_module(ENGINE_MODULE)
    except ImportError as error:
        raise UsageError(f"the engine (chdb) cannot be loaded: {error}; {_ELSEWHERE}") from None


def _advice(machine: Machine | None) -> str:
    lacking = (machine or Machine.this()).lacks_engine_for
    if lacking is None:
        return "`pip install 'procession[server]'`"
    return f"its engine (chdb) is not made for {lacking}; {_ELSEWHERE}"


def _command() -> str:
    context = click.get_current_context(silent=True)
    return f"`{context.command_path}`" if context else "this"


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ImportError:
        return False


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())
