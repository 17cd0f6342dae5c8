"""Views of the page that an org has saved: for all who may read, by every key and by editors."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.restriction import Restricted
from procession.accounts.saved_view import MAX_STATE_LENGTH, SavedView, save_view, view_name
from procession.server.api.request import ApiRequest
from procession.server.api.routes import PREFIX, ApiRouter
from procession.server.audit.note import note_change
from procession.server.http.json_body import parsed_body
from procession.storage import ViewStore
from procession.text.characters import encodable


class _State(msgspec.Struct, forbid_unknown_fields=True):
    state: Annotated[str, msgspec.Meta(max_length=MAX_STATE_LENGTH)]


class _Views(msgspec.Struct):
    views: tuple[SavedView, ...]


def view_routes(api: ApiRouter, store: ViewStore) -> list[Route]:
    views = SavedViews(api, store)
    path = f"{PREFIX}/views/{{name}}"
    return [
        api.route("/views", views.show, Restricted.ALL),
        Route(path, views.put, methods=["PUT"]),
        Route(path, views.delete, methods=["DELETE"]),
    ]


class SavedViews:
    """Each handler answers with all views of the org, as they are then."""

    def __init__(self, api: ApiRouter, store: ViewStore) -> None:
        self._api = api
        self._store = store

    def show(self, request: ApiRequest) -> _Views:
        return self._views(request.org_id)

    async def put(self, request: Request) -> Response:
        admitted = await self._api.admit_editor(request)
        name = view_name(request.path_params["name"])
        body = await parsed_body(request, _State)
        view = SavedView(name, encodable(body.state), admitted.now)

        def put() -> _Views:
            note_change("view", name, "changed", org_id=admitted.org_id, after={"state": view.state})
            save_view(self._store, admitted.org_id, view)
            return self._views(admitted.org_id)

        return await self._api.respond(admitted.org_id, put)

    async def delete(self, request: Request) -> Response:
        admitted = await self._api.admit_editor(request)
        name = view_name(request.path_params["name"])

        def delete() -> _Views:
            note_change("view", name, "deleted", org_id=admitted.org_id)
            self._store.delete_view(admitted.org_id, name)
            return self._views(admitted.org_id)

        return await self._api.respond(admitted.org_id, delete)

    def _views(self, org_id: int) -> _Views:
        return _Views(self._store.views(org_id))
