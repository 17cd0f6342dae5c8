"""`POST /intake/`: what the core agent says of its host, of which the tags are kept.

Agents post several kinds of documents there, some in encodings and shapes that are nobody's business here; those are
accepted and dropped, so that no agent sends them again for ever.
"""

from __future__ import annotations

import zlib
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.administration import MAX_TAG_LENGTH
from procession.config import ServerSettings
from procession.errors import PayloadTooLarge
from procession.server.access.key_cache import KeyCache
from procession.server.http.responses import json_response
from procession.server.intake.agents import Agents, unreadable_in
from procession.server.intake.body import api_key_of, read_body
from procession.server.intake.host_tags import HostTagCache
from procession.server.intake.quota import MemoryQuota, refusing_slowly
from procession.server.intake.refusal_log import RefusalLog
from procession.server.runtime.disconnect import while_there
from procession.server.runtime.fair_pool import FairThreads
from procession.text import encodable
from procession.wire.datadog import FrameError, decompress_zstd, host_of

PATHS = ("/intake", "/intake/")

MAX_DOCUMENT_BYTES = 8 * 2**20
"""Decompressed. What is kept of it has a few kB; the rest, of processes and gohai, some hundred."""


class _Metadata(msgspec.Struct):
    host: Any = msgspec.field(name="internalHostname", default=None)
    tags: Any = msgspec.field(name="host-tags", default=None)


def host_routes(
    *,
    keys: KeyCache,
    book: HostTagCache,
    settings: ServerSettings,
    threads: FairThreads,
    room: MemoryQuota,
    refusal_log: RefusalLog,
    agents: Agents,
) -> list[Route]:
    async def take_metadata(request: Request) -> Response:
        with refusal_log.refusals_of(request):
            org_id = await keys.org_of_api_key(api_key_of(request))
            if unreadable_in(request.headers) is not None:
                agents.posted(org_id, request.headers)  # it has nothing else to post
            with room.place(org_id) as place:
                body = await read_body(request, settings.max_body_bytes, place)
                encoding = request.headers.get("content-encoding", "").strip().lower()
                found = await threads.run(org_id, lambda: host_and_tags(body, encoding, settings.max_message_bytes))
                if found is not None and len(found[1]) > settings.max_process_tags:
                    raise PayloadTooLarge(f"A host has more than {settings.max_process_tags} tags")
        if found is not None:
            with room.place(org_id) as place:
                place.hold(sum(map(len, found[1])))
                await while_there(request.receive, book.learn(org_id, *found))
        return json_response({"status": "ok"}, 202)

    return [Route(path, refusing_slowly(take_metadata), methods=["POST"]) for path in PATHS]


def host_and_tags(body: bytes, encoding: str, max_bytes: int) -> tuple[str, list[str]] | None:
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
    return host, tags


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
