"""What the store in a data folder says of itself."""

from __future__ import annotations

from procession.storage.embedded.store import EmbeddedStore


def test_the_live_table_of_a_new_store_reaches_as_far_back_as_it_will_keep(embedded: EmbeddedStore) -> None:
    assert embedded.live_seconds == 3900 + 900
