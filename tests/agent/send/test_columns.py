"""Columns go to servers that take them, and what went wrong there goes in Datadog's format."""

from __future__ import annotations

from pathlib import Path

import pytest

from procession.agent.send.outbox import Outbox
from procession.agent.send.payload import Payload
from procession.agent.send.payload_maker import MAX_PROCESSES, PayloadMaker, in_datadogs_format
from procession.agent.send.spool import Spool
from procession.lifecycle.events import ProcessEvents, ProcessExit
from procession.process import Snapshot
from procession.wire.columns import layout
from procession.wire.columns.offer import PATH, offer_of
from procession.wire.datadog import RequestId
from tests.agent.send.test_sender import Sending, sending
from tests.support.agents.intake import FakeIntake, Posted, Reply
from tests.support.builders import NOON, a_description, a_sighting, a_snapshot

OFFERS = Reply(columns=offer_of(500))
COLLECTOR = "/api/v1/collector"
FLEET = tuple(map(a_sighting, range(1, 6)))


def a_maker() -> PayloadMaker:
    return PayloadMaker(host="web-1", run=1234, started_at=NOON - 5)


def at(second: int, pids: int = 5) -> Snapshot:
    return a_snapshot(*FLEET[:pids], taken_at=NOON + second)


def is_whole(posted: Posted) -> bool:
    return layout.decode_head(posted.body).follows == 0


def put(sender: Sending, *snapshots: list[Payload]) -> None:
    for payloads in snapshots:
        sender.outbox.put(payloads)


def columns(count: int) -> list[list[Payload]]:
    maker = a_maker()
    return [maker.make_columns(at(second)) for second in range(count)]


def pids_of(payloads: list[Payload]) -> list[int]:
    found = [
        Posted(one.path, {name.lower(): text for name, text in one.headers.items()}, one.body, ("", 0))
        for one in payloads
    ]
    return [sighting.pid for posted in found for sighting in posted.snapshot.sightings]


def test_after_the_first_frame_only_changes_are_posted(intake: FakeIntake) -> None:
    intake.usual = OFFERS
    with sending(intake.url) as sender:
        put(sender, *columns(3))
        posted = intake.wait_for(3)

    assert [(post.path, is_whole(post)) for post in posted] == [(PATH, True), (PATH, False), (PATH, False)]
    assert posted[0].headers["content-type"] == "application/x-procession-columns"
    assert len({post.headers["x-dd-request-id"] for post in posted}) == 3


def test_a_server_that_lacks_the_frame_before_gets_the_whole_at_once(intake: FakeIntake) -> None:
    intake.usual = OFFERS
    intake.replies.extend((OFFERS, OFFERS, Reply(409, b'{"errors":["send the whole"]}', "application/json")))
    with sending(intake.url) as sender:
        put(sender, *columns(4))
        posted = intake.wait_for(5)

    assert [is_whole(post) for post in posted] == [True, False, False, True, False]
    assert posted[2].headers["x-dd-request-id"] == posted[3].headers["x-dd-request-id"]
    assert not any("keeping" in line for line in sender.lines)


def test_changes_whose_answer_was_lost_are_posted_again(intake: FakeIntake) -> None:
    intake.usual = OFFERS
    intake.replies.extend((OFFERS, Reply(503, b"", "text/plain")))
    with sending(intake.url) as sender:
        put(sender, *columns(2))
        posted = intake.wait_for(3)

    assert posted[1].body == posted[2].body


@pytest.mark.parametrize("status", [400, 404, 405, 409, 413])
def test_a_server_that_takes_no_columns_gets_the_snapshot_in_datadogs_format(intake: FakeIntake, status: int) -> None:
    intake.usual = OFFERS
    intake.replies.append(Reply(status, b"no", "text/plain"))
    with sending(intake.url) as sender:
        put(sender, *columns(1))
        posted = intake.wait_for(2)
        sender.wait_for_line("takes no columns")
        put(sender, a_maker().make(at(9)))
        intake.wait_for(3)
        sender.wait_for_line("sending the processes")

    assert [post.path for post in posted] == [PATH, COLLECTOR]
    assert [one.pid for one in posted[1].snapshot.sightings] == [1, 2, 3, 4, 5]
    assert posted[1].snapshot.taken_at == NOON
    assert posted[1].headers["content-type"] == "application/x-protobuf"
    assert sender.sender.max_column_processes == 0  # although it is offered again


def test_the_newest_answer_says_whether_columns_are_taken(intake: FakeIntake) -> None:
    with sending(intake.url) as sender:
        found = []
        for reply in (Reply(), OFFERS, Reply(columns="1;processes=500"), OFFERS):
            intake.usual = reply
            put(sender, a_maker().make(at(0)))
            while not sender.outbox.is_empty:
                sender.stop.wait(0.01)
            found.append(reply)
        intake.wait_for(4)

    assert sender.sender.max_column_processes == 500


def test_what_waits_on_disk_is_whole(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    outbox = Outbox(10**6, spool)
    first, second = columns(2)

    outbox.put(first)
    outbox.put(second)
    outbox.done(first[0])
    waiting = outbox.first()
    spool.close()

    assert waiting is not None
    assert (waiting.changes, waiting.body, waiting.path) == (None, second[0].body, PATH)
    assert layout.decode_head(waiting.body).follows == 0


def test_what_is_left_in_the_spool_goes_to_an_older_server_too() -> None:
    maker = a_maker()
    maker.make_columns(at(0))

    payloads = in_datadogs_format(maker.make_columns(at(1, pids=3))[0])

    assert [one.path for one in payloads] == [COLLECTOR]
    assert pids_of(payloads) == [1, 2, 3]
    assert in_datadogs_format(Payload(b"PCOL, and damaged", {"X-DD-Request-ID": "1"}, PATH)) == []


def test_messages_of_large_snapshots_in_datadogs_format_have_numbers_that_no_other_snapshot_has() -> None:
    maker = a_maker()
    first, second, third = (
        a_snapshot(*map(a_sighting, range(1, MAX_PROCESSES * 2 + 2)), taken_at=NOON) for _ in range(3)
    )

    made = [in_datadogs_format(maker.make_columns(one)[0]) for one in (first, second)] + [maker.make(third)]

    ids = [RequestId.unpack(int(one.headers["X-DD-Request-ID"])) for payloads in made for one in payloads]
    assert [len(payloads) for payloads in made] == [3, 3, 3]
    assert len({one.index for one in ids}) == len(ids)


def test_a_snapshot_has_the_same_numbers_for_servers_of_either_kind() -> None:
    maker = a_maker()
    first, second = (a_snapshot(*map(a_sighting, range(1, MAX_PROCESSES + 2)), taken_at=NOON) for _ in range(2))
    made = []
    for one in (first, second):
        columns = maker.make_columns(one)[0]
        made.append(([columns.headers["X-DD-Request-ID"]], in_datadogs_format(columns), maker.make(one)))

    for (first_id,), fallen_back, datadog in made:
        ids = [one.headers["X-DD-Request-ID"] for one in datadog]
        assert ids == [one.headers["X-DD-Request-ID"] for one in fallen_back]
        assert ids[0] == first_id
    assert len({one.headers["X-DD-Request-ID"] for _, _, datadog in made for one in datadog}) == 4


def test_a_payload_is_replaced_by_others_in_its_place() -> None:
    outbox = Outbox(10**6)
    (one,), (two,) = columns(2)
    outbox.put([one, two])

    outbox.replace(one, in_datadogs_format(one))
    first = outbox.first()
    assert first is not None
    outbox.done(first)

    assert first.path == COLLECTOR
    assert outbox.first() is two
    outbox.done(two)
    assert outbox.is_empty


def test_two_servers_of_either_kind_get_what_has_changed() -> None:
    maker = a_maker()
    both = [(maker.make_columns(at(second))[0], maker.make(at(second))[0]) for second in range(3)]
    alone = [maker.make_columns(at(second))[0] for second in (3, 4)]
    maker.make(at(5)), maker.make(at(6))
    again = [maker.make_columns(at(second))[0] for second in (7, 8)]

    assert [one.changes is None for one, _ in both] == [True, False, False]
    assert [one.changes is None for one in alone] == [False, False]
    assert [one.changes is None for one in again] == [True, False]


def test_events_go_behind_columns_as_behind_frames() -> None:
    events = ProcessEvents("web-1", (ProcessExit(pid=9, at=NOON, exit_code=0, description=a_description()),))

    payloads = a_maker().make_columns(at(0), events, every_seconds=31)

    assert [one.path for one in payloads] == [PATH, "/api/v2/proclcycle"]
    assert payloads[0].headers["X-Procession-Interval"] == "31"
