"""From a transition to a receiver: out of the store, tried again, given up, one by one or in a digest."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from procession.accounts.orgs import Org
from procession.monitors.transition import TransitionKind
from procession.notifications.channels import Webhook
from procession.notifications.notification import Delivery
from procession.notifications.retries import wait_seconds
from tests.support.notifying import Posting, Receiver, a_recovery, a_transition, receiving
from tests.support.stores.notification_oracle import OracleNotifications
from tests.support.stores.oracle import OracleStore


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def posting_to(url: str, most_in_a_minute: int = 0) -> Posting:
    store, orgs = OracleNotifications(), OracleStore()
    orgs.put_org(Org(1, "main"))
    store.put_channel(1, Webhook("oncall", url))
    return Posting(store, store, orgs, most_in_a_minute=most_in_a_minute)


def test_a_transition_reaches_the_webhook_that_its_message_names(receiver: Receiver) -> None:
    posting = posting_to(f"{receiver.url}/hook")

    posting.put(a_transition())
    posting.send()

    (posted,) = receiver.posted
    body = json.loads(posted.body)
    assert posted.path == "/hook"
    assert body["title"] == "[Triggered on {host:web-1}] nginx is gone"
    assert body["body"] == "gone on web-1 @webhook-oncall"
    assert body["org"] == {"id": "1", "name": "main"}
    assert posted.headers["x-procession-cycle-key"] == "cycle-1"
    assert posting.deliveries() == [Delivery.SENT]


def test_a_transition_that_comes_again_is_not_sent_again(receiver: Receiver) -> None:
    posting = posting_to(receiver.url)

    posting.put(a_transition())
    posting.send()
    posting.put(a_transition(), a_recovery())
    posting.send()

    assert len(receiver.posted) == 2


def test_a_server_error_is_tried_again_five_times_with_longer_and_longer_waits() -> None:
    with receiving(503) as receiver:
        posting = posting_to(receiver.url)
        posting.put(a_transition())

        for attempts in range(1, 7):
            posting.send()
            posting.send()  # nothing is due before the wait is over
            assert len(receiver.posted) == attempts
            posting.clock.now += wait_seconds(attempts)
        posting.send()

    assert len(receiver.posted) == 6
    (kept,) = posting.kept()
    assert (kept.delivery, kept.attempts) == (Delivery.FAILED, 6)
    assert "answered 503" in kept.error
    assert len({posted.headers["x-procession-notification"] for posted in receiver.posted}) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 400, 404, 429])
def test_any_other_answer_is_final_for_a_webhook(status: int) -> None:
    with receiving(status, headers={"location": "http://127.0.0.1:1/"}) as receiver:
        posting = posting_to(receiver.url)
        posting.put(a_transition())
        posting.send()
        posting.clock.now += 86400
        posting.send()

    assert len(receiver.posted) == 1
    assert posting.deliveries() == [Delivery.FAILED]
    (health,) = posting.dispatcher.health(1).values()
    assert (health.is_failing, health.given_up) == (True, 1)


def test_a_receiver_that_comes_back_gets_it_and_the_channel_is_well_again() -> None:
    with receiving(500, 200) as receiver:
        posting = posting_to(receiver.url)
        posting.put(a_transition())
        posting.send()
        assert [one.is_failing for one in posting.dispatcher.health().values()] == [True]
        posting.clock.now += wait_seconds(1)
        posting.send()

    assert posting.deliveries() == [Delivery.SENT]
    (health,) = posting.dispatcher.health().values()
    assert (health.sent, health.failed_attempts, health.is_failing) == (1, 1, False)


def test_a_receiver_that_is_not_there_is_tried_again() -> None:
    posting = posting_to("http://127.0.0.1:1/")
    posting.put(a_transition())
    posting.send()

    (kept,) = posting.kept()
    assert (kept.delivery, kept.attempts) == (Delivery.WAITING, 1)
    assert "refused" in kept.error


def test_more_than_the_rate_of_an_org_come_as_one_digest(receiver: Receiver) -> None:
    posting = posting_to(receiver.url, most_in_a_minute=3)
    storm = [a_transition(group=(("host", f"web-{n}"),), cycle_key=f"c{n}") for n in range(20)]

    posting.put(*storm[:10])
    posting.put(*storm[10:])
    posting.send()
    assert len(receiver.posted) == 3
    posting.clock.now += 60
    posting.send()

    assert len(receiver.posted) == 4
    digest = json.loads(receiver.posted[-1].body)
    assert "17 notifications in one" in digest["title"]
    assert "{host:web-3}" in digest["body"]


def test_a_channel_that_nobody_set_up_is_left_out(receiver: Receiver) -> None:
    posting = posting_to(receiver.url)
    posting.put(a_transition(message="@webhook-other @evil@evil.test @all"))

    assert posting.kept() == []


def test_a_test_is_sent_and_says_that_it_is_one(receiver: Receiver) -> None:
    posting = posting_to(receiver.url)
    posting.put(a_transition(kind=TransitionKind.TEST))
    posting.send()

    assert json.loads(receiver.posted[0].body)["title"].startswith("[TEST] ")


def test_other_servers_leave_the_outbox_to_the_one_that_holds_it(receiver: Receiver) -> None:
    class SharedKeys(OracleStore):
        is_only_writer = False

    store, orgs = OracleNotifications(), SharedKeys()
    store.put_channel(1, Webhook("oncall", receiver.url))
    one, other = Posting(store, store, orgs), Posting(store, store, orgs)
    one.send()
    other.put(a_transition())
    other.send()
    assert receiver.posted == []

    other.clock.now += 61  # the first is gone
    other.send()

    assert len(receiver.posted) == 1
