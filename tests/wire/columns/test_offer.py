from __future__ import annotations

import pytest

from procession.wire.columns.offer import offer_of, processes_offered


def test_an_agent_reads_how_many_processes_a_message_may_hold() -> None:
    assert offer_of(500) == "3;processes=500"
    assert processes_offered(offer_of(500)) == 500


@pytest.mark.parametrize(
    "value", ["", "3", "2;processes=500", "3;processes=", "3;processes=0", "3;processes=-5", "3;processes=5e3", "\xff"]
)
def test_another_version_or_no_number_is_no_offer(value: str) -> None:
    assert processes_offered(value) is None
