"""The agent as a service of systemd: its unit, and the file with its settings and its key."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from procession.cli.local.service_units import unit_text
from procession.cli.options import settings_of
from procession.config import AgentSettings
from procession.errors import UsageError

SERVICE = "procession-agent.service"
UNIT_FILE = Path("/etc/systemd/system") / SERVICE
ENVIRONMENT_FILE = Path("/etc/procession/agent.env")
STATE = "procession-agent"

_HOMES = (Path("/home"), Path("/root"), Path("/run/user"))

CAPABILITIES = "CAP_SYS_PTRACE CAP_DAC_READ_SEARCH CAP_NET_ADMIN"


@dataclass(frozen=True)
class Installation:
    """What an installed agent consists of."""

    settings: Mapping[str, str]
    """Variable -> value, with the key."""
    command: tuple[str, ...] = (sys.executable, "-P", "-m", "procession.cli", "agent")
    places: tuple[Path, ...] = field(default_factory=lambda: _places())
    """Where the program is."""

    @property
    def unit(self) -> str:
        return unit_text(
            SERVICE,
            command=" ".join(map(_unit_word, self.command)),
            environment=ENVIRONMENT_FILE,
            origin="Written by `procession agent install`.",
            home="read-only" if self.is_in_a_home else "yes",
        )

    @property
    def environment(self) -> str:
        lines = [f"{name}={_environment_word(name, value)}" for name, value in sorted(self.settings.items())]
        return "\n".join(["# The agent's settings; the API key is a secret. Read by systemd, as root.", *lines, ""])

    @property
    def is_in_a_home(self) -> bool:
        return any(place.is_relative_to(home) for place in self.places for home in _HOMES)

    def files(self) -> dict[Path, str]:
        return {UNIT_FILE: self.unit, ENVIRONMENT_FILE: self.environment}

    def write(self, root: Path) -> Iterator[str]:
        """Below this root. Gives lines for a person. Raises UsageError."""
        yield _write(root, UNIT_FILE, self.unit, 0o644)
        yield _write(root, ENVIRONMENT_FILE, self.environment, 0o600)


def environment_for(settings: AgentSettings, given: set[str], keys: list[str]) -> dict[str, str]:
    """The variables of a service that is to have the given settings."""
    variables = {}
    for setting in settings_of(AgentSettings):
        name = setting.field.name
        if name in given and name not in ("api_key", "api_key_file"):
            variables[setting.variables[0]] = setting.as_variable(getattr(settings, name))
    if given & {"api_key", "api_key_file"}:
        variables["PROCESSION_API_KEY"] = ",".join(keys)
    return variables


def remove(root: Path) -> Iterator[str]:
    for path in (UNIT_FILE, ENVIRONMENT_FILE):
        place = _below(root, path)
        try:
            place.unlink()
        except FileNotFoundError:
            yield f"{place} is not there"
        except OSError as error:
            raise UsageError(_cannot("remove", place, error)) from None
        else:
            yield f"removed {place}"


def check_systemd() -> None:
    """Raises UsageError where no systemd runs."""
    if not Path("/run/systemd/system").is_dir() or shutil.which("systemctl") is None:
        raise UsageError(
            "this machine does not run systemd; have `procession agent` started by what it runs instead, or write the "
            "files elsewhere with --root DIR, or show them with --print"
        )


def systemctl(arguments: list[str]) -> None:
    """Raises UsageError with what systemctl says."""
    done = subprocess.run(["systemctl", *arguments], capture_output=True, text=True, check=False)  # noqa: S603, S607
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split()) or f"it ended with {done.returncode}"
        raise UsageError(f"`systemctl {' '.join(arguments)}` failed: {said}")


def _places() -> tuple[Path, ...]:
    return (Path(sys.executable), Path(sys.base_prefix), Path(__file__))


def _write(root: Path, path: Path, text: str, mode: int) -> str:
    place = _below(root, path)
    new = place.with_name(f".{place.name}.new")
    try:
        with contextlib.suppress(FileNotFoundError):
            if place.read_text(encoding="utf-8") == text and place.stat().st_mode & 0o777 == mode:
                return f"{place} is as it should be"
        place.parent.mkdir(parents=True, exist_ok=True)
        new.unlink(missing_ok=True)
        # Private from its first byte on, and never half of it.
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
        new.replace(place)
    except OSError as error:
        raise UsageError(_cannot("write", place, error)) from None
    return f"wrote {place}"


def _below(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def _cannot(do: str, place: Path, error: OSError) -> str:
    hint = "; run it as root" if isinstance(error, PermissionError) else ""
    return f"cannot {do} {place}: {os.strerror(error.errno or 0).lower()}{hint}"


def _unit_word(text: str) -> str:
    """As an argument in a unit, where % and $ mean something and blanks part words."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{text}"' if any(character.isspace() or character in "\"'\\;" for character in text) else text


def _environment_word(name: str, value: str) -> str:
    """As a value in an EnvironmentFile=."""
    # Between quotes, systemd takes the ends of lines too: they part what is a list.
    if not value.replace("\n", "").isprintable():
        raise UsageError(f"{name} holds what no line of {ENVIRONMENT_FILE} can hold")
    escaped = "".join(f"\\{character}" if character in '\\"`$' else character for character in value)
    return f'"{escaped}"'
