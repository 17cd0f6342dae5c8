from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from procession.packed import pack_numbers
from procession.process import ProcessDetail, ProcessIdentity, ProcessNumbers, ProcessSummary
from procession.search.field_columns import measured
from procession.search.fields import FIELDS, value_of
from procession.storage.history.tables.columns import number_columns
from tests.support.builders import NOON, a_description
from tests.support.stores.sightings import all_numbers

PROCESS = ProcessSummary(ProcessIdentity("web-1", 1, NOON), NOON, a_description())


@given(st.lists(all_numbers(), min_size=1, max_size=8))
def test_columns_have_the_numbers_that_each_process_has(numbers: list[ProcessNumbers]) -> None:
    columns = number_columns(map(pack_numbers, numbers))

    for field in (name for name, found in FIELDS.items() if found.measures):
        values, are_known = measured(field, lambda measure: columns[measure].to_numpy(zero_copy_only=False))

        for one, value, is_known in zip(numbers, values, are_known, strict=True):
            expected = value_of(field, PROCESS, ProcessDetail(numbers=one))
            assert (value if is_known else None) == expected, field
