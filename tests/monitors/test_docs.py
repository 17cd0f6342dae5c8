"""Each query and option of docs/monitors.md is understood, and each message and reason exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.monitors import evaluator
from procession.monitors.evaluation import Rules
from procession.monitors.evaluator import Evaluation
from procession.monitors.group_state import Group, GroupState
from procession.monitors.monitor import Creator, new_monitor
from procession.monitors.observing.host_facts import KnownHosts
from procession.monitors.observing.observer import Observer
from procession.monitors.options import _CHECKS
from procession.monitors.query import Function, number_text, parse_monitor_query
from procession.monitors.transition import State
from procession.process import ExitFacts, ProcessNumbers, Sighting
from tests.support.builders import NOON, a_sighting, a_snapshot
from tests.support.stores.analysis_oracle import OracleAnalysis
from tests.support.stores.oracle import OracleStore

DOCS = (Path(__file__).parent.parent.parent / "docs" / "monitors.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^\| `(processes\([^|]*)` \|", DOCS, re.MULTILINE)
MINUTE = NOON // 60 * 60


def test_every_function_has_an_example() -> None:
    assert {parse_monitor_query(text).function for text in EXAMPLES} == set(Function)


@pytest.mark.parametrize("text", EXAMPLES)
def test_an_example_alerts_when_the_docs_say_so_and_not_before(text: str) -> None:
    """A quiet minute, nearly a day after a backup that ended well, and then minutes in which nginx is gone, workers are
    killed for want of memory, and Java is heavy and new."""
    query = parse_monitor_query(text)
    small = query.threshold if query.function is not Function.COUNT_NOW or query.comparison == "<" else 3.0
    text = re.sub(r"[\d.]+$", f"{number_text(small)}", text)
    store = OracleStore()
    states: dict[Group, GroupState] = {}
    rules = Rules.of(
        new_monitor(
            1,
            7,
            {"type": "process alert", "query": text, "options": {"new_host_delay": 0}},
            creator=Creator(1, "", "", ""),
            changed_by="",
            now_us=0,
        )
    )
    yesterday = MINUTE - 24 * 3600
    backup = a_sighting(90, command="backup", cmdline="backup", exe="", started_at=yesterday)
    store.add([(1, a_snapshot(backup, taken_at=yesterday + 120, chunk_count=1))])
    end(store, backup, yesterday + 150, exit_code=0)
    killed: Sighting | None = None
    found = []
    for minute in range(9):
        at = MINUTE + 60 * minute
        init = a_sighting(1, command="init", cmdline="init", exe="", started_at=MINUTE - 9000)
        nginx = a_sighting(2, tags=("env:prod",), started_at=MINUTE - 9000)
        worker = a_sighting(10 + minute, command="worker", cmdline="worker", exe="", started_at=at)
        heavy = ProcessNumbers(rss_bytes=9 * 10**9, cpu_total_percent=399.0)
        java = a_sighting(3, command="java", cmdline="java", exe="", started_at=at, numbers=heavy)
        there = [init, worker, java, a_sighting(4, cmdline="x", exe="")] if minute else [init, nginx]
        store.add([(1, a_snapshot(*there, taken_at=at + 30, chunk_count=1))])
        if killed is not None:
            end(store, killed, at + 10, exit_code=137, is_oom=True)
        killed = worker if minute else None
        observer = Observer(store, OracleAnalysis(store), KnownHosts(store), 1, rules.moment(at + 60, at + 60))
        outcome = Evaluation(rules, states, observer).run()
        states = outcome.states
        found.append({one.state for one in outcome.states.values()})

    assert State.ALERT not in found[0]
    assert State.ALERT in set().union(*found)


def end(store: OracleStore, one: Sighting, at: int, *, exit_code: int, is_oom: bool = False) -> None:
    facts = ExitFacts(is_oom, "/shop" if is_oom else "")
    ended = ProcessExit(pid=one.pid, at=at, exit_code=exit_code, description=one.description, facts=facts)
    store.add_exits([(1, ProcessExits(a_snapshot(taken_at=at).host, (ended,)))])


def test_every_option_that_is_checked_is_in_the_docs() -> None:
    named = set(re.findall(r"`(\w+)`", DOCS.split("| option |")[1].split("\n\n")[0]))
    only_echoed = {"notify_audit", "include_tags", "locked", "notification_preset_name"}

    assert set(_CHECKS) - only_echoed - named == set()


def test_every_reason_is_in_the_docs() -> None:
    reasons = set(re.findall(r"^\| `([a-z ]+)` \|", DOCS.split("| reason |")[1].split("\n\n")[0], re.MULTILINE))

    assert reasons == {evaluator.PROCESS_GONE, evaluator.HOST_GONE, evaluator.AGENT_SILENT}
