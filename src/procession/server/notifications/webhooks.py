"""`/api/v1/integration/webhooks/configuration/…`: webhooks and their variables, as Datadog's clients keep them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.orgs import Key
from procession.accounts.scopes import Scope
from procession.errors import InvalidRequest, NotFound
from procession.notifications.channels import (
    MAX_CHANNELS,
    MAX_VARIABLES,
    CustomVariable,
    Encoding,
    Webhook,
    check_channel,
    check_variable,
    handle_of,
)
from procession.notifications.payloads.webhook import check_webhook
from procession.server.access.rate_limit import RateLimiter
from procession.server.access.sessions import Sessions
from procession.server.http.responses import json_response
from procession.server.notifications.body import object_of
from procession.server.runtime.change_recorder import ChangeRecorder
from procession.server.runtime.thread_pools import FairThreadPool
from procession.storage import NotificationSettingsStore

PREFIX = "/api/v1/integration/webhooks/configuration"
RATE_LIMIT_NAME = "webhooks"

T = TypeVar("T")

_log = logging.getLogger(__name__)


class PublicWebhooks:
    """For keys with the scope to manage integrations: they read payloads and headers back, but no secret variable."""

    def __init__(
        self,
        store: NotificationSettingsStore,
        changes: ChangeRecorder,
        *,
        sessions: Sessions,
        limiter: RateLimiter,
        threads: FairThreadPool,
    ) -> None:
        self._store = store
        self._changes = changes
        self._sessions = sessions
        self._limiter = limiter
        self._threads = threads

    @property
    def routes(self) -> list[Route]:
        webhook, variable = f"{PREFIX}/webhooks/{{name}}", f"{PREFIX}/custom-variables/{{name}}"
        return [
            Route(f"{PREFIX}/webhooks", self.create_webhook, methods=["POST"]),
            Route(webhook, self.show_webhook, methods=["GET"]),
            Route(webhook, self.update_webhook, methods=["PUT"]),
            Route(webhook, self.delete_webhook, methods=["DELETE"]),
            Route(f"{PREFIX}/custom-variables", self.create_variable, methods=["POST"]),
            Route(variable, self.show_variable, methods=["GET"]),
            Route(variable, self.update_variable, methods=["PUT"]),
            Route(variable, self.delete_variable, methods=["DELETE"]),
        ]

    # Webhooks

    async def create_webhook(self, request: Request) -> Response:
        key = await self._admit(request)
        webhook = _webhook(await object_of(request), None)

        def create() -> Webhook:
            handles = {handle_of(channel) for channel in self._store.channels(key.org_id)}
            if handle_of(webhook) in handles:
                raise InvalidRequest("There is a webhook of this name already")
            if len(handles) >= MAX_CHANNELS:
                raise InvalidRequest(f"This org has {MAX_CHANNELS} channels already")
            self._changes.record_channel(key, None, webhook)
            self._store.put_channel(key.org_id, webhook)
            return webhook

        await self._run(key, create)
        _say("made", key, handle_of(webhook))
        return json_response(_webhook_item(webhook), 201)

    async def show_webhook(self, request: Request) -> Response:
        key = await self._admit(request)
        return json_response(_webhook_item(await self._run(key, lambda: self._webhook(key, request))))

    async def update_webhook(self, request: Request) -> Response:
        key = await self._admit(request)
        body = await object_of(request)

        def update() -> Webhook:
            before = self._webhook(key, request)
            webhook = _webhook(body, before)
            is_renamed = webhook.name != before.name
            if is_renamed and handle_of(webhook) in map(handle_of, self._store.channels(key.org_id)):
                raise InvalidRequest("There is a webhook of this name already")
            self._changes.record_channel(key, before, webhook)
            self._store.put_channel(key.org_id, webhook)
            if is_renamed:
                self._store.delete_channel(key.org_id, handle_of(before))
            return webhook

        webhook = await self._run(key, update)
        _say("changed", key, handle_of(webhook))
        return json_response(_webhook_item(webhook))

    async def delete_webhook(self, request: Request) -> Response:
        key = await self._admit(request)

        def delete() -> Webhook:
            webhook = self._webhook(key, request)
            self._changes.record_channel(key, webhook, None)
            self._store.delete_channel(key.org_id, handle_of(webhook))
            return webhook

        _say("deleted", key, handle_of(await self._run(key, delete)))
        return json_response({})

    # Variables

    async def create_variable(self, request: Request) -> Response:
        key = await self._admit(request)
        variable = _variable(await object_of(request), None)

        def create() -> None:
            known = {one.name for one in self._store.variables(key.org_id)}
            if variable.name in known:
                raise InvalidRequest("There is a variable of this name already")
            if len(known) >= MAX_VARIABLES:
                raise InvalidRequest(f"This org has {MAX_VARIABLES} variables already")
            self._changes.record_variable(key, None, variable)
            self._store.put_variable(key.org_id, variable)

        await self._run(key, create)
        _say("made", key, f"${variable.name}")
        return json_response(_variable_item(variable), 201)

    async def show_variable(self, request: Request) -> Response:
        key = await self._admit(request)
        return json_response(_variable_item(await self._run(key, lambda: self._variable(key, request))))

    async def update_variable(self, request: Request) -> Response:
        key = await self._admit(request)
        body = await object_of(request)

        def update() -> CustomVariable:
            before = self._variable(key, request)
            variable = _variable(body, before)
            is_renamed = variable.name != before.name
            if is_renamed and any(one.name == variable.name for one in self._store.variables(key.org_id)):
                raise InvalidRequest("There is a variable of this name already")
            self._changes.record_variable(key, before, variable)
            self._store.put_variable(key.org_id, variable)
            if is_renamed:
                self._store.delete_variable(key.org_id, before.name)
            return variable

        variable = await self._run(key, update)
        _say("changed", key, f"${variable.name}")
        return json_response(_variable_item(variable))

    async def delete_variable(self, request: Request) -> Response:
        key = await self._admit(request)

        def delete() -> CustomVariable:
            variable = self._variable(key, request)
            self._changes.record_variable(key, variable, None)
            self._store.delete_variable(key.org_id, variable.name)
            return variable

        _say("deleted", key, f"${(await self._run(key, delete)).name}")
        return json_response({})

    # What they have in common

    async def _admit(self, request: Request) -> Key:
        key = await self._sessions.key_with(Scope.MANAGE_INTEGRATIONS, request)
        self._limiter.admit(request, key.org_id, RATE_LIMIT_NAME)
        return key

    async def _run(self, key: Key, work: Callable[[], T]) -> T:
        return await self._threads.run(key.org_id, work)

    def _webhook(self, key: Key, request: Request) -> Webhook:
        for channel in self._store.channels(key.org_id):
            if isinstance(channel, Webhook) and channel.name == request.path_params["name"]:
                return channel
        raise NotFound("Webhook not found")

    def _variable(self, key: Key, request: Request) -> CustomVariable:
        for variable in self._store.variables(key.org_id):
            if variable.name == request.path_params["name"]:
                return variable
        raise NotFound("Custom variable not found")


def _webhook(body: Mapping[str, Any], before: Webhook | None) -> Webhook:
    """What is not said stays as it was. Raises InvalidRequest."""
    encoding = body.get("encode_as", Encoding.JSON if before is None else before.encode_as)
    if encoding not in tuple(Encoding):
        raise InvalidRequest("encode_as: it is neither json nor form")
    webhook = Webhook(
        name=_text(body, "name", None if before is None else before.name),
        url=_text(body, "url", None if before is None else before.url),
        payload=_optional_text(body, "payload", None if before is None else before.payload),
        custom_headers=_optional_text(body, "custom_headers", None if before is None else before.custom_headers),
        encode_as=Encoding(encoding),
    )
    check_channel(webhook)
    check_webhook(webhook)
    return webhook


def _variable(body: Mapping[str, Any], before: CustomVariable | None) -> CustomVariable:
    """Raises InvalidRequest."""
    is_secret = body.get("is_secret", False if before is None else before.is_secret)
    if not isinstance(is_secret, bool):
        raise InvalidRequest("is_secret: it is neither true nor false")
    if before is not None and before.is_secret and not is_secret and "value" not in body:
        raise InvalidRequest("is_secret: a secret becomes readable only with a new value")
    variable = CustomVariable(
        _text(body, "name", None if before is None else before.name),
        _text(body, "value", None if before is None else before.value),
        is_secret,
    )
    check_variable(variable)
    return variable


def _text(body: Mapping[str, Any], name: str, before: str | None) -> str:
    value = body.get(name, before)
    if not isinstance(value, str):
        raise InvalidRequest(f"{name}: it is missing, or no text")
    return value


def _optional_text(body: Mapping[str, Any], name: str, before: str | None) -> str | None:
    return None if body.get(name, before) is None else _text(body, name, before)


def _webhook_item(webhook: Webhook) -> dict[str, Any]:
    return {
        "name": webhook.name,
        "url": webhook.url,
        "payload": webhook.payload,
        "custom_headers": webhook.custom_headers,
        "encode_as": webhook.encode_as.value,
    }


def _variable_item(variable: CustomVariable) -> dict[str, Any]:
    item: dict[str, Any] = {"name": variable.name, "is_secret": variable.is_secret}
    return item if variable.is_secret else item | {"value": variable.value}


def _say(what: str, key: Key, name: str) -> None:
    fields = {"event": "channel-changed", "action": what, "channel": name, "org_id": key.org_id, "key_id": key.id}
    _log.info("%(action)s %(channel)s of org %(org_id)d, by the key %(key_id)s", fields)
