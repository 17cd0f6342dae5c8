"""`procession monitors apply`: makes the monitors of a server those of a file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from procession.cli.commands.monitors.access import TO_SEE_TO, WELL, Monitor, Monitors, monitors_of, tag_option
from procession.cli.commands.monitors.definition import Definition, definition_of, differences, read_definition
from procession.cli.options import settings_options
from procession.cli.terminal.visible_text import visible
from procession.config import ClientSettings
from procession.errors import UsageError

MAX_SHOWN_CHARACTERS = 200


@dataclass
class Plan:
    """What is to be done, by the names of monitors."""

    created: list[Definition] = field(default_factory=list)
    changed: list[tuple[Monitor, Definition]] = field(default_factory=list)
    deleted: list[Monitor] = field(default_factory=list)
    left: list[Monitor] = field(default_factory=list)
    """Those that the file has not, and that stay."""
    same: int = 0

    @property
    def is_empty(self) -> bool:
        return not (self.created or self.changed or self.deleted)


@click.command(
    epilog="""\b
Examples:
  procession monitors apply monitors.json --dry-run
  procession monitors apply monitors.json
  procession monitors apply web.json --prune --tag team:web
"""
)
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--dry-run", is_flag=True, help="Show the difference, change nothing, and exit with 1 if there is one.")
@click.option("--prune", is_flag=True, help="Delete the monitors that the file has not.")
@tag_option
@settings_options(ClientSettings)
def apply(file: Path, dry_run: bool, prune: bool, tags: tuple[str, ...], **settings: Any) -> int:
    """Make the monitors of the server those of a FILE, as `export` prints them; - is standard input.

    Monitors are matched by name. The server looks at all of them before the first is changed. What is muted stays so,
    unless the file has `silenced`. With --tag, only monitors with these tags are deleted, and those of the file must
    have them.
    """
    with monitors_of(settings) as monitors:
        wanted = read_file(file, tags)
        plan = planned(wanted, monitors.all(), monitors.all(tags), prune=prune)
        _validate(monitors, plan)
        print_plan(plan)
        if dry_run:
            return WELL if plan.is_empty else TO_SEE_TO
        _carry_out(monitors, plan)
    return WELL


def read_file(file: Path, tags: Sequence[str]) -> list[Definition]:
    """Raises UsageError."""
    try:
        with click.open_file(str(file), encoding="utf-8") as opened:
            content = json.load(opened)
    except OSError as error:
        raise UsageError(f"cannot read {file}: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{file} is not JSON: {error}") from None
    if not isinstance(content, dict) or not isinstance(content.get("monitors"), list):
        raise UsageError(f'{file} is no object with a list of "monitors"')
    try:
        wanted = [read_definition(one) for one in content["monitors"]]
    except UsageError as error:
        raise UsageError(f"{file}: {error}") from None
    names = Counter(one["name"] for one in wanted)
    for name, count in names.items():
        if count > 1:
            raise UsageError(f"{file} has {count} monitors named {name!r}; they are matched by name")
    for one in wanted:
        if not set(tags) <= set(one["tags"]):
            raise UsageError(
                f"{file}: {one['name']!r} has not the tag {next(tag for tag in tags if tag not in one['tags'])}"
            )
    return wanted


def planned(wanted: Sequence[Definition], known: Sequence[Monitor], own: Sequence[Monitor], *, prune: bool) -> Plan:
    """`known`: all monitors of the server; `own`: those that the file speaks for. Raises UsageError."""
    plan = Plan()
    by_name: dict[str, list[Monitor]] = {}
    for monitor in known:
        by_name.setdefault(monitor["name"], []).append(monitor)
    for definition in wanted:
        found = by_name.get(definition["name"], [])
        if len(found) > 1:
            ids = ", ".join(str(one["id"]) for one in found)
            raise UsageError(
                f"the server has {len(found)} monitors named {definition['name']!r}: {ids}; rename or delete one"
            )
        if not found:
            plan.created.append(definition)
        elif any(differences(_comparable(found[0], definition), definition)):
            plan.changed.append((found[0], definition))
        else:
            plan.same += 1
    names = {one["name"] for one in wanted}
    others = [monitor for monitor in own if monitor["name"] not in names]
    (plan.deleted if prune else plan.left).extend(others)
    return plan


def _comparable(monitor: Monitor, definition: Definition) -> Definition:
    """Of a monitor of the server, with its mutes where the file says who is muted."""
    before = definition_of(monitor)
    if "silenced" in definition["options"]:
        before = {**before, "options": monitor["options"]}
    return before


def print_plan(plan: Plan) -> None:
    for definition in plan.created:
        print(f"+ {visible(definition['name'])}")
        print(f"    query: {_shown(definition['query'])}")
    for monitor, definition in plan.changed:
        print(f"~ {visible(monitor['name'])}")
        for name, before, after in differences(_comparable(monitor, definition), definition):
            print(f"    {visible(name)}: {_shown(before)} -> {_shown(after)}")
    for monitor in plan.deleted:
        print(f"- {visible(monitor['name'])}")
    kept = f", {len(plan.left)} more on the server" if plan.left else ""
    print(
        f"{len(plan.created)} to create, {len(plan.changed)} to change, {len(plan.deleted)} to delete,"
        f" {plan.same} the same{kept}"
    )


def _shown(value: Any) -> str:
    text = visible(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= MAX_SHOWN_CHARACTERS else f"{text[:MAX_SHOWN_CHARACTERS]}…"


def _validate(monitors: Monitors, plan: Plan) -> None:
    """Raises UsageError for the first that the server would refuse, while nothing is changed."""
    for known, definition in [*((None, one) for one in plan.created), *plan.changed]:
        try:
            monitors.validate(_body(definition, known), known)
        except UsageError as error:
            raise UsageError(f"{definition['name']!r}: {error}; nothing was changed") from None


def _carry_out(monitors: Monitors, plan: Plan) -> None:
    for definition in plan.created:
        monitors.create(_body(definition, None))
    for known, definition in plan.changed:
        monitors.update(known, _body(definition, known))
    for known in plan.deleted:
        monitors.delete(known)


def _body(definition: Definition, known: Monitor | None) -> dict[str, Any]:
    """What is sent. A mute is nothing that a file undoes by not having it."""
    silenced = {} if known is None else known["options"].get("silenced") or {}
    return {**definition, "options": {"silenced": silenced, **definition["options"]}}
