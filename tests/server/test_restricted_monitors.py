"""What a reader who may see some rows, or no arguments, is told of monitors: what one would be told of a store that has
nothing else, and no other monitors."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

from procession.accounts.restriction import Restriction
from procession.monitors.group_state import GroupState
from procession.monitors.monitor import Monitor
from procession.monitors.transition import State, Transition, TransitionKind
from tests.support.people import a_user, page_of
from tests.support.restricted import (
    ARGUMENT,
    OWN,
    RESTRICTED_KEY,
    ROWS,
    only_seen,
    other_arguments,
    without_arguments,
)
from tests.support.restricted_monitors import (
    ALL,
    MINUTE,
    MONITOR_QUESTIONS,
    OF_OTHERS,
    OF_ROWS,
    WHOLE_KEY,
    WITHOUT_ARGUMENTS,
    Watched,
    a_monitor,
)
from tests.support.served import API_KEY, ORG, Client

NO_ARGUMENTS = Restriction("", True)
RESTRICTED = {"dd-api-key": API_KEY, "dd-application-key": RESTRICTED_KEY}
WHOLE = {"dd-api-key": API_KEY, "dd-application-key": WHOLE_KEY}
NOT_OF_MONITORS = {f"{OWN}/monitors/query", f"{OWN}/monitors/starters"}


@pytest.fixture(scope="module")
def clients() -> Iterator[dict[str, Client]]:
    found = {
        "rows": Watched(ALL, restriction=ROWS).client,
        "only these rows": Watched(OF_ROWS, only_seen).client,
        "no arguments": Watched(ALL, restriction=NO_ARGUMENTS).client,
        "none there": Watched(WITHOUT_ARGUMENTS, without_arguments).client,
        "others there": Watched(ALL, other_arguments, NO_ARGUMENTS).client,
    }
    yield found
    for client in found.values():
        client.close()


@pytest.fixture
def watched() -> Iterator[Watched]:
    found = Watched([1, 2, 11], restriction=ROWS)
    yield found
    found.client.close()


def told(client: Client, url: str, headers: dict[str, str]) -> tuple[int, Any]:
    answer = client.get(url, headers=headers)
    assert answer.status_code < 500, (url, answer.text)
    return answer.status_code, answer.json()


@pytest.mark.parametrize(("method", "path"), MONITOR_QUESTIONS)
def test_who_sees_some_rows_is_told_of_monitors_that_count_no_others(
    clients: dict[str, Client], method: str, path: str
) -> None:
    of_all = []
    for _, url, _ in MONITOR_QUESTIONS[method, path]:
        found = told(clients["rows"], url, RESTRICTED)
        assert found == told(clients["only these rows"], url, WHOLE), url
        assert "db-1" not in str(found), url
        of_all.append(told(clients["rows"], url, WHOLE) != found)

    # Else this would find nothing.
    assert any(of_all) or path in NOT_OF_MONITORS


@pytest.mark.parametrize(("method", "path"), MONITOR_QUESTIONS)
def test_who_sees_no_arguments_is_told_of_monitors_that_do_not_depend_on_them(
    clients: dict[str, Client], method: str, path: str
) -> None:
    of_all = []
    for _, url, _ in MONITOR_QUESTIONS[method, path]:
        found = told(clients["no arguments"], url, RESTRICTED)
        assert found == told(clients["none there"], url, WHOLE), url
        assert found == told(clients["others there"], url, RESTRICTED), url
        assert ARGUMENT not in str(found), url
        of_all.append(told(clients["no arguments"], url, WHOLE) != found)

    assert any(of_all) or path in NOT_OF_MONITORS


def ids(client: Client, headers: dict[str, str]) -> set[int]:
    return {one["id"] for one in client.get("/api/v1/monitor", headers=headers).json()}


def test_the_monitors_of_a_reader_are_these(clients: dict[str, Client]) -> None:
    assert ids(clients["rows"], RESTRICTED) == {*OF_ROWS}
    assert ids(clients["no arguments"], RESTRICTED) == {*WITHOUT_ARGUMENTS}
    assert ids(clients["rows"], WHOLE) == {*ALL}
    transitions = clients["rows"].get(f"{OWN}/monitors/transitions", headers=RESTRICTED).json()["transitions"]
    assert {("host:web-1", 1), ("host:web-1", 2)}.isdisjoint({(one["group"], 11) for one in transitions})
    assert {one["monitor_id"] for one in transitions} <= {*OF_ROWS}
    assert transitions


@pytest.mark.parametrize("path", ["/api/v1/monitor", "/api/v1/monitor/1"])
def test_downtimes_are_of_the_whole_org(clients: dict[str, Client], path: str) -> None:
    for name, seen in (("rows", "only env:a"), ("no arguments", "no arguments")):
        answer = clients[name].get(f"{path}?with_downtimes=true", headers=RESTRICTED)

        assert answer.status_code == 403
        assert answer.json()["errors"] == [f"Forbidden: you may see {seen}, and this answer cannot be limited to it"]


def test_what_happened_before_the_query_was_another_is_not_told(watched: Watched) -> None:
    """Nor is a host that was expected by its tags alone, and never had a process of the monitor."""
    monitors = watched.stores.monitors
    monitors.put_monitor(dataclasses.replace(a_monitor(1, OF_ROWS[1]), modified_at=(MINUTE + 240) * 10**6))
    old = a_transition(1, OF_OTHERS[11], "db-1", MINUTE + 60, ("postgres (pid 30 on db-1)",))
    silent = a_transition(1, OF_ROWS[1], "db-2", MINUTE + 70, ())
    own = a_transition(1, OF_ROWS[1], "web-9", MINUTE + 80, ("nginx (pid 7 on web-9)",))
    reworded = a_transition(1, "processes of another version", "db-3", MINUTE + 90, ("x",))
    gone = a_transition(77, OF_ROWS[1], "db-4", MINUTE + 100, ("x",))
    monitors.put_transitions([old, silent, own, reworded, gone])
    expected = a_group(a_monitor(1, OF_ROWS[1]), "db-2", state=State.NO_DATA, reason="agent silent")
    monitors.put_groups(ORG, 1, [msgspec.structs.replace(expected, last_seen_at=None)])
    url = f"{OWN}/monitors/transitions?to={MINUTE + 119}"

    found = watched.client.get(url, headers=RESTRICTED).json()["transitions"]
    whole = watched.client.get(url, headers=WHOLE).json()["transitions"]
    groups = watched.client.get(f"{OWN}/monitors/groups?monitor_id=1", headers=RESTRICTED).json()["groups"]

    assert [one["group"] for one in found] == ["host:web-9"]
    assert len(whole) == 5
    assert "host:db-2" not in [one["group"] for one in groups]
    shown = watched.client.get(f"{url}&limit=1&monitor_id=1", headers=RESTRICTED).json()["transitions"]
    assert shown == found


def a_transition(monitor_id: int, query: str, host: str, at: int, processes: tuple[str, ...]) -> Transition:
    return Transition(
        org_id=ORG,
        monitor_id=monitor_id,
        monitor_name="a",
        message="gone",
        tags=(),
        priority=None,
        query=query,
        group=(("host", host),),
        previous=State.OK,
        state=State.ALERT,
        at=at,
        value=0.0,
        threshold=1.0,
        warn_threshold=None,
        reason="process gone",
        processes=processes,
        cycle_key=f"{host} {at}",
        kind=TransitionKind.TRIGGERED,
    )


def test_how_many_hosts_of_the_org_are_silent_is_not_told(watched: Watched) -> None:
    monitor = a_monitor(1, OF_ROWS[1])
    reasons = {
        "web-1": (State.SKIPPED, "9 of 31"),
        "web-2": (State.ALERT, "host gone"),
        "mixed-1": (State.ALERT, "process gone; 312 silent hosts are not counted"),
    }
    groups = [a_group(monitor, host, state=state, reason=reason) for host, (state, reason) in reasons.items()]
    watched.stores.monitors.put_groups(ORG, 1, groups)

    found = watched.client.get(f"{OWN}/monitors/groups?monitor_id=1", headers=RESTRICTED).json()["groups"]

    assert {one["group"]: one["reason"] for one in found} == {
        "host:web-1": "",
        "host:web-2": "process gone",
        "host:mixed-1": "process gone; silent hosts are not counted",
    }


def a_group(monitor: Monitor, host: str, **fields: Any) -> GroupState:
    return GroupState(group=(("host", host),), last_seen_at=MINUTE, query_hash=monitor.query_hash, **fields)


@pytest.mark.parametrize("before", ["", a_monitor(1, OF_OTHERS[11]).query_hash])
def test_groups_of_another_query_are_hidden_until_they_are_gone(watched: Watched, before: str) -> None:
    """That of before, of which an evaluation went on meanwhile; or nobody knows of which."""
    monitors = watched.stores.monitors
    own = a_group(a_monitor(1, OF_ROWS[1]), "web-1", state=State.OK)
    other = GroupState(
        group=(("host", "db-1"),), state=State.ALERT, last_seen_at=MINUTE, query_hash=before, processes=("vaultd",)
    )
    monitors.drop_groups(ORG, 1, [one.group for one in monitors.groups_by_monitor(ORG, 1)[ORG, 1]])
    monitors.put_groups(ORG, 1, [own, other])

    shown = watched.client.get("/api/v1/monitor/1?group_states=all", headers=RESTRICTED).json()
    whole = watched.client.get("/api/v1/monitor/1?group_states=all", headers=WHOLE).json()

    assert (shown["overall_state"], [*shown["state"]["groups"]]) == ("OK", ["host:web-1"])
    assert (whole["overall_state"], len(whole["state"]["groups"])) == ("Alert", 2)


def test_a_restricted_viewer_reads_monitors_and_changes_none(watched: Watched) -> None:
    a_user(watched.served, restriction=ROWS)
    client = watched.client
    own = page_of(client)

    assert client.get(f"{OWN}/session", headers=own).json()["scopes"] == ["monitors_read"]
    assert ids(client, own) == {1, 2}
    definition = {"type": "process alert", "query": OF_ROWS[1], "name": "x"}
    for method, path, body in (
        ("POST", "/api/v1/monitor", definition),
        ("PUT", "/api/v1/monitor/1", definition),
        ("DELETE", "/api/v1/monitor/1", None),
        ("POST", "/api/v1/monitor/1/mute", None),
        ("POST", "/api/v1/monitor/validate", definition),
        ("POST", "/api/v1/monitor/1/validate", definition),
        ("POST", f"{OWN}/monitors/backtest", {"monitor": definition}),
        ("POST", f"{OWN}/monitors/test", {"monitor_id": 1}),
        ("GET", f"{OWN}/notifications", None),
        ("GET", "/api/v1/monitor?with_downtimes=1", None),
    ):
        assert client.request(method, path, json=body, headers=own).status_code == 403, path
