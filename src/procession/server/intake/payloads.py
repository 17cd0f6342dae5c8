"""What agents post: authenticate, read, decode, add, acknowledge.

Payloads are told apart by their type, never by their path. The answer is always a framed ResCollector, which also tells
the agent whether somebody watches its host. An agent drops a payload answered by 400, 403 or 413, and sends it again
after any other error, for ever; so what can never be stored gets one of those, and what is not safe on disk gets 503.

Agents of ours are told that they may send columns instead, to a path of their own, and get the same answers there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from procession.server.http.responses import error_response
from procession.server.intake.body import headers_of, read_body
from procession.server.intake.envelope import Envelope
from procession.server.intake.intake import Intake
from procession.server.intake.payload_decoder import DecodedPayload, PayloadDecoder, TagsOf
from procession.server.intake.payload_keeper import PayloadKeeper
from procession.server.intake.quota import Reservation, refusing_slowly
from procession.server.intake.timestamps import Timestamps
from procession.server.runtime.direct_posts import direct
from procession.server.runtime.disconnect import while_connected
from procession.wire.columns.decoder import FrameBeforeUnknown
from procession.wire.columns.offer import OFFER_HEADER, SEND_WHOLE, offer_of
from procession.wire.columns.offer import PATH as COLUMNS_PATH
from procession.wire.datadog import Answer, MessageType, encode_answer, frame

FRAMED_PATHS = ("/api/v1/collector", "/api/v1/container", "/api/v1/discovery", "/api/v1/connections")

PAYLOAD_PATHS = (COLUMNS_PATH, *FRAMED_PATHS)

_WITHOUT_SNAPSHOTS = frozenset(FRAMED_PATHS) - {"/api/v1/collector"}
"""Where agents of ours post what says nothing of how often they take a snapshot."""

_NOT_KEPT = frozenset(
    (
        MessageType.DISCOVERY,
        MessageType.CONNECTIONS,
    )
)
"""Answered, so that the agent is content, but not read further than their header."""


Decode = Callable[[int, bytes, Envelope, TagsOf], Awaitable[DecodedPayload | None]]
"""None of what is not kept."""


@dataclass(frozen=True, slots=True)
class _Stored:
    """What an answer tells of what was taken."""

    host: str
    may_send_columns: bool


class PayloadHandler:
    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self._timestamps = Timestamps(intake.now)
        self._decoder = PayloadDecoder(intake)
        self._keeper = PayloadKeeper(intake)
        self._headers = {OFFER_HEADER: offer_of(intake.settings.max_message_processes)}

    @property
    def routes(self) -> list[Route]:
        return [
            Route(COLUMNS_PATH, direct(refusing_slowly(self.take_columns)), methods=["POST"]),
            *(Route(path, direct(refusing_slowly(self.take_payload)), methods=["POST"]) for path in FRAMED_PATHS),
        ]

    async def take_payload(self, request: Request) -> Response:
        return await self._take(request, self._decode_frame)

    async def take_columns(self, request: Request) -> Response:
        try:
            return await self._take(request, self._decoder.decode_columns)
        except FrameBeforeUnknown:
            return error_response(
                SEND_WHOLE, "The frame before is not known here; send the whole", headers=self._headers
            )

    async def _decode_frame(
        self, org_id: int, body: bytes, envelope: Envelope, tags_of: TagsOf
    ) -> DecodedPayload | None:
        if frame.message_type(body) in _NOT_KEPT:
            return None
        return await self._decoder.decode(org_id, body, envelope, tags_of)

    async def _take(self, request: Request, decode: Decode) -> Response:
        intake = self._intake
        headers = headers_of(request)
        org_id = await intake.org_of(request, headers)
        intake.agents.posted(org_id, headers)
        may_be_snapshot = request.scope["path"] not in _WITHOUT_SNAPSHOTS
        intake.notices.posted(org_id, headers, may_be_snapshot=may_be_snapshot)
        envelope = Envelope.of(headers, lambda host, reported: self._timestamps.of(org_id, host, reported))
        with intake.quota.reserve(org_id) as reservation:
            with intake.refusal_log.refusals_of(request):
                max_bytes = intake.settings.max_body_bytes
                # The body has no name here, so that its memory is free as soon as it is decoded.
                storing = self._store(
                    request, org_id, await read_body(request, max_bytes, reservation), envelope, reservation, decode
                )
            # An agent that has waited too long sends it again, so that without this the queue would fill with copies.
            stored = await while_connected(request.scope, request.receive, storing)
        answer = encode_answer(Answer(await intake.watches.active_clients(org_id, stored.host)))
        offer = self._headers if stored.may_send_columns else {}
        return Response(answer, headers=offer, media_type="application/x-protobuf")

    async def _store(
        self,
        request: Request,
        org_id: int,
        body: bytes,
        envelope: Envelope,
        reservation: Reservation,
        decode: Decode,
    ) -> _Stored:
        with self._intake.refusal_log.refusals_of(request):
            body_bytes = len(body)
            reservation.hold_to_decode(body_bytes)
            tags_of = await self._intake.host_tags.of_org(org_id)
            decoded = await decode(org_id, body, envelope, tags_of)
            if decoded is None:
                return _Stored(envelope.host, may_send_columns=False)
            self._intake.notices.has_cpus(org_id, decoded.content.host, decoded.cpus)
            memory_bytes, may_be_columns = decoded.memory_bytes, decoded.may_be_columns
            del body
            reservation.hold_decoded(body_bytes, memory_bytes)
        await self._keeper.keep(org_id, decoded, envelope)
        return _Stored(decoded.content.host, may_send_columns=may_be_columns)
