"""A network of every bad quality between agents and their server: each snapshot arrives once, some later."""

from __future__ import annotations

import pytest

from tests.faults.machines.hosts import NO_DIFFERENCE, PIDS
from tests.faults.machines.network import LINK, ROUNDS, TRIALS, Result, Trials
from tests.support.torture import quoted, record


@pytest.fixture(scope="module")
def results(trials: Trials) -> dict[str, Result | str]:
    return trials.results()


@pytest.mark.parametrize("name", [*TRIALS, "link"])
def test_each_snapshot_arrives_once_through_a_bad_network(results: dict[str, Result | str], name: str) -> None:
    trial, result = TRIALS.get(name, LINK), results[name]
    if isinstance(result, str):
        pytest.skip(result)

    assert result.difference == NO_DIFFERENCE
    assert sorted(result.times_listed.values()) == [1] * len(PIDS), result.times_listed
    said = [line for line in result.agent_said if "next try in" in line]
    if trial.said:
        assert any(trial.said in line for line in said), result.agent_said
        assert any("takes payloads again" in line for line in result.agent_said)
    else:
        assert said == []
    assert not any("Traceback" in line for line in result.agent_said + result.server_said)
    answered = quoted(said[0]) if said else "all taken, later"
    record(trial.what, times=ROUNDS, lost=len(result.difference.lost), answered=answered)
