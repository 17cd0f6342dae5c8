"""The numbers of a process that our own language compares: `cpu>50`, `rss>=1GiB`, `age<5m`, `exit_code:1`."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from enum import Enum

from procession.lifecycle.signals import signal_named, signal_number
from procession.process import ProcessDetail, ProcessNumbers, ProcessSummary
from procession.search.tree import Comparison, Operator


class Unit(Enum):
    """How a number is written, and for messages an example of it."""

    COUNT = "12"
    PERCENT = "50"
    BYTES = "1GiB"
    SECONDS = "5m"
    SIGNAL = "KILL"
    TRUTH = "true"


@dataclass(frozen=True, slots=True)
class Field:
    unit: Unit
    measures: tuple[str, ...] = ()
    """The numbers of a sighting that it is the sum of; none: it is something else."""
    otherwise: tuple[str, ...] = ()
    """The number that it is where one of those is not known."""
    is_of_ending: bool = False
    """Whether only a process that has ended may have it, or it says whether it has."""
    is_described: bool = False
    """Whether it is a part of what the process is, as its command line is."""


def _unit_of(measure: str) -> Unit:
    if measure.endswith(("_bytes", "_bytes_per_second")):
        return Unit.BYTES
    return Unit.PERCENT if measure.endswith("_percent") else Unit.COUNT


_MEASURES = tuple(name for name in ProcessNumbers.__struct_fields__ if name != "state")

OOM = "ended:oom"
"""A value of `ended` that is a field by itself: what was killed for want of memory has ended as well."""

FIELDS = {
    "pid": Field(Unit.COUNT),
    "ppid": Field(Unit.COUNT, is_described=True),
    "age": Field(Unit.SECONDS),
    "ended": Field(Unit.TRUTH, is_of_ending=True),
    OOM: Field(Unit.TRUTH, is_of_ending=True),
    "exit_code": Field(Unit.COUNT, is_of_ending=True),
    "signal": Field(Unit.SIGNAL, is_of_ending=True),
    "lifetime": Field(Unit.SECONDS, is_of_ending=True),
    "io": Field(Unit.BYTES, ("read_bytes_per_second", "write_bytes_per_second")),
    "net": Field(
        Unit.BYTES, ("net_received_bytes_per_second", "net_sent_bytes_per_second"), otherwise=("net_bytes_per_second",)
    ),
    **{measure: Field(_unit_of(measure), (measure,)) for measure in _MEASURES},
}

NAMES = {
    **{name: name for name in FIELDS if name != OOM},
    "cpu": "cpu_total_percent",
    "rss": "rss_bytes",
    "mem": "rss_bytes",
    "vms": "vms_bytes",
    "shared": "shared_bytes",
    "swap": "swap_bytes",
    "fds": "open_files",
    "read": "read_bytes_per_second",
    "write": "write_bytes_per_second",
    "received": "net_received_bytes_per_second",
    "sent": "net_sent_bytes_per_second",
}
"""What a search may call a field."""

SHORT_NAMES = (
    *(
        "pid",
        "ppid",
        "cpu",
        "rss",
        "vms",
        "shared",
        "swap",
        "threads",
        "fds",
        "read",
        "write",
        "io",
        "received",
        "sent",
        "net",
    ),
    *("connections", "age"),
    *("ended", "exit_code", "signal", "lifetime"),
)
"""The names that are shown to people."""

LEAST = -(2.0**62)
"""What every number is beyond."""

_MOST = 1e18

_WORD = re.compile(r"([A-Za-z_]+)(:?)(>=|<=|>|<|)(.*)", re.DOTALL)
_NUMBER = re.compile(r"-?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_BYTES = re.compile(r"([0-9]{1,30}(?:\.[0-9]{1,30})?)(b|[kmgt](?:ib?|b)?)?(?:/s)?")
_SPANS = re.compile(r"(?:[0-9]{1,12}(?:\.[0-9]{1,9})?[smhdw])+")
_SPAN = re.compile(r"([0-9.]+)([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_TRUTH = {"true": 1.0, "false": 0.0}


def parse_comparison(word: str) -> Comparison | str | None:
    """The comparison that a bare word is. None: it is none. A text: it begins as one, and this is what is expected."""
    found = _WORD.fullmatch(word)
    if found is None or (name := found[1].lower()) not in NAMES or not (found[2] or found[3]):
        return None
    field_name = NAMES[name]
    field = FIELDS[field_name]
    operator: Operator = found[3] or "="  # type: ignore[assignment]
    text = found[4].lower()
    if operator == "=" and text == "*":
        return Comparison(field_name, ">=", LEAST)
    if operator == "=" and f"{field_name}:{text}" == OOM:
        return Comparison(OOM, "=", 1.0)
    number = _number_of(field.unit, text) if operator == "=" or field.unit is not Unit.TRUTH else None
    if number is None:
        # A tag may have the name of a field: `signal:handler` is one.
        return None if operator == "=" else _expected(name, operator, field)
    if abs(number) > _MOST:
        return f"expected a number up to {_MOST:.0e}"
    return Comparison(field_name, operator, _as_kept(field, number))


def value_of(field_name: str, process: ProcessSummary, detail: ProcessDetail) -> float | None:
    """Of a process at a sighting; None where it is not known, or it has none."""
    match field_name:
        case "pid":
            return process.identity.pid
        case "ppid":
            return process.description.ppid
        case "age":
            return max(0, process.seen_at - process.identity.started_at)
        case "ended":
            return float(detail.ended_at is not None)
        case "ended:oom":
            return None if detail.exit_facts.oom_killed is None else float(detail.exit_facts.oom_killed)
        case "exit_code":
            return detail.exit_code
        case "signal":
            return None if detail.exit_code is None else signal_number(detail.exit_code)
        case "lifetime":
            return None if detail.ended_at is None else max(0, detail.ended_at - process.identity.started_at)
    field = FIELDS[field_name]
    for measures in filter(None, (field.measures, field.otherwise)):
        numbers: list[float | None] = [getattr(detail.numbers, measure) for measure in measures]
        known = [number for number in numbers if number is not None]
        if len(known) == len(numbers):
            return sum(known)
    return None


def holds(operator: Operator, value: float | None, number: float) -> bool:
    if value is None:
        return False
    match operator:
        case "<":
            return value < number
        case "<=":
            return value <= number
        case "=":
            return value == number
        case ">=":
            return value >= number
        case ">":
            return value > number


def _expected(name: str, operator: Operator, field: Field) -> str:
    if field.unit is Unit.TRUTH:
        return f'expected "{name}:true" or "{name}:false"'
    return f'expected a number, as in "{name}{operator}{"9" if field.unit is Unit.SIGNAL else field.unit.value}",'


def _number_of(unit: Unit, text: str) -> float | None:
    match unit:
        case Unit.TRUTH:
            return _TRUTH.get(text)
        case Unit.SIGNAL if not _NUMBER.fullmatch(text):
            return signal_named(text)
        case Unit.BYTES if found := _BYTES.fullmatch(text):
            return float(found[1]) * _bytes_in(found[2] or "b")
        case Unit.SECONDS if _SPANS.fullmatch(text):
            spans = _SPAN.findall(text)
            return sum(float(number) * _SECONDS[span] for number, span in spans)
        case Unit.PERCENT:
            text = text.removesuffix("%")
    return float(text) if _NUMBER.fullmatch(text) else None


def _bytes_in(unit: str) -> float:
    base = 1000 if len(unit) == 2 and unit.endswith("b") else 1024
    return float(base ** " kmgt".index(unit[0])) if unit != "b" else 1.0


def _as_kept(field: Field, number: float) -> float:
    """As a sighting has it: percent and rates are kept with 24 bits, and `cpu:0.1` is to find what is shown so."""
    is_rounded = any(measure.endswith(("_percent", "_per_second")) for measure in field.measures)
    return float(struct.unpack("f", struct.pack("f", number))[0]) if is_rounded and len(field.measures) == 1 else number
