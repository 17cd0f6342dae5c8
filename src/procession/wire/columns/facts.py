"""The numbers of a sighting as a row that says what Datadog's format would say of them."""

from __future__ import annotations

from typing import Any

from procession.packed import ABSENT, NO_STATE, NUMBERS, ROW, STATE_NUMBERS, values_of
from procession.process import ProcessNumbers

_PLACES = {name: place for place, (name, _) in enumerate(NUMBERS)}
_FLOATS = tuple(place for place, (_, kind) in enumerate(NUMBERS) if kind == "f4")
_RSS, _VMS, _SHARED, _SWAP = (_PLACES[name] for name in ("rss_bytes", "vms_bytes", "shared_bytes", "swap_bytes"))
_THREADS = _PLACES["threads"]
_VOLUNTARY, _INVOLUNTARY = _PLACES["voluntary_switches"], _PLACES["involuntary_switches"]

_MAX_FLOAT = 3.4028234663852886e38
"""The largest of 32 bits."""


def row_of(numbers: ProcessNumbers, *, is_zombie: bool) -> bytes:
    """What cannot be, or says nothing there, is absent here too: no threads, no memory shared, no switch at all."""
    *values, state = values_of(numbers)
    for place in _FLOATS:
        if not 0.0 < values[place] <= _MAX_FLOAT:
            values[place] = ABSENT if values[place] else 0.0  # which may have been below it
    if (
        values[_SHARED] <= 0
        or values[_SWAP] < 0
        or not (values[_THREADS] and (values[_VOLUNTARY] or values[_INVOLUNTARY]))
    ):
        _settle_what_is_rare(values)
    if values[_RSS] == values[_VMS] == ABSENT:
        values[_SHARED] = values[_SWAP] = ABSENT
    return ROW.pack(*values, STATE_NUMBERS.get("Z" if is_zombie else state, NO_STATE))


def _settle_what_is_rare(values: list[Any]) -> None:
    if values[_SHARED] <= 0:
        values[_SHARED] = ABSENT
        if not values[_SWAP]:
            values[_SWAP] = ABSENT
    elif values[_SWAP] < 0:
        values[_SWAP] = 0  # who says what is shared also says what is swapped, unless that is nothing
    if not values[_THREADS]:
        values[_THREADS] = ABSENT
    if not (values[_VOLUNTARY] or values[_INVOLUNTARY]):
        values[_VOLUNTARY] = values[_INVOLUNTARY] = ABSENT
