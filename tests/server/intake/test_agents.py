from __future__ import annotations

import asyncio
import logging
from typing import Any

import pytest

from procession.server.intake import agents as module
from procession.server.intake.agents import GONE_SECONDS, Agents


class Moment:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def _info(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "procession")


@pytest.fixture
def moment() -> Moment:
    return Moment()


def headers(host: str = "web-1", version: str = "0.1.0") -> dict[str, str]:
    return {"x-dd-hostname": host, "x-dd-processagentversion": version}


def events(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [dict(record.args) for record in caplog.records if isinstance(record.args, dict)]


def test_an_agent_is_spoken_of_when_it_comes_changes_and_goes(caplog: pytest.LogCaptureFixture, moment: Moment) -> None:
    agents = Agents(moment)

    for version in ("0.1.0", "0.1.0", "0.2.0", "0.2.0"):
        agents.posted(1, headers(version=version))
    moment.now += GONE_SECONDS
    agents.forget_silent()
    moment.now += 1
    agents.forget_silent()
    agents.forget_silent()
    agents.posted(1, headers(version="0.2.0"))

    assert caplog.messages == [
        "the agent of 'web-1' posts, version 0.1.0",
        "the agent of 'web-1' has version 0.2.0 now, and had 0.1.0",
        "the agent of 'web-1' has not posted for 120 s",
        "the agent of 'web-1' posts, version 0.2.0",
    ]
    assert [event["event"] for event in events(caplog)] == ["agent-seen", "agent-changed", "agent-gone", "agent-seen"]
    assert events(caplog)[1] == {
        "event": "agent-changed", "org_id": 1, "host": "web-1", "version": "0.2.0", "before": "0.1.0", "left_out": 0,
    }  # fmt: skip


def test_hosts_of_two_orgs_with_one_name_are_two(caplog: pytest.LogCaptureFixture, moment: Moment) -> None:
    agents = Agents(moment)

    for org_id in (1, 2):
        agents.posted(org_id, headers())

    assert [event["org_id"] for event in events(caplog)] == [1, 2]


def test_a_fleet_that_comes_at_once_does_not_fill_the_log(caplog: pytest.LogCaptureFixture, moment: Moment) -> None:
    agents = Agents(moment)

    for number in range(1000):
        agents.posted(1, headers(f"web-{number}"))
    moment.now += 60
    agents.posted(1, headers("another"))

    assert len(caplog.messages) == 31
    assert caplog.messages[-1] == "the agent of 'another' posts, version 0.1.0; 970 more of this kind were left out"


def test_a_name_that_an_agent_makes_up_is_one_line(caplog: pytest.LogCaptureFixture, moment: Moment) -> None:
    Agents(moment).posted(1, headers("web\n2026-01-01 root logged in\x1b[31m", version="1\n2"))

    assert caplog.messages == [r"the agent of 'web\n2026-01-01 root logged in\x1b[31m' posts, version unknown"]


def test_who_has_gone_is_found_while_a_server_runs(
    caplog: pytest.LogCaptureFixture, moment: Moment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.01)
    agents = Agents(moment)
    agents.posted(1, headers())
    moment.now += GONE_SECONDS + 1

    async def run() -> None:
        async with agents.watched(), asyncio.timeout(30):
            while agents._hosts:
                await asyncio.sleep(0.01)

    asyncio.run(run())

    assert caplog.messages[-1] == "the agent of 'web-1' has not posted for 120 s"
    assert agents.by_version() == {}


def test_an_agent_that_can_read_nothing_is_said_once_and_when_it_can_again(
    caplog: pytest.LogCaptureFixture, moment: Moment
) -> None:
    agents = Agents(moment)

    agents.posted(1, headers() | {"x-procession-unreadable": "57"})
    agents.posted(1, headers() | {"x-procession-unreadable": "58"})
    blind = agents.blind()
    agents.posted(1, headers())
    agents.posted(1, headers() | {"x-procession-unreadable": "many"})

    assert blind == 1
    assert agents.blind() == 0
    assert caplog.messages[1:] == [
        "the agent of 'web-1' can read none of the 57 processes there",
        "the agent of 'web-1' can read processes again",
    ]
    assert [record.levelname for record in caplog.records] == ["INFO", "WARNING", "INFO"]


def test_an_agent_that_has_gone_is_not_counted_as_blind(moment: Moment) -> None:
    agents = Agents(moment)
    agents.posted(1, headers() | {"x-procession-unreadable": "57"})
    moment.now += GONE_SECONDS + 1

    assert agents.blind() == 0


def test_versions_are_those_of_an_org_that_posted_a_short_time_ago(moment: Moment) -> None:
    agents = Agents(moment)
    agents.posted(1, headers(version="7.60.0"))
    agents.posted(2, headers("web-2"))

    assert agents.versions(1) == {"web-1": "7.60.0"}

    moment.now += GONE_SECONDS + 1

    assert agents.versions(1) == {}


def test_blind_hosts_are_those_of_an_org_for_as_long_as_they_say_so(moment: Moment) -> None:
    agents = Agents(moment)
    for host, count in (("web-2", 58), ("web-1", 57), ("web-3", 5), ("gone", 9)):
        agents.posted(1, headers(host) | {"x-procession-unreadable": str(count)})
    agents.posted(2, headers("theirs") | {"x-procession-unreadable": "1"})
    moment.now += GONE_SECONDS
    for host in ("web-1", "web-2"):
        agents.posted(1, headers(host) | {"x-procession-unreadable": "60"})
    agents.posted(1, headers("web-3"))
    moment.now += 1

    assert list(agents.blind_hosts(1).items()) == [("web-1", 60), ("web-2", 60)]
    agents.forget_silent()
    assert agents.blind() == len(agents.blind_hosts(1)) == 2
