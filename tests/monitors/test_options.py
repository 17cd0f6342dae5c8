from __future__ import annotations

from typing import Any

from procession.monitors.options import OnMissingData, Options, checked_options, options_of
from procession.monitors.query import parse_monitor_query

QUERY = parse_monitor_query("processes('a').rollup('count').last('5m') > 2")
BY_HOST = parse_monitor_query("processes('a').by('host').rollup('count').last('5m') > 2")


def options(by_host: bool = False, **sent: Any) -> Options:
    query = BY_HOST if by_host else QUERY
    return options_of(checked_options(sent, query), query)


def test_all_options_reach_evaluation_in_its_units() -> None:
    found = options(
        thresholds={"critical": 2, "critical_recovery": 1.5, "warning": 1, "warning_recovery": 0.5},
        no_data_timeframe=10,
        notify_no_data=True,
        new_group_delay=500,
        evaluation_delay=700,
        renotify_interval=60,
        renotify_occurrences=5,
        renotify_statuses=["alert", "warn"],
        timeout_h=1,
        escalation_message="up",
        require_full_window=True,
        group_retention_duration="2d",
        silenced={"*": None, "host:a": 7},
    )

    assert found == Options(
        critical=2,
        warning=1,
        critical_recovery=1.5,
        warning_recovery=0.5,
        missing=OnMissingData.SHOW_AND_NOTIFY,
        no_data_seconds=600,
        new_group_delay=500,
        evaluation_delay=700,
        renotify_seconds=3600,
        renotify_occurrences=5,
        renotify_statuses=("alert", "warn"),
        timeout_seconds=3600,
        escalation_message="up",
        require_full_window=True,
        expected_seconds=2 * 86400,
        silenced=(("*", None), ("host:a", 7)),
    )


def test_a_new_host_is_waited_for_as_long_as_datadog_waits() -> None:
    assert options().new_group_delay == 0
    assert options(by_host=True).new_group_delay == 300
    assert options(by_host=True, new_host_delay=20).new_group_delay == 20
    assert options(by_host=True, new_host_delay=20, new_group_delay=40).new_group_delay == 40


def test_a_group_is_expected_for_90_days_at_most() -> None:
    found = [options(group_retention_duration=text).expected_seconds for text in ("2h", "90d", "91d", "99999d")]

    assert found == [7200, 90 * 86400, 90 * 86400, 90 * 86400]


def test_what_missing_data_means_is_said_in_either_of_two_ways() -> None:
    assert options().missing is OnMissingData.SHOW
    assert options(notify_no_data=True).missing is OnMissingData.SHOW_AND_NOTIFY
    assert options(on_missing_data="default").missing is OnMissingData.SHOW
    assert options(on_missing_data="resolve").missing is OnMissingData.RESOLVE
