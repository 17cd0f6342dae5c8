"""Datadog's Python client makes, reads, changes, lists, searches, validates and deletes a monitor, without a change."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v1.api.authentication_api import AuthenticationApi
from datadog_api_client.v1.api.monitors_api import MonitorsApi
from datadog_api_client.v1.model.monitor import Monitor
from datadog_api_client.v1.model.monitor_options import MonitorOptions
from datadog_api_client.v1.model.monitor_overall_states import MonitorOverallStates
from datadog_api_client.v1.model.monitor_renotify_status_type import MonitorRenotifyStatusType
from datadog_api_client.v1.model.monitor_thresholds import MonitorThresholds
from datadog_api_client.v1.model.monitor_type import MonitorType
from datadog_api_client.v1.model.monitor_update_request import MonitorUpdateRequest

from tests.support.served import API_KEY, APPLICATION_KEY, Served, a_store

QUERY = "processes('nginx').over('env:prod').by('host').rollup('count').last('5m') < 1"


@pytest.fixture(scope="module")
def client() -> Iterator[ApiClient]:
    with Served(a_store()).server() as url:
        configuration = Configuration(host=url)
        configuration.api_key = {"apiKeyAuth": API_KEY, "appKeyAuth": APPLICATION_KEY}
        with ApiClient(configuration) as client:
            yield client


def a_monitor(query: str = QUERY) -> Monitor:
    return Monitor(
        name="nginx is gone",
        type=MonitorType.PROCESS_ALERT,
        query=query,
        message="gone @webhook-ops",
        tags=["team:web"],
        priority=2,
        options=MonitorOptions(
            thresholds=MonitorThresholds(critical=1.0, warning=2.0),
            notify_no_data=True,
            no_data_timeframe=10,
            renotify_interval=60,
            renotify_statuses=[MonitorRenotifyStatusType.ALERT],
            require_full_window=False,
        ),
    )


def test_the_python_client_does_all_there_is_to_do_with_a_monitor(client: ApiClient) -> None:
    api = MonitorsApi(client)
    assert AuthenticationApi(client).validate().valid
    assert api.validate_monitor(a_monitor()) is not None

    made = api.create_monitor(a_monitor())
    assert (made.name, made.query, made.tags, made.priority) == ("nginx is gone", QUERY, ["team:web"], 2)
    assert (made.options.thresholds.critical, made.options.thresholds.warning) == (1.0, 2.0)
    assert made.overall_state == MonitorOverallStates.NO_DATA
    assert made.multi

    read = api.get_monitor(made.id, group_states="all", with_downtimes=True)
    assert (read.id, read.created, read.state.groups) == (made.id, made.created, {})
    assert api.validate_existing_monitor(made.id, a_monitor()) is not None

    changed = api.update_monitor(made.id, MonitorUpdateRequest(name="web is gone", priority=None))
    assert (changed.name, changed.priority, changed.query) == ("web is gone", None, QUERY)

    assert [one.id for one in api.list_monitors(name="web", monitor_tags="team:web")] == [made.id]
    assert [one.id for one in api.list_monitors_with_pagination(page_size=1)] == [made.id]
    found = api.search_monitors(query="web is")
    assert ([one.id for one in found.monitors], found.metadata.total_count) == ([made.id], 1)
    assert api.search_monitor_groups(query="web is").groups == []
    assert api.check_can_delete_monitor([made.id]).data.ok == [made.id]

    assert api.delete_monitor(made.id).deleted_monitor_id == made.id
    with pytest.raises(ApiException, match="Monitor not found") as gone:
        api.get_monitor(made.id)
    assert gone.value.status == 404


def test_the_python_client_is_told_what_is_wrong(client: ApiClient) -> None:
    with pytest.raises(ApiException, match="expected a number at character") as refusal:
        MonitorsApi(client).create_monitor(a_monitor(QUERY.replace("< 1", "< x")))

    assert refusal.value.status == 400
