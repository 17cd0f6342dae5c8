"""Keeps monitors, webhooks and downtimes in the order of the other languages, with the bodies that they all have, and
asks for numbers and containers.

`python monitors.py cases.json`
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException
from datadog_api_client.v1.api.authentication_api import AuthenticationApi
from datadog_api_client.v1.api.dashboard_lists_api import DashboardListsApi
from datadog_api_client.v1.api.monitors_api import MonitorsApi
from datadog_api_client.v1.api.webhooks_integration_api import WebhooksIntegrationApi
from datadog_api_client.v1.model.monitor import Monitor
from datadog_api_client.v1.model.monitor_update_request import MonitorUpdateRequest
from datadog_api_client.v1.model.webhooks_integration import WebhooksIntegration
from datadog_api_client.v1.model.webhooks_integration_custom_variable import WebhooksIntegrationCustomVariable
from datadog_api_client.v1.model.webhooks_integration_custom_variable_update_request import (
    WebhooksIntegrationCustomVariableUpdateRequest,
)
from datadog_api_client.v1.model.webhooks_integration_update_request import WebhooksIntegrationUpdateRequest
from datadog_api_client.v2.api.containers_api import ContainersApi
from datadog_api_client.v2.api.downtimes_api import DowntimesApi
from datadog_api_client.v2.api.metrics_api import MetricsApi
from datadog_api_client.v2.model.downtime_create_request import DowntimeCreateRequest
from datadog_api_client.v2.model.downtime_update_request import DowntimeUpdateRequest
from datadog_api_client.v2.model.scalar_formula_query_request import ScalarFormulaQueryRequest
from datadog_api_client.v2.model.timeseries_formula_query_request import TimeseriesFormulaQueryRequest


def main(path: str) -> None:
    for case in json.loads(Path(path).read_text()):
        configuration = Configuration(host=case["url"])
        configuration.api_key = {"apiKeyAuth": case["api_key"], "appKeyAuth": case["application_key"]}
        with ApiClient(configuration) as client:
            keeper = Keeper(client, case["bodies"])
            monitor = keeper.monitors()
            keeper.webhooks()
            keeper.downtimes(monitor)
            keeper.leave(monitor)
            keeper.queries()
            keeper.containers()


class Keeper:
    def __init__(self, client: ApiClient, bodies: dict[str, Any]) -> None:
        self._client = client
        self._bodies = bodies

    def monitors(self) -> int:
        api = MonitorsApi(self._client)
        monitor = self._read("monitor", Monitor)
        say("keys", AuthenticationApi(self._client).validate)
        say("validate", lambda: api.validate_monitor(monitor))
        made: int = say("create", lambda: api.create_monitor(monitor)).id
        say("read", lambda: api.get_monitor(made, group_states="all", with_downtimes=True))
        say("validate existing", lambda: api.validate_existing_monitor(made, monitor))
        say("update", lambda: api.update_monitor(made, self._read("monitor update", MonitorUpdateRequest)))
        say("second", lambda: api.create_monitor(self._read("second monitor", Monitor)))
        say("list", lambda: api.list_monitors(name="web", monitor_tags="team:web"))
        say("pages", lambda: list(api.list_monitors_with_pagination(page_size=1)))
        say("search", lambda: api.search_monitors(query="web is"))
        say("search groups", lambda: api.search_monitor_groups(query="web is"))
        say("can delete", lambda: api.check_can_delete_monitor([made]))
        say("bad query", lambda: api.create_monitor(self._read("bad query", Monitor)))
        say("other type", lambda: api.create_monitor(self._read("other type", Monitor)))
        return made

    def webhooks(self) -> None:
        api = WebhooksIntegrationApi(self._client)
        change = self._read("webhook update", WebhooksIntegrationUpdateRequest)
        say("webhook", lambda: api.create_webhooks_integration(self._read("webhook", WebhooksIntegration)))
        say("webhook read", lambda: api.get_webhooks_integration("oncall"))
        say("webhook update", lambda: api.update_webhooks_integration("oncall", change))
        say("webhook delete", lambda: api.delete_webhooks_integration("oncall"))
        say("webhook gone", lambda: api.get_webhooks_integration("oncall"))

        variable = self._read("variable", WebhooksIntegrationCustomVariable)
        other = self._read("variable update", WebhooksIntegrationCustomVariableUpdateRequest)
        say("variable", lambda: api.create_webhooks_integration_custom_variable(variable))
        say("variable read", lambda: api.get_webhooks_integration_custom_variable("TOKEN"))
        say("variable update", lambda: api.update_webhooks_integration_custom_variable("TOKEN", other))
        say("variable delete", lambda: api.delete_webhooks_integration_custom_variable("TOKEN"))

    def downtimes(self, monitor: int) -> None:
        api = DowntimesApi(self._client)
        once = say("downtime once", lambda: api.create_downtime(self._read("downtime once", DowntimeCreateRequest)))
        weekly = say(
            "downtime weekly", lambda: api.create_downtime(self._read("downtime weekly", DowntimeCreateRequest))
        )
        say("downtime read", lambda: api.get_downtime(weekly.data.id))
        change = self._read("downtime update", DowntimeUpdateRequest)
        change.data.id = once.data.id
        say("downtime update", lambda: api.update_downtime(once.data.id, change))
        say("downtimes", lambda: list(api.list_downtimes_with_pagination(current_only=True, page_limit=1)))
        say("downtimes of the monitor", lambda: api.list_monitor_downtimes(monitor))
        say("downtime cancel", lambda: api.cancel_downtime(once.data.id))
        say("downtime canceled", lambda: api.get_downtime(once.data.id))

    def leave(self, monitor: int) -> None:
        api = MonitorsApi(self._client)
        say("delete", lambda: api.delete_monitor(monitor))
        say("gone", lambda: api.get_monitor(monitor))

    def queries(self) -> None:
        api = MetricsApi(self._client)
        for name in ("timeseries", "two sources", "container timeseries"):
            asked = self._read(name, TimeseriesFormulaQueryRequest)
            say(name, partial(api.query_timeseries_data, asked))
        for name in ("scalar", "container scalar"):
            say(name, partial(api.query_scalar_data, self._read(name, ScalarFormulaQueryRequest)))
        say("elsewhere", lambda: DashboardListsApi(self._client).get_dashboard_list(7))

    def containers(self) -> None:
        api = ContainersApi(self._client)
        say("containers", lambda: list(api.list_containers_with_pagination(page_size=2, sort="-name")))
        say("containers of production", lambda: api.list_containers(filter_tags="env:prod,!team:db"))
        say("container groups", lambda: list(api.list_containers_with_pagination(group_by="env,team", page_size=1)))
        say("bad containers", lambda: api.list_containers(sort="nothing"))

    def _read(self, name: str, model: type) -> Any:
        """As the client's own model reads it."""
        return understood(self._client.deserialize(json.dumps(self._bodies[name]), (model,), True))


def say(name: str, call: Callable[[], Any]) -> Any:
    line: dict[str, Any] = {"name": name, "status": 200}
    value = None
    try:
        value = understood(call())
        line["value"] = [one.to_dict() for one in value] if isinstance(value, list) else plain(value)
    except ApiException as refused:
        line |= {"status": refused.status, "errors": list(refused.body["errors"])}
    sys.stdout.write(f"{json.dumps(line, default=str)}\n")
    return value


def plain(value: Any) -> Any:
    return value.to_dict() if hasattr(value, "to_dict") else value


def understood(value: Any) -> Any:
    """The client hides what it has not understood in a field, which would come out as if all was well."""
    for one in value if isinstance(value, list) else [value]:
        if getattr(one, "_unparsed", False):
            raise ValueError(f"not understood: {one}")
    return value


if __name__ == "__main__":
    main(sys.argv[1])
