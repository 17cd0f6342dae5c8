"""Asking a server for its monitors: what the commands have in common."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import click

from procession.cli.access import Access
from procession.cli.options import read_settings
from procession.cli.terminal.visible_text import visible
from procession.config import ClientSettings
from procession.errors import ProcessionError, UsageError

PATH = "/api/v1/monitor"
OWN_PATH = "/api/procession/v1/monitors"

WELL, TO_SEE_TO, TROUBLE = 0, 1, 2
"""Exit codes."""

Monitor = Mapping[str, Any]
"""As the API answers."""

tag_option: Callable[[Any], Any] = click.option(
    "--tag", "tags", metavar="TAG", multiple=True, help="Only monitors with this tag; may be given several times."
)


class Trouble(click.ClickException):
    exit_code = TROUBLE


class Monitors:
    """Those of the reader's org. All of it raises UsageError."""

    def __init__(self, access: Access) -> None:
        self.access = access

    def all(self, tags: tuple[str, ...] = ()) -> list[Monitor]:
        """By name. With `tags`: those that have all of these."""
        found: list[Monitor] = self.access.read(PATH, {"monitor_tags": ",".join(tags)} if tags else {})
        return sorted(found, key=lambda one: (one["name"], one["id"]))

    def named(self, text: str) -> Monitor:
        """By its id, or else by its whole name."""
        known = self.all()
        found = [one for one in known if str(one["id"]) == text] or [one for one in known if one["name"] == text]
        if not found:
            raise UsageError(f"there is no monitor {text!r}; `procession monitors list` shows those there are")
        if len(found) > 1:
            ids = ", ".join(str(one["id"]) for one in found)
            raise UsageError(f"{len(found)} monitors are named {text!r}; say which by its id: {ids}")
        return found[0]

    def groups(self, monitor: Monitor) -> list[Mapping[str, Any]]:
        parameters = {"monitor_id": str(monitor["id"])}
        groups: list[Mapping[str, Any]] = self.access.read(f"{OWN_PATH}/groups", parameters)["groups"]
        return groups

    def validate(self, body: Mapping[str, Any], known: Monitor | None) -> None:
        self.access.tell(f"{PATH}/validate" if known is None else f"{_path_of(known)}/validate", body)

    def create(self, body: Mapping[str, Any]) -> None:
        self.access.tell(PATH, body)

    def update(self, known: Monitor, body: Mapping[str, Any]) -> None:
        self.access.change("PUT", _path_of(known), body)

    def delete(self, known: Monitor) -> None:
        self.access.change("DELETE", _path_of(known))

    def send_test(self, known: Monitor, state: str) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self.access.tell(f"{OWN_PATH}/test", {"monitor_id": known["id"], "state": state})
        return answer

    def backtest(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = self.access.tell(f"{OWN_PATH}/backtest", body)
        return answer

    def mute(self, known: Monitor, body: Mapping[str, Any]) -> None:
        self.access.tell(f"{_path_of(known)}/mute", body)

    def unmute(self, known: Monitor, body: Mapping[str, Any]) -> None:
        self.access.tell(f"{_path_of(known)}/unmute", body)


@contextlib.contextmanager
def monitors_of(settings: Mapping[str, Any]) -> Iterator[Monitors]:
    """Those of a command. What goes wrong in the block is Trouble."""
    try:
        yield Monitors(Access.of(read_settings(ClientSettings, settings)))
    except ProcessionError as error:
        raise Trouble(str(error)) from None


def name_of(monitor: Monitor) -> str:
    return visible(monitor["name"]) or f"monitor {monitor['id']}"


def _path_of(monitor: Monitor) -> str:
    return f"{PATH}/{monitor['id']}"
