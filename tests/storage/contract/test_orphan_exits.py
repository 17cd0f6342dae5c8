"""What every store promises of exits: which of them are those of processes that nobody has seen."""

from __future__ import annotations

from typing import Any

import pytest

from procession.lifecycle.events import ProcessExit, ProcessExits
from tests.storage.conftest import Store
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot
from tests.support.stores.fleet import Fleet


def an_exit(pid: int = 7, at: int = NOON, executed_at: int | None = None) -> ProcessExit:
    return ProcessExit(pid=pid, at=at, executed_at=executed_at, exit_code=0, description=a_description())


def unknown(fleet: Fleet, *exits: ProcessExit, host: str = "web-1", **fields: Any) -> list[ProcessExit]:
    (found,) = fleet.store.unknown_exits([(fleet.org, ProcessExits(host, exits))])  # type: ignore[attr-defined]
    return list(found.exits)


def whole(fleet: Fleet, at: int, *pids: int) -> None:
    sightings = [a_sighting(pid, NOON - 9000) for pid in pids]
    fleet.add(a_snapshot(*sightings, taken_at=at, request_id=at, split_id=at, chunk_count=1))


def test_the_exit_of_a_process_that_was_never_seen_is_unknown(fleet: Fleet) -> None:
    fleet.see(NOON - 10, pid=8)
    fleet.see(NOON - 10, pid=7, host="web-2")
    one = an_exit(executed_at=NOON - 3)

    assert unknown(fleet, one) == [one]


@pytest.mark.parametrize("seen_at", [NOON - 3600, NOON - 59, NOON, NOON + 9, NOON + 3600])
def test_the_exit_of_one_that_was_seen_around_it_is_known(fleet: Fleet, seen_at: int) -> None:
    fleet.see(seen_at, started_at=NOON - 9000)

    assert unknown(fleet, an_exit()) == unknown(fleet, an_exit(executed_at=NOON - 3)) == []


def test_a_sighting_of_long_ago_says_nothing(fleet: Fleet) -> None:
    fleet.see(NOON - 3601, started_at=NOON - 9000)

    assert len(unknown(fleet, an_exit())) == 1


def test_the_start_of_the_process_may_be_off_by_two_seconds(fleet: Fleet) -> None:
    fleet.see(NOON + 5, started_at=NOON)

    assert unknown(fleet, an_exit(executed_at=NOON - 2)) == []
    assert len(unknown(fleet, an_exit(at=NOON - 1, executed_at=NOON - 3))) == 1


def test_what_came_after_the_process_that_had_the_pid_is_unknown(fleet: Fleet) -> None:
    whole(fleet, NOON - 30, 7)
    assert unknown(fleet, an_exit(executed_at=NOON - 5)) == []

    whole(fleet, NOON - 20)
    assert len(unknown(fleet, an_exit(executed_at=NOON - 5))) == 1


def test_so_is_what_came_after_its_exit(fleet: Fleet) -> None:
    fleet.see(NOON - 30, started_at=NOON - 9000)
    gone = ProcessExits("web-1", (an_exit(at=NOON - 20),))
    fleet.store.add_exits([(fleet.org, gone)])  # type: ignore[attr-defined]

    assert len(unknown(fleet, an_exit(executed_at=NOON - 5))) == 1
    assert unknown(fleet, *gone.exits) == []


def test_of_several_exits_of_a_pid_the_first_is_that_of_the_known_process(fleet: Fleet) -> None:
    fleet.see(NOON - 30, started_at=NOON - 9000)
    first, second = an_exit(at=NOON - 20), an_exit(at=NOON - 10, executed_at=NOON - 15)

    assert unknown(fleet, first, second) == [second]


def test_hosts_and_orgs_are_asked_at_once_and_kept_apart(store: Store, org: int) -> None:
    one, other = Fleet(store, org), Fleet(store, org + 5_000_000)
    one.see(NOON - 10)
    exits = (an_exit(at=NOON),)

    asked = [(one.org, ProcessExits("web-2", exits)), (other.org, ProcessExits("web-1", (an_exit(),)))]
    asked.append((one.org, ProcessExits("web-1", (an_exit(),))))

    assert [len(found.exits) for found in store.unknown_exits(asked)] == [1, 1, 0]
    assert store.unknown_exits([]) == ()
