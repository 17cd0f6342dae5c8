from __future__ import annotations

from collections.abc import Sequence

import pytest

from procession.errors import Unavailable
from procession.packed import AnySnapshot
from procession.server.runtime.metrics import Metrics
from procession.server.runtime.timed_store import TimedStore
from procession.storage import NotAllStored
from tests.support.builders import a_sighting, a_snapshot
from tests.support.stores.oracle import OracleStore

GROUP = [(1, a_snapshot(a_sighting(1), a_sighting(2)))]


class Moment:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Moody(OracleStore):
    """Takes as long as it is told, and fails where it is told to."""

    def __init__(self, moment: Moment) -> None:
        super().__init__()
        self._moment = moment
        self.seconds = 0.01
        self.error: Exception | None = None

    def add(self, snapshots: Sequence[tuple[int, AnySnapshot]]) -> None:
        self._moment.now += self.seconds
        if self.error is not None:
            raise self.error
        super().add(snapshots)


def test_a_store_that_fails_and_is_well_again_is_said_once_each(caplog: pytest.LogCaptureFixture) -> None:
    moment = Moment()
    store = Moody(moment)
    timed = TimedStore(store, Metrics(), moment)

    timed.add(GROUP)
    store.error, store.seconds = Unavailable("The store cannot do this now: refused"), 1.0
    for _ in range(3):
        with pytest.raises(Unavailable):
            timed.add(GROUP)
    store.error = None
    timed.add(GROUP)
    timed.add(GROUP)

    failed, back = caplog.messages
    assert failed.startswith("a batch of 2 sightings was not stored, and its agents are told to try again: ")
    assert failed.endswith("The store cannot do this now: refused")
    assert back == "the store takes batches again, after 3.0 s in which 3 failed"


def test_a_part_that_is_lost_is_a_failure_too(caplog: pytest.LogCaptureFixture) -> None:
    moment = Moment()
    store = Moody(moment)
    store.error = NotAllStored(Unavailable("A shard cannot be reached"), frozenset({0}))

    with pytest.raises(NotAllStored):
        TimedStore(store, Metrics(), moment).add(GROUP)

    (record,) = caplog.records
    assert isinstance(record.args, dict)
    assert (record.args["event"], record.args["chunks_lost"]) == ("batch-failed", 1)


def test_a_bug_is_named_and_not_quoted(caplog: pytest.LogCaptureFixture) -> None:
    moment = Moment()
    store = Moody(moment)
    store.error = ValueError("hunter2")

    with pytest.raises(ValueError, match="hunter2"):
        TimedStore(store, Metrics(), moment).add(GROUP)

    assert caplog.messages[0].endswith("told to try again: ValueError")


def test_a_slow_store_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    moment = Moment()
    store = Moody(moment)
    timed = TimedStore(store, Metrics(), moment)

    for seconds in (4.9, 5.0, 20.0, 20.0, 30.0):
        store.seconds = seconds
        timed.add(GROUP)

    assert caplog.messages == [
        "the store took 5.0 s for a batch of 2 sightings",
        "the store took 30.0 s for a batch of 2 sightings; 2 more of this kind were left out",
    ]
