"""The units of systemd, written once: for `procession agent install` and for the packages."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

_DYNAMIC = ("DynamicUser=yes", "A user of its own, that only exists while it runs.")


def unit_text(
    service: str, *, command: str, environment: Path, origin: str, user: str | None = None, home: str = "yes"
) -> str:
    """The unit of the service, for a user that there is, or else for one of its own that systemd makes.

    `home` is what it may see of home folders, as in ProtectHome=.
    """
    line, whose = _DYNAMIC if user is None else (f"User={user}\nGroup={user}", "A user of its own.")
    template = resources.files(__package__).joinpath("units", service).read_text(encoding="utf-8")
    return template.format(command=command, environment=environment, origin=origin, user=line, whose=whose, home=home)
