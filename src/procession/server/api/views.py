"""Views of the page that an org has saved: for all who may read, by all who may read."""

from __future__ import annotations

from typing import Annotated

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.errors import InvalidRequest
from procession.saved_view import SavedView
from procession.server.api.routes import PREFIX, ApiRouter
from procession.server.http.json_body import parsed_body
from procession.storage import AnalysisStore
from procession.text import encodable

MAX_VIEWS = 500
MAX_NAME_LENGTH = 100
MAX_STATE_LENGTH = 8000


class _State(msgspec.Struct, forbid_unknown_fields=True):
    state: Annotated[str, msgspec.Meta(max_length=MAX_STATE_LENGTH)]


class _Views(msgspec.Struct):
    views: tuple[SavedView, ...]


def view_routes(api: ApiRouter, analysis: AnalysisStore) -> list[Route]:
    async def put_view(request: Request) -> Response:
        admitted = await api.admit(request)
        name = _name(request)
        body = await parsed_body(request, _State)

        def put() -> _Views:
            views = analysis.views(admitted.org_id)
            if len(views) >= MAX_VIEWS and name not in {view.name for view in views}:
                raise InvalidRequest(f"There are {MAX_VIEWS} views already; delete one first")
            analysis.put_view(admitted.org_id, SavedView(name, encodable(body.state), admitted.now))
            return _Views(analysis.views(admitted.org_id))

        return await api.respond(admitted.org_id, put)

    async def delete_view(request: Request) -> Response:
        admitted = await api.admit(request)
        name = _name(request)

        def delete() -> _Views:
            analysis.delete_view(admitted.org_id, name)
            return _Views(analysis.views(admitted.org_id))

        return await api.respond(admitted.org_id, delete)

    path = f"{PREFIX}/views/{{name}}"
    return [
        api.route("/views", lambda request: _Views(analysis.views(request.org_id))),
        Route(path, put_view, methods=["PUT"]),
        Route(path, delete_view, methods=["DELETE"]),
    ]


def _name(request: Request) -> str:
    name: str = request.path_params["name"].strip()
    if not 1 <= len(name) <= MAX_NAME_LENGTH or not name.isprintable():
        raise InvalidRequest(f"A view has a name of 1 to {MAX_NAME_LENGTH} printable characters")
    return name
