"""Datadog's official client, unchanged, keeps webhooks, their variables and downtimes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from datadog_api_client import ApiClient, Configuration
from datadog_api_client.exceptions import ApiException, NotFoundException
from datadog_api_client.v1.api.webhooks_integration_api import WebhooksIntegrationApi
from datadog_api_client.v1.model.webhooks_integration import WebhooksIntegration
from datadog_api_client.v1.model.webhooks_integration_custom_variable import WebhooksIntegrationCustomVariable
from datadog_api_client.v1.model.webhooks_integration_custom_variable_update_request import (
    WebhooksIntegrationCustomVariableUpdateRequest,
)
from datadog_api_client.v1.model.webhooks_integration_encoding import WebhooksIntegrationEncoding
from datadog_api_client.v1.model.webhooks_integration_update_request import WebhooksIntegrationUpdateRequest
from datadog_api_client.v2.api.downtimes_api import DowntimesApi
from datadog_api_client.v2.model.downtime_create_request import DowntimeCreateRequest
from datadog_api_client.v2.model.downtime_update_request import DowntimeUpdateRequest

from tests.support.builders import NOON
from tests.support.served import API_KEY, APPLICATION_KEY, Served, a_store


@pytest.fixture(scope="module")
def client() -> Iterator[ApiClient]:
    with Served(a_store()).server() as url:
        configuration = Configuration(host=url)
        configuration.api_key = {"apiKeyAuth": API_KEY, "appKeyAuth": APPLICATION_KEY}
        with ApiClient(configuration) as client:
            yield client


def test_webhooks_are_made_read_changed_and_deleted(client: ApiClient) -> None:
    api = WebhooksIntegrationApi(client)
    made = api.create_webhooks_integration(
        WebhooksIntegration(
            name="oncall",
            url="https://example.org/hook",
            payload='{"title": "$EVENT_TITLE"}',
            custom_headers='{"Authorization": "Bearer $TOKEN"}',
            encode_as=WebhooksIntegrationEncoding.FORM,
        )
    )

    assert api.get_webhooks_integration("oncall").to_dict() == made.to_dict()
    assert made.custom_headers == '{"Authorization": "Bearer $TOKEN"}'
    changed = api.update_webhooks_integration("oncall", WebhooksIntegrationUpdateRequest(url="https://example.org/2"))
    assert (changed.url, changed.payload, str(changed.encode_as)) == ("https://example.org/2", made.payload, "form")
    with pytest.raises(ApiException) as refused:
        api.create_webhooks_integration(WebhooksIntegration(name="oncall", url="https://example.org/"))
    assert refused.value.status == 400
    api.delete_webhooks_integration("oncall")
    with pytest.raises(NotFoundException):
        api.get_webhooks_integration("oncall")


def test_a_secret_variable_is_never_read_back(client: ApiClient) -> None:
    api = WebhooksIntegrationApi(client)
    make = api.create_webhooks_integration_custom_variable
    shown = make(WebhooksIntegrationCustomVariable(name="PLACE", value="attic", is_secret=False))
    secret = make(WebhooksIntegrationCustomVariable(name="TOKEN", value="s3cret", is_secret=True))

    assert shown.to_dict() == {"name": "PLACE", "value": "attic", "is_secret": False}
    read = api.get_webhooks_integration_custom_variable("TOKEN")
    assert read.to_dict() == secret.to_dict() == {"name": "TOKEN", "is_secret": True}
    with pytest.raises(ApiException) as refused:
        api.update_webhooks_integration_custom_variable(
            "TOKEN", WebhooksIntegrationCustomVariableUpdateRequest(is_secret=False)
        )
    assert refused.value.status == 400
    api.delete_webhooks_integration_custom_variable("TOKEN")
    with pytest.raises(NotFoundException):
        api.get_webhooks_integration_custom_variable("TOKEN")


def create_request(**attributes: Any) -> DowntimeCreateRequest:
    given = {"scope": "env:(staging OR prod)", "monitor_identifier": {"monitor_tags": ["team:web"]}}
    data: Any = {"type": "downtime", "attributes": given | attributes}
    return DowntimeCreateRequest(data=data)


def test_downtimes_are_made_read_changed_listed_and_canceled(client: ApiClient) -> None:
    api = DowntimesApi(client)
    begin = datetime.fromtimestamp(NOON, UTC)
    once = api.create_downtime(
        create_request(message="deploy", schedule={"start": begin, "end": begin + timedelta(hours=2)})
    ).data
    weekly = api.create_downtime(
        create_request(
            schedule={
                "timezone": "Europe/Berlin",
                "recurrences": [{"duration": "2h", "rrule": "FREQ=WEEKLY;BYDAY=SA", "start": "2026-01-03T20:00:00"}],
            },
            notify_end_states=["alert"],
            notify_end_types=["canceled", "expired"],
            mute_first_recovery_notification=True,
        )
    ).data

    assert str(once.attributes.status) == "active"
    assert once.attributes.schedule.end == begin + timedelta(hours=2)
    assert str(weekly.attributes.status) == "scheduled"
    assert weekly.attributes.schedule.recurrences[0].rrule == "FREQ=WEEKLY;BYDAY=SA"
    assert weekly.attributes.schedule.current_downtime.start.weekday() == 5
    assert api.get_downtime(weekly.id).data.to_dict() == weekly.to_dict()
    assert {one.id for one in api.list_downtimes().data} >= {once.id, weekly.id}
    data: Any = {"type": "downtime", "id": once.id, "attributes": {"scope": "host:web-1"}}
    changed = api.update_downtime(once.id, DowntimeUpdateRequest(data=data)).data
    assert (changed.attributes.scope, changed.attributes.message) == ("host:web-1", "deploy")
    data = {"type": "downtime", "id": once.id, "attributes": {"schedule": {"start": begin + timedelta(minutes=5)}}}
    moved = api.update_downtime(once.id, DowntimeUpdateRequest(data=data)).data
    assert moved.attributes.schedule.end == begin + timedelta(hours=2)
    api.cancel_downtime(once.id)
    assert str(api.get_downtime(once.id).data.attributes.status) == "canceled"
    assert once.id not in {one.id for one in api.list_downtimes(current_only=True).data}


@pytest.mark.parametrize(
    "attributes",
    [
        {"scope": "((("},
        {"monitor_identifier": {"monitor_tags": []}},
        {"schedule": {"start": datetime(2020, 1, 1, tzinfo=UTC), "end": datetime(2020, 1, 2, tzinfo=UTC)}},
        {"schedule": {"timezone": "Mars", "recurrences": [{"duration": "1h", "rrule": "FREQ=DAILY"}]}},
        {"schedule": {"timezone": "UTC", "recurrences": [{"duration": "1h", "rrule": "FREQ=SECONDLY"}]}},
        {"schedule": {"timezone": "UTC", "recurrences": [{"duration": "1y", "rrule": "FREQ=DAILY"}]}},
    ],
)
def test_what_is_no_downtime_is_refused_with_words(client: ApiClient, attributes: dict[str, Any]) -> None:
    with pytest.raises(ApiException) as refused:
        DowntimesApi(client).create_downtime(create_request(**attributes))

    assert refused.value.status == 400
    assert refused.value.body["errors"]
