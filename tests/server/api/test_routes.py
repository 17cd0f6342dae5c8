"""Procession's API over the oracle: each call once, as docs/api.md says it."""

from __future__ import annotations

from typing import Any

import pytest

from procession.accounts.hosts import HostNotice, HostTags, TagSource
from procession.config import ServerSettings
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.process import ProcessNumbers
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot
from tests.support.served import ORG, OTHER_ORG, READER, Client, Served

PREFIX = "/api/procession/v1"


@pytest.fixture(autouse=True)
def _processes(served: Served) -> None:
    """Two hosts, two moments: pid 3 of web-1 ends, pid 4 starts, pid 2 changes."""

    def sighting(pid: int, command: str, step: int, **fields: Any) -> Any:
        numbers = ProcessNumbers(cpu_total_percent=pid * 10.0 + step, rss_bytes=pid * 100, state="S")
        about = {"command": command, "cmdline": f"/bin/{command}", "tags": ("env:prod",) if pid < 3 else ()}
        return a_sighting(pid, NOON - 1000 + pid, numbers, **(about | fields))

    for step, (at, pids) in enumerate(((NOON - 70, (1, 2, 3)), (NOON - 10, (1, 2, 4)))):
        for host in ("web-1", "web-2"):
            processes = [
                sighting(
                    pid, ("init", "nginx", "java", "nginx")[pid - 1], step, ppid=pid // 2, user=f"u{step * (pid == 2)}"
                )
                for pid in pids
            ]
            chunk = a_snapshot(*processes, host=host, taken_at=at, request_id=step, split_id=step, chunk_count=1)
            served.store.add([(ORG, chunk)])
    served.store.add([(OTHER_ORG, a_snapshot(a_sighting(99), host="theirs", split_id=1, chunk_count=1))])


def ask(client: Client, path: str, status: int = 200) -> Any:
    answer = client.get(PREFIX + path, headers=READER)
    assert answer.status_code == status, answer.text
    return answer.json()


def pids(answer: Any) -> list[int]:
    return [item["attributes"]["pid"] for item in answer["data"]]


def test_an_instant_is_listed_in_any_order_page_by_page(client: Client) -> None:
    first = ask(client, f"/processes?at={NOON}&sort=-cpu_total_percent&page[limit]=4")
    second = ask(client, f"/processes?page[limit]=4&page[cursor]={first['meta']['page']['after']}")
    offset = ask(client, f"/processes?at={NOON}&sort=-cpu_total_percent&page[limit]=4&page[offset]=4")

    assert first["meta"]["at"] == NOON
    assert first["meta"]["total"] == 6
    assert pids(first) + pids(second) == [4, 4, 2, 2, 1, 1]
    assert offset["data"] == second["data"]
    assert first["data"][0]["attributes"]["numbers"]["cpu_total_percent"] == 41.0
    assert first["data"][0]["attributes"]["ended"] is None
    end = ask(client, f"/processes?page[cursor]={second['meta']['page']['after']}")
    assert (end["data"], end["meta"]["page"]["after"]) == ([], "")


def test_an_order_without_an_instant_is_of_now(client: Client) -> None:
    answer = ask(client, "/processes?sort=command&tags=host:web-1")

    assert answer["meta"]["at"] == NOON
    assert pids(answer) == [1, 2, 4]
    assert pids(ask(client, f"/processes?at={NOON - 60}&search=java")) == [3, 3]


def test_a_cursor_is_good_for_its_filters_only(client: Client) -> None:
    after = ask(client, "/processes?sort=pid&page[limit]=1")["meta"]["page"]["after"]

    assert "other parameters" in ask(client, f"/processes?search=x&page[cursor]={after}", 400)["errors"][0]
    ask(client, f"/processes?page[cursor]={after[:-2]}", 400)
    ask(client, f"/processes?page[cursor]=02{'f' * 20}", 400)


def test_one_process_is_found_by_its_id(client: Client, served: Served) -> None:
    gone = ask(client, f"/processes?at={NOON - 60}&search=java&tags=host:web-1")["data"][0]

    shown = ask(client, f"/processes/{gone['id']}")["data"]
    assert shown["id"] == gone["id"]
    assert shown["attributes"]["ended"] == "2023-11-14T22:13:10"
    served.clock.now = NOON + 86400
    assert ask(client, f"/processes/{gone['id']}")["data"]["id"] == gone["id"]
    ask(client, f"/processes/{gone['id']}?from={NOON}", 404)


@pytest.mark.parametrize("path", ["", "/history", "/tree", "/runs"])
@pytest.mark.parametrize("id_", ["x", "00", "02000000" + "0" * 32])
def test_what_is_no_id_of_the_org_is_not_found(client: Client, path: str, id_: str) -> None:
    ask(client, f"/processes/{id_}{path}", 404)


def test_a_process_has_a_history(client: Client) -> None:
    (one,) = ask(client, "/processes?sort=pid&tags=host:web-1,command:init")["data"]

    minutes = ask(client, f"/processes/{one['id']}/history")
    assert minutes["times"] == [NOON - 80, NOON - 20]
    assert minutes["numbers"]["cpu_total_percent_max"] == [10.0, 11.0]
    assert minutes["ended"] is None
    sightings = ask(client, f"/processes/{one['id']}/history?every=sighting&from={NOON - 20}")
    assert sightings["times"] == [NOON - 10]
    assert sightings["numbers"]["state"] == ["S"]
    ask(client, f"/processes/{one['id']}/history?every=sighting&from={NOON - 40 * 86400}", 400)


@pytest.mark.parametrize("every", ["minute", "sighting"])
def test_a_history_tells_when_its_process_ended(client: Client, every: str) -> None:
    (gone,) = ask(client, f"/processes?at={NOON - 60}&search=java&tags=host:web-1")["data"]

    history = ask(client, f"/processes/{gone['id']}/history?every={every}")

    assert len(history["times"]) == 1
    assert history["ended"] == NOON - 10


@pytest.mark.parametrize("every", ["minute", "sighting"])
@pytest.mark.parametrize("until", [NOON - 60, NOON - 15])
def test_what_went_on_after_a_history_did_not_end(client: Client, every: str, until: int) -> None:
    """By the minute, the one that begins before NOON - 15 has its only sighting after the window."""
    (one,) = ask(client, "/processes?sort=pid&tags=host:web-1,command:init")["data"]

    history = ask(client, f"/processes/{one['id']}/history?every={every}&from={NOON - 900}&to={until}")

    assert history["times"][0] <= NOON - 70
    assert history["ended"] is None


def test_what_goes_on_has_not_ended_at_an_instant_in_the_past(client: Client) -> None:
    for one in ask(client, f"/processes?at={NOON - 60}&tags=host:web-1")["data"]:
        is_gone = one["attributes"]["pid"] == 3

        for asked in (f"at={NOON - 60}", f"from={NOON - 900}&to={NOON - 60}"):
            shown = ask(client, f"/processes/{one['id']}?{asked}")["data"]["attributes"]

            assert shown["ended"] == ("2023-11-14T22:13:10" if is_gone else None), shown


def test_relatives_and_runs_are_shown(client: Client) -> None:
    tree = ask(client, "/tree?host=web-1")
    assert [(item["attributes"]["pid"], item["depth"]) for item in tree["data"]] == [(1, 0), (2, 1), (4, 2)]
    nginx = tree["data"][1]["id"]

    family = ask(client, f"/processes/{nginx}/tree")
    assert [item["attributes"]["pid"] for item in family["ancestors"]] == [1]
    assert [item["depth"] for item in family["ancestors"]] == [-1]
    assert [item["attributes"]["pid"] for item in family["descendants"]] == [4]
    assert family["process"]["depth"] == 0
    (run,) = ask(client, f"/processes/{nginx}/runs")["data"]
    assert (run["attributes"]["pid"], run["last_seen"], run["same_cmdline"]) == (4, NOON - 10, True)
    ask(client, "/tree", 400)


def test_facets_and_completion(client: Client) -> None:
    found = ask(client, "/facets?keys=command,env&limit=1")

    assert found["meta"] == {"from": NOON - 900, "to": NOON + 9, "total": 8, "known": True}
    assert found["facets"][0] == {
        "key": "command",
        "processes": 8,
        "distinct": 3,
        "values": [{"value": "nginx", "count": 4}],
    }
    assert found["facets"][1]["values"] == [{"value": "prod", "count": 4}]
    assert ask(client, f"/facets?at={NOON}&keys=host")["meta"] == {"at": NOON, "total": 6, "known": True}
    assert [one["value"] for one in ask(client, "/facets?keys=command&prefix=*GIN")["facets"][0]["values"]] == ["nginx"]
    assert ask(client, "/tags?prefix=en")["keys"] == [{"key": "env", "count": 4}]
    assert ask(client, "/tags?prefix=env:")["values"] == [{"value": "prod", "count": 4}]


def test_one_of_several_values_of_a_tag_is_enough(client: Client) -> None:
    some = ["init", "nginx"]
    either = " OR ".join(f"command:{name}" for name in some)

    for path in ("/facets?keys=command", f"/facets?at={NOON}&keys=command"):
        (facet,) = ask(client, f"{path}&tags={either}")["facets"]
        assert {one["value"] for one in facet["values"]} == set(some)
    listed = ask(client, f"/processes?from={NOON - 900}&to={NOON + 9}&tags={either},host:web-1")["data"]
    assert listed
    assert {one["attributes"]["host"] for one in listed} == {"web-1"}
    assert "a ! beside an OR" in ask(client, f"/facets?tags=!{either}", 400)["errors"][0]
    # Datadog's endpoint takes it for a text.
    assert client.processes(f"from={NOON - 900}&tags={either}").json()["data"] == []


def test_groups_points_hosts_and_series(client: Client) -> None:
    groups = ask(client, "/groups?by=command&sort=-sum:cpu_total_percent")
    assert groups["meta"] == {"at": NOON, "by": "command", "total": 6, "known": True, "groups": 2}
    assert groups["data"][0]["value"] == "nginx"
    assert groups["data"][0]["numbers"]["cpu_total_percent"] == {"sum": 124.0, "max": 41.0, "known": 4}
    points = ask(client, "/points?by=command&limit=1")
    assert points["meta"]["total"] == 6
    assert (points["groups"], points["points"]["x"], points["points"]["group"]) == (["nginx"], [41.0], [0])
    hosts = ask(client, "/hosts")
    assert hosts["meta"] == {"at": NOON, "total": 2, "known": True, "oldest": NOON - 70, "blind": []}
    assert [(one["host"], one["processes"], one["seen_at"]) for one in hosts["data"]] == [
        ("web-1", 3, NOON - 10),
        ("web-2", 3, NOON - 10),
    ]
    assert [(one["state"], one["booted_at"], one["agent_version"]) for one in hosts["data"]] == [
        ("up", NOON - 999, None),
        ("up", NOON - 999, None),
    ]
    series = ask(client, f"/timeseries?by=command&limit=1&from={NOON - 100}&points=2")
    assert series["times"] == [NOON - 100, NOON - 50, NOON]
    assert [(one["value"], one["is_rest"], one["count"]) for one in series["series"]] == [
        ("nginx", False, [None, 2, 4]),
        (None, True, [None, 4, 2]),
    ]


def test_a_long_window_has_the_least_the_mean_and_the_greatest_of_the_minutes_of_each_step(client: Client) -> None:
    # Pids 1, 2 and 3 of both hosts, and in the next minute but one 1, 2 and 4.
    found = ask(client, f"/trends?from={NOON - 900}&to={NOON}&points=2&measures=cpu_total_percent")

    assert found["meta"] == {
        "from": NOON - 900,
        "to": NOON,
        "step": 600,
        "instants": False,
        "by": None,
        "known": True,
    }
    assert found["times"] == [NOON - 1400, NOON - 800, NOON - 200]
    (whole,) = found["trends"]

    def at(ago: int) -> dict[str, list[int | None]]:
        return {"max_at": [None, None, NOON - ago]}

    assert whole["count"] == {"min": [None, None, 6.0], "avg": [None, None, 6.0], "max": [None, None, 6.0], **at(80)}
    assert whole["numbers"]["cpu_total_percent"] == {
        "min": [None, None, 120.0],
        "avg": [None, None, 133.0],
        "max": [None, None, 146.0],
        **at(20),
    }


def test_what_began_and_ended_is_counted_with_its_exit_codes(client: Client, served: Served) -> None:
    ended = ProcessExit(pid=3, at=NOON - 30, exit_code=137, description=a_description())
    served.store.add_exits([(ORG, ProcessExits("web-1", (ended,)))])

    found = ask(client, f"/turnover?from={NOON - 120}&to={NOON}&points=2")

    assert found == {
        "meta": {"from": NOON - 120, "to": NOON, "step": 60, "known": True},
        "times": [NOON - 140, NOON - 80, NOON - 20],
        "starts": [0, 0, 0],
        "ends": [0, 1, 0],
        "failures": [0, 1, 0],
        "exit_codes": [{"exit_code": 137, "signal": "SIGKILL", "ends": [0, 1, 0]}],
    }
    assert ask(client, f"/turnover?from={NOON - 120}&to={NOON}&points=2&search=command:init")["ends"] == [0, 0, 0]


def test_groups_of_a_long_window_are_of_minutes_and_add_up_to_all(client: Client) -> None:
    asked = f"/trends?from={NOON - 900}&to={NOON}&points=2&measures=cpu_total_percent"
    (whole,) = ask(client, asked)["trends"]

    for more in ("&by=command&limit=1", "&by=host", "&search=host:web-*"):
        found = ask(client, asked + more)
        assert not found["meta"]["instants"]
        averages = [one["numbers"]["cpu_total_percent"]["avg"][-1] for one in found["trends"]]
        assert sum(averages) == pytest.approx(whole["numbers"]["cpu_total_percent"]["avg"][-1])
        assert sum(one["count"]["avg"][-1] for one in found["trends"]) == pytest.approx(6)


def test_groups_of_a_short_window_are_of_instants(client: Client) -> None:
    found = ask(client, f"/trends?by=command&limit=1&from={NOON - 100}&to={NOON}&points=10")

    assert found["meta"]["instants"]
    assert found["times"] == [*range(NOON - 100, NOON + 1, 10)]
    assert [(one["value"], one["count"]["max"][::5]) for one in found["trends"]] == [
        ("nginx", [None, 2, 4]),
        (None, [None, 4, 2]),
    ]


def test_groups_have_statistics_and_a_second_key(client: Client) -> None:
    asked = "/groups?by=command,host&measures=cpu_total_percent&statistics=avg,p50,p95&sort=-p95:cpu_total_percent"
    groups = ask(client, asked)
    assert groups["meta"] == {"at": NOON, "by": "command,host", "total": 6, "known": True, "groups": 4}
    assert [(one["value"], one["second"], one["count"]) for one in groups["data"][:2]] == [
        ("nginx", "web-1", 2),
        ("nginx", "web-2", 2),
    ]
    values = [
        one["attributes"]["numbers"]["cpu_total_percent"]
        for one in ask(client, "/processes?sort=cpu_total_percent&tags=command:nginx,host:web-1")["data"]
    ]
    told = groups["data"][0]["numbers"]["cpu_total_percent"]
    assert told == {"avg": sum(values) / 2, "p50": values[0], "p95": values[1], "known": 2}
    for wrong in ("by=a,b,c", "by=,", "by=env&statistics=p99", "by=env&sort=second", "by=env&limit=10001"):
        assert ask(client, f"/groups?{wrong}", 400)["errors"]


def test_hosts_say_whether_they_are_up_silent_or_shut_down(client: Client, served: Served) -> None:
    for host, silent_for in (("slow", 100), ("lost", 4000), ("off", 7000), ("forgotten", 100_000)):
        told = a_snapshot(
            a_sighting(1, NOON - 200_000), host=host, taken_at=NOON - silent_for, split_id=1, chunk_count=1
        )
        served.store.add([(ORG, told)])
    notices = (HostNotice(ORG, "slow", interval_seconds=60), HostNotice(ORG, "off", 10, shut_down_at=NOON - 6990))
    served.store.put_host_notices(notices)
    served.store.put_host_tags(HostTags(ORG, "lost", TagSource.USER, ("rack:7",)))

    answer = ask(client, f"/hosts?at={NOON}&silent_hours=24&search=nginx")

    assert [(one["host"], one["state"], one["booted_at"]) for one in answer["data"]] == [
        ("web-1", "up", NOON - 999),
        ("web-2", "up", NOON - 999),
    ]
    assert answer["silent"] == [
        {"host": "slow", "seen_at": NOON - 100, "state": "up", "tags": []},
        {"host": "lost", "seen_at": NOON - 4000, "state": "silent", "tags": ["rack:7"]},
        {"host": "off", "seen_at": NOON - 7000, "state": "shut down", "tags": []},
    ]
    assert "silent" not in ask(client, "/hosts")
    # Before it was shut down, nobody knew.
    then = ask(client, f"/hosts?at={NOON - 6995}&silent_hours=1")
    assert [(one["host"], one["state"]) for one in then["data"]] == [("off", "up")]
    ask(client, "/hosts?silent_hours=169", 400)


def test_instants_and_hosts_are_compared(client: Client) -> None:
    instants = ask(client, f"/compare?at={NOON - 60}&other_at={NOON}")
    assert instants["meta"]["match"] == "process"
    assert {name: instants["meta"][name] for name in ("started", "ended", "changed", "same")} == {
        "started": 2,
        "ended": 2,
        "changed": 2,
        "same": 2,
    }
    assert [item["attributes"]["pid"] for item in instants["started"]] == [4, 4]
    assert instants["changed"][0]["fields"] == ["user"]
    hosts = ask(client, f"/compare?host=web-1&other_host=web-2&at={NOON}")
    assert (hosts["meta"]["match"], hosts["meta"]["same"]) == ("command", 2)
    groups = ask(client, "/compare?search=nginx&other_search=init")
    assert [group["value"] for group in groups["ended"]] == ["nginx"]


@pytest.mark.parametrize(
    "path",
    [
        "/processes?at={at}",
        "/processes?from={since}&to={at}",
        "/processes?at={at}&page[offset]=7",
        "/tree?host=web-1&at={at}",
        "/facets?at={at}",
        "/facets?from={since}&to={at}",
        "/groups?by=command&at={at}",
        "/points?at={at}",
        "/hosts?at={at}",
        "/timeseries?from={since}&to={at}&points=2",
        "/timeseries?from={since}&to={at}&points=2&by=command",
        "/trends?from={since}&to={at}&points=2",
        "/turnover?from={since}&to={at}&points=2",
    ],
)
def test_an_answer_says_whether_anything_is_known_of_its_moment(client: Client, path: str) -> None:
    for at, is_known in ((NOON, True), (NOON - 3600, False)):
        for more, is_told in (
            ("", is_known),
            ("&search=nothing", is_known),
            ("&tags=nothing:*", is_known),
            ("&tags=host:WEB-1,nothing", is_known),
            ("&search=NOT host:web-1 NOT host:web-2", is_known),
            ("&search=nothing (host:web-9 OR host:web-*)", is_known),
            ("&tags=host:web-9", False),
            ("&tags=host:db-*", False),
            ("&search=host:web-9 OR host:web-8", False),
        ):
            told = is_known if path.startswith("/tree") else is_told
            answer = ask(client, path.format(at=at, since=at - 20) + more)
            assert answer["meta"]["known"] is told, (at, more)


def test_each_side_of_a_comparison_says_whether_it_is_known(client: Client) -> None:
    meta = ask(client, f"/compare?at={NOON - 3600}&other_at={NOON}")["meta"]

    assert (meta["left"]["known"], meta["right"]["known"]) == (False, True)
    assert (meta["right"]["total"], meta["started"], meta["ended"], meta["same"]) == (6, 0, 0, 0)
    meta = ask(client, f"/compare?host=web-1&other_host=web-9&at={NOON}")["meta"]
    assert (meta["left"]["known"], meta["right"]["known"]) == (True, False)


@pytest.mark.parametrize("match", ["process", "command"])
def test_a_host_that_was_silent_on_one_side_has_started_and_ended_nothing(
    client: Client, served: Served, match: str
) -> None:
    new = a_snapshot(a_sighting(1), a_sighting(2), host="web-3", taken_at=NOON - 5, split_id=9, chunk_count=1)
    served.store.add([(ORG, new)])
    with_new = ask(client, f"/compare?at={NOON - 60}&other_at={NOON}&match={match}")
    backwards = ask(client, f"/compare?at={NOON}&other_at={NOON - 60}&match={match}")
    without = ask(client, f"/compare?at={NOON - 60}&other_at={NOON}&match={match}&tags=!host:web-3")

    assert with_new["meta"]["left"]["silent_hosts"] == backwards["meta"]["right"]["silent_hosts"] == ["web-3"]
    assert with_new["meta"]["right"] == without["meta"]["right"] | {"total": 8}
    for name in ("started", "ended", "changed", "same"):
        assert with_new["meta"][name] == without["meta"][name]
    sides = ask(client, f"/compare?host=web-3&other_host=web-1&at={NOON}&match={match}")["meta"]
    assert (sides["left"]["silent"], sides["right"]["silent"]) == (0, 0)
    assert sides["started"] > 0


def test_the_public_list_says_nothing_of_what_is_known(client: Client) -> None:
    assert set(client.processes("search=nothing").json()["meta"]) == {"page"}


def test_views_are_saved_by_name(client: Client) -> None:
    def put(name: str, state: Any) -> Any:
        return client.request("PUT", f"{PREFIX}/views/{name}", headers=READER, json=state)

    assert put("Java%20hosts", {"state": "search=java"}).json()["views"] == [
        {"name": "Java hosts", "state": "search=java", "changed_at": NOON}
    ]
    assert put("a", {"state": ""}).status_code == 200
    assert [view["name"] for view in ask(client, "/views")["views"]] == ["Java hosts", "a"]
    for name, state in (("%00", {"state": ""}), ("x" * 101, {"state": ""}), ("b", {}), ("b", {"state": "x" * 8001})):
        assert put(name, state).status_code == 400
    assert client.request("DELETE", f"{PREFIX}/views/a", headers=READER).json()["views"][0]["name"] == "Java hosts"


@pytest.mark.parametrize(
    "path",
    [
        "/processes?sort=nothing",
        "/processes?at=soon",
        "/processes?at=1",
        "/processes?sort=pid&page[limit]=0",
        "/facets?keys=",
        "/facets?limit=0",
        "/facets?from=5&to=4",
        "/groups",
        "/groups?by=env&sort=sum:nothing",
        "/groups?by=env&measures=x",
        "/points?x=state",
        "/timeseries?points=1",
        "/trends?measures=threads",
        "/turnover?language=procession&search=cpu>50",
        "/hosts?search=(",
        "/compare?match=x",
    ],
)
def test_what_is_wrong_is_named(client: Client, path: str) -> None:
    assert ask(client, path, 400)["errors"]


def test_all_its_calls_count_as_one_family(served: Served) -> None:
    served.settings = ServerSettings(own_rate_limit=2)
    client = Client(served.app())

    statuses = [client.get(PREFIX + path, headers=READER).status_code for path in ("/facets", "/hosts", "/views")]

    assert statuses == [200, 200, 429]
    assert client.processes().status_code == 200
    client.close()


def test_a_comparison_names_fields_as_the_attributes_do(client: Client, served: Served) -> None:
    for at, group in ((NOON - 9, "staff"), (NOON - 4, "www")):
        process = a_sighting(7, group_name=group)
        served.store.add([(ORG, a_snapshot(process, host="web-9", taken_at=at, split_id=at, chunk_count=1))])

    (changed,) = ask(client, f"/compare?host=web-9&at={NOON - 9}&other_at={NOON}")["changed"]

    assert changed["fields"] == ["group"]
    assert [changed[side]["attributes"]["group"] for side in ("before", "after")] == ["staff", "www"]
