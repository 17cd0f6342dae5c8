from __future__ import annotations

import json

import msgspec

from procession.accounts.visibility import Visibility
from procession.analysis import ProcessAtInstant
from procession.process import (
    ExitCost,
    ExitFacts,
    ProcessDetail,
    ProcessIdentity,
    ProcessKey,
    ProcessNumbers,
    ProcessSummary,
)
from procession.process_item import detailed_item, item_at_instant, public_item, utc_text
from tests.support.builders import NOON, a_description

PROCESS = ProcessSummary(ProcessIdentity("web-1", 7, NOON - 100), NOON, a_description(group_name="www", uid=33))

ALL = Visibility(1)


def shown(item: object) -> dict[str, object]:
    found: dict[str, object] = json.loads(msgspec.json.encode(item))
    return found


def test_the_public_item_has_datadogs_attributes_and_no_others() -> None:
    assert shown(public_item(ALL, PROCESS)) == {
        "type": "process",
        "id": ProcessKey.of(PROCESS.identity).id_of(1).hex(),
        "attributes": {
            "cmdline": "/usr/sbin/nginx -g daemon off;",
            "timestamp": "2023-11-14T22:13:20",
            "start": "2023-11-14T22:11:40",
            "user": "www-data",
            "pid": 7,
            "ppid": 1,
            "host": "web-1",
            "tags": ["host:web-1", "user:www-data", "command:nginx", "state_zombie:false"],
        },
    }


def test_the_detailed_item_begins_with_the_public_attributes() -> None:
    ended = ProcessDetail(
        ended_at=NOON + 10,
        exit_code=137,
        exit_facts=ExitFacts(True, "/system.slice", ExitCost(1.5, 0.25, 4096, None, 0)),
    )
    items = (public_item(ALL, PROCESS), detailed_item(ALL, PROCESS, ended))
    public, detailed = (shown(item)["attributes"] for item in items)
    assert isinstance(public, dict)
    assert isinstance(detailed, dict)

    assert list(detailed)[: len(public)] == list(public)
    assert detailed | public == detailed
    names = ("group", "uid", "ended", "exit_code", "signal", "oom_killed", "oom_cgroup", "cost", "args")
    assert {name: detailed[name] for name in names} == {
        "group": "www",
        "uid": 33,
        "ended": "2023-11-14T22:13:30",
        "exit_code": 137,
        "signal": "SIGKILL",
        "oom_killed": True,
        "oom_cgroup": "/system.slice",
        "cost": {
            "cpu_user_seconds": 1.5,
            "cpu_system_seconds": 0.25,
            "peak_rss_bytes": 4096,
            "read_bytes": None,
            "written_bytes": 0,
            "is_final": True,
        },
        "args": None,
    }


def test_at_an_instant_a_process_has_not_ended() -> None:
    attributes = shown(item_at_instant(ALL, ProcessAtInstant(PROCESS, ProcessNumbers(threads=3))))["attributes"]

    assert isinstance(attributes, dict)
    assert (attributes["ended"], attributes["exit_code"], attributes["numbers"]["threads"]) == (None, None, 3)


def test_moments_are_shown_in_utc_to_the_second() -> None:
    assert (utc_text(0), utc_text(2**32 - 1)) == ("1970-01-01T00:00:00", "2106-02-07T06:28:15")
