"""When the log rests between two groups, so that more records share a sync."""

from __future__ import annotations

from procession.storage.wal.group_pace import REST_SECONDS, GroupPace


class Play:
    """Groups at a pace, by a clock that nobody waits for."""

    def __init__(self) -> None:
        self._now = 100.0
        self._pace = GroupPace(lambda: self._now)

    def groups(self, seconds: float, *, each: float, records: int, rested: int | None = None) -> list[float]:
        """How long it rests after each: a group takes `each` seconds and has `records`, and `rested` if it had rested
        before."""
        until, rests = self._now + seconds, [0.0]
        while self._now < until:
            self._now += each + rests[-1]
            count = records if rested is None or not rests[-1] else rested
            rests.append(self._pace.rest_after(count))
        return rests[1:]


def test_where_few_records_come_each_is_written_at_once() -> None:
    assert set(Play().groups(10, each=1 / 40, records=1)) == {0.0}


def test_where_many_come_it_rests_and_they_share_a_sync() -> None:
    rests = Play().groups(5, each=1 / 200, records=1, rested=3)

    assert rests[-1] == REST_SECONDS
    assert rests.count(REST_SECONDS) > len(rests) / 2


def test_it_stops_when_fewer_come() -> None:
    play = Play()
    play.groups(5, each=1 / 200, records=2)

    assert play.groups(5, each=1 / 30, records=1)[-1] == 0.0


def test_who_appends_one_after_the_other_is_hardly_held_up() -> None:
    rests = Play().groups(20, each=1 / 500, records=1)

    assert 0 < rests.count(REST_SECONDS) * REST_SECONDS < 1
