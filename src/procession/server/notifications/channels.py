"""Channels of notifications: who is told and where, and how that goes."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.orgs import Key
from procession.accounts.scopes import Scope
from procession.delivery.notifier import Notifier
from procession.errors import InvalidRequest, NotFound
from procession.notifications.channels import (
    MAX_CHANNELS,
    AlertmanagerChannel,
    Channel,
    EmailChannel,
    PagerDutyChannel,
    SlackChannel,
    Webhook,
    check_channel,
    check_name,
    handle_of,
    kind_of,
)
from procession.notifications.message import title
from procession.notifications.notification import Delivery, Notification, as_of
from procession.notifications.trial import trial_of_channel
from procession.server.access.sessions import Sessions
from procession.server.api.routes import PREFIX, ApiRouter
from procession.server.http.responses import json_response
from procession.server.notifications.body import object_of
from procession.server.runtime.change_recorder import ChangeRecorder
from procession.server.runtime.thread_pools import FairThreadPool
from procession.storage import NotificationSettingsStore, OutboxStore

MAX_NOTIFICATIONS = 1_000
DAY_SECONDS = 86400

_KINDS: dict[str, type[EmailChannel] | type[SlackChannel] | type[PagerDutyChannel] | type[AlertmanagerChannel]] = {
    "email": EmailChannel,
    "slack": SlackChannel,
    "pagerduty": PagerDutyChannel,
    "alertmanager": AlertmanagerChannel,
}

_log = logging.getLogger(__name__)


def channel_routes(
    *,
    api: ApiRouter,
    settings: NotificationSettingsStore,
    changes: ChangeRecorder,
    outbox: OutboxStore,
    sessions: Sessions,
    threads: FairThreadPool,
    now: Callable[[], int],
    notifier: Notifier,
) -> list[Route]:
    channels = Channels(api, settings, changes, outbox, sessions, threads, now, notifier)
    one = f"{PREFIX}/channels/{{kind}}/{{name}}"
    return [
        Route(f"{PREFIX}/channels", channels.list_all, methods=["GET"]),
        Route(one, channels.put, methods=["PUT"]),
        Route(one, channels.delete, methods=["DELETE"]),
        Route(f"{one}/test", channels.test, methods=["POST"]),
        Route(f"{PREFIX}/notifications", channels.list_notifications, methods=["GET"]),
    ]


class Channels:
    """No answer has a secret in it: neither the key of PagerDuty nor the address of Slack's webhook."""

    def __init__(
        self,
        api: ApiRouter,
        settings: NotificationSettingsStore,
        changes: ChangeRecorder,
        outbox: OutboxStore,
        sessions: Sessions,
        threads: FairThreadPool,
        now: Callable[[], int],
        notifier: Notifier,
    ) -> None:
        self._api = api
        self._settings = settings
        self._changes = changes
        self._outbox = outbox
        self._sessions = sessions
        self._threads = threads
        self._now = now
        self._notifier = notifier

    async def list_all(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MANAGE_INTEGRATIONS)
        return json_response(await self._threads.run(key.org_id, lambda: self._answer(key.org_id)))

    async def put(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MANAGE_INTEGRATIONS)
        channel = _channel(request, await object_of(request))

        def put() -> dict[str, Any]:
            channels = self._settings.channels(key.org_id)
            before = _with_handle(channels, handle_of(channel))
            if len(channels) >= MAX_CHANNELS and before is None:
                raise InvalidRequest(f"This org has {MAX_CHANNELS} channels already")
            self._changes.record_channel(key, before, channel)
            self._settings.put_channel(key.org_id, channel)
            return self._answer(key.org_id)

        answer = await self._threads.run(key.org_id, put)
        _say("changed", key, handle_of(channel))
        return json_response(answer)

    async def delete(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MANAGE_INTEGRATIONS)
        check_name(request.path_params["name"])
        handle = f"{_kind(request)}-{request.path_params['name']}"

        def delete() -> dict[str, Any]:
            self._changes.record_channel(key, _with_handle(self._settings.channels(key.org_id), handle), None)
            self._settings.delete_channel(key.org_id, handle)
            return self._answer(key.org_id)

        answer = await self._threads.run(key.org_id, delete)
        _say("deleted", key, handle)
        return json_response(answer)

    async def test(self, request: Request) -> Response:
        """Send something, so that its result shows whether the channel is well; also to a webhook."""
        key = await self._admit(request, Scope.MANAGE_INTEGRATIONS)
        check_name(request.path_params["name"])
        handle = f"{request.path_params['kind']}-{request.path_params['name']}"
        cycle_key = f"test-{secrets.token_hex(8)}"

        def send() -> None:
            channel = next((one for one in self._settings.channels(key.org_id) if handle_of(one) == handle), None)
            if channel is None:
                raise NotFound("Channel not found")
            self._notifier.put([trial_of_channel(key.org_id, channel, cycle_key, self._now())])

        await self._threads.run(key.org_id, send)
        return json_response({"cycle_key": cycle_key, "sent_to": [handle]})

    async def list_notifications(self, request: Request) -> Response:
        key = await self._admit(request, Scope.MONITORS_READ)
        now = self._now()
        since = now - 7 * DAY_SECONDS
        found = await self._threads.run(
            key.org_id, lambda: self._outbox.notifications(key.org_id, since, MAX_NOTIFICATIONS)
        )
        return json_response({"notifications": [_notification_item(as_of(one, now)) for one in found]})

    async def _admit(self, request: Request, scope: Scope) -> Key:
        key = await self._sessions.key_with(scope, request)
        self._api.count(request, key.org_id)
        return key

    def _answer(self, org_id: int) -> dict[str, Any]:
        """All channels, each with how its newest notification of the last day went."""
        since = self._now() - DAY_SECONDS
        newest: dict[str, Notification] = {}
        for one in self._outbox.notifications(org_id, since, MAX_NOTIFICATIONS):
            # One that failed so far counts for its channel, although it may still get through.
            if one.attempts and (one.channel not in newest or one.changed_at > newest[one.channel].changed_at):
                newest[one.channel] = one
        items = [_channel_item(one, newest.get(handle_of(one))) for one in self._settings.channels(org_id)]
        return {"channels": items}


def _with_handle(channels: Iterable[Channel], handle: str) -> Channel | None:
    return next((one for one in channels if handle_of(one) == handle), None)


def _kind(request: Request) -> str:
    kind: str = request.path_params["kind"]
    if kind not in _KINDS:
        raise NotFound
    return kind


def _channel(request: Request, body: dict[str, Any]) -> Channel:
    shape = _KINDS[_kind(request)]
    known = set(shape.__struct_fields__) - {"name"}
    if not set(body) <= known:
        raise InvalidRequest(f"Invalid body: it has other fields than {', '.join(sorted(known))}")
    try:
        value = {**body, "name": request.path_params["name"], "kind": _kind(request)}
        channel = msgspec.convert(value, type=shape)
    except msgspec.ValidationError as error:
        raise InvalidRequest(f"Invalid body: {error}") from None
    check_channel(channel)
    return channel


def _channel_item(channel: Channel, newest: Notification | None) -> dict[str, Any]:
    item: dict[str, Any] = {"kind": kind_of(channel), "name": channel.name, "handle": f"@{handle_of(channel)}"}
    if isinstance(channel, EmailChannel):
        item["addresses"] = channel.addresses
    elif isinstance(channel, Webhook | AlertmanagerChannel):
        item["url"] = channel.url
    is_failing = newest is not None and newest.delivery is not Delivery.SENT
    return item | {
        "is_failing": is_failing,
        "error": newest.error if newest is not None and is_failing else "",
        "tried_at": None if newest is None else newest.changed_at,
    }


def _notification_item(one: Notification) -> dict[str, Any]:
    return {
        "id": one.id,
        "channel": one.channel,
        "monitor_id": one.transition.monitor_id,
        "title": title(one.transition),
        "created_at": one.created_at,
        "delivery": one.delivery.value,
        "attempts": one.attempts,
        "next_at": one.next_at if one.delivery is Delivery.WAITING else None,
        "error": one.error,
        "cycle_key": one.transition.cycle_key,
    }


def _say(what: str, key: Key, name: str) -> None:
    fields = {"event": "channel-changed", "action": what, "channel": name, "org_id": key.org_id, "key_id": key.id}
    _log.info("%(action)s %(channel)s of org %(org_id)d, by the key %(key_id)s", fields)
