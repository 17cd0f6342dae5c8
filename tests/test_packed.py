from __future__ import annotations

import string

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from procession.packed import ABSENT, NUMBERS, STATES, PackedSnapshot, pack, pack_numbers
from procession.process import ProcessNumbers, Snapshot
from procession.storage.history.tables.columns import number_columns
from tests.support.builders import a_sighting, a_snapshot
from tests.support.stores.unpacked import unpack, unpack_numbers

number_columns([])  # pyarrow looks for pandas when it makes its first array: for seconds, on a busy machine

_VALUES = {
    "f4": st.floats(0, float(np.finfo(np.float32).max), width=32),
    "i4": st.integers(0, 2**31 - 1),
    "i8": st.integers(0, 2**63 - 1),
}
NUMBERS_OF_PROCESSES = st.builds(
    ProcessNumbers, state=st.sampled_from(STATES), **{name: st.none() | _VALUES[kind] for name, kind in NUMBERS}
)


def test_a_row_has_a_place_for_every_number() -> None:
    assert [*(name for name, _ in NUMBERS), "state"] == list(ProcessNumbers.__struct_fields__)


@given(NUMBERS_OF_PROCESSES)
def test_numbers_come_back_from_their_row(numbers: ProcessNumbers) -> None:
    assert unpack_numbers(pack_numbers(numbers)) == numbers


@given(st.lists(NUMBERS_OF_PROCESSES, min_size=1, max_size=20))
def test_rows_end_to_end_are_columns(processes: list[ProcessNumbers]) -> None:
    columns = number_columns(map(pack_numbers, processes))

    for name, _ in NUMBERS:
        values = [getattr(one, name) for one in processes]
        assert columns[name].to_pylist() == [ABSENT if value is None else value for value in values]
    assert [STATES[number] for number in columns["state"].to_pylist()] == [one.state for one in processes]


def test_of_no_process_there_are_no_rows() -> None:
    assert {len(column) for column in number_columns([]).values()} == {0}


def test_states_have_the_places_that_stored_rows_have() -> None:
    assert STATES[:10] == ("", "R", "S", "D", "T", "Z", "X", "W", "I", "t")
    assert len(STATES) == 256


@pytest.mark.parametrize("letter", string.ascii_letters)
def test_every_letter_of_a_state_is_kept(letter: str) -> None:
    assert unpack_numbers(pack_numbers(ProcessNumbers(state=letter))).state == letter


def test_a_state_that_nobody_knows_is_not_known() -> None:
    assert unpack_numbers(pack_numbers(ProcessNumbers(state="?"))).state == ""


@pytest.mark.parametrize("sightings", [(), (a_sighting(1), a_sighting(2, cmdline="x"))])
def test_a_snapshot_comes_back_from_its_packed_form(sightings: tuple[object, ...]) -> None:
    snapshot: Snapshot = a_snapshot(*sightings)  # type: ignore[arg-type]

    packed = pack(snapshot)

    assert isinstance(packed, PackedSnapshot)
    assert unpack(packed) == snapshot
    assert pack(packed) is packed
    assert unpack(snapshot) is snapshot
