"""`POST /intake/`: what the core agent says of its host, of which the tags are kept.

Agents post several kinds of documents there, some in encodings and shapes that are nobody's business here; those are
accepted and dropped, so that no agent sends them again for ever.
"""

from __future__ import annotations

import zlib
from typing import Any, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.accounts.administration import MAX_TAG_LENGTH
from procession.errors import PayloadTooLarge
from procession.server.http.responses import json_response
from procession.server.intake.agents import unreadable_in
from procession.server.intake.body import read_body
from procession.server.intake.intake import Intake
from procession.server.intake.quota import refusing_slowly
from procession.server.runtime.disconnect import while_connected
from procession.text.characters import encodable
from procession.wire.datadog import FrameError, decompress_zstd, host_of

PATHS = ("/intake", "/intake/")

MAX_DOCUMENT_BYTES = 8 * 2**20
"""Decompressed. What is kept of it has a few kB; the rest, of processes and gohai, some hundred."""


class TagsOfHost(NamedTuple):
    host: str
    tags: list[str]


class _Metadata(msgspec.Struct):
    host: Any = msgspec.field(name="internalHostname", default=None)
    tags: Any = msgspec.field(name="host-tags", default=None)


class HostMetadataHandler:
    def __init__(self, intake: Intake) -> None:
        self._intake = intake

    @property
    def routes(self) -> list[Route]:
        return [Route(path, refusing_slowly(self.take_metadata), methods=["POST"]) for path in PATHS]

    async def take_metadata(self, request: Request) -> Response:
        intake = self._intake
        org_id = await intake.org_of(request)
        if unreadable_in(request.headers) is not None:
            intake.agents.posted(org_id, request.headers)  # it has nothing else to post
        intake.notices.leaves(org_id, request.headers)
        with intake.refusal_log.refusals_of(request):
            found = await self._read(request, org_id)
        if found is not None:
            with intake.quota.reserve(org_id) as reservation:
                reservation.hold(sum(map(len, found.tags)))
                learning = intake.host_tags.learn(org_id, found.host, found.tags)
                await while_connected(request.scope, request.receive, learning)
        return json_response({"status": "ok"}, 202)

    async def _read(self, request: Request, org_id: int) -> TagsOfHost | None:
        settings = self._intake.settings
        with self._intake.quota.reserve(org_id) as reservation:
            body = await read_body(request, settings.max_body_bytes, reservation)
            encoding = request.headers.get("content-encoding", "").strip().lower()
            found = await self._intake.decode_threads.run(
                org_id, lambda: host_and_tags(body, encoding, settings.max_message_bytes)
            )
        if found is not None and len(found.tags) > settings.max_process_tags:
            raise PayloadTooLarge(f"A host has more than {settings.max_process_tags} tags")
        return found


def host_and_tags(body: bytes, encoding: str, max_bytes: int) -> TagsOfHost | None:
    """None for a document that does not say which tags a host has. Raises PayloadTooLarge."""
    try:
        document = _decompressed(body, encoding, min(max_bytes, MAX_DOCUMENT_BYTES))
        metadata = msgspec.json.decode(document, type=_Metadata)
        if not isinstance(metadata.host, str) or not isinstance(metadata.tags, dict):
            return None
        host = host_of(encodable(metadata.host))
    except (FrameError, zlib.error, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    lists = [values for values in metadata.tags.values() if isinstance(values, list)]
    tags = [encodable(tag)[:MAX_TAG_LENGTH] for values in lists for tag in values if isinstance(tag, str)]
    return TagsOfHost(host, tags)


def _decompressed(body: bytes, encoding: str, max_bytes: int) -> bytes | bytearray:
    if encoding == "zstd":
        return decompress_zstd(body, max_bytes)
    if encoding in ("deflate", "gzip"):
        # 32 more than the window: the header says which of the two it is.
        inflate = zlib.decompressobj(zlib.MAX_WBITS | 32)
        content = inflate.decompress(body, max_bytes + 1)
    else:
        content = body
    if len(content) > max_bytes:
        raise PayloadTooLarge(f"The document has more than {max_bytes} bytes")
    return content
