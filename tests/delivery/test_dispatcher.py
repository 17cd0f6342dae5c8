"""From a transition to a receiver: out of the store, tried again, given up, one by one or in a digest."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

import pytest

from procession.accounts.orgs import Org
from procession.delivery.channel_sender import ChannelSender
from procession.delivery.dispatcher import CHANNEL_SECONDS, ENDS_SECONDS, Dispatcher
from procession.delivery.http_post import HttpPoster
from procession.errors import Unavailable
from procession.monitors.transition import TransitionKind
from procession.notifications.channels import AlertmanagerChannel, Channel, CustomVariable, PagerDutyChannel, Webhook
from procession.notifications.notification import Delivery, Notification
from procession.notifications.planning import OrgRules, plan
from procession.notifications.retries import wait_seconds
from tests.support.builders import NOON
from tests.support.notifying import LOOPBACK, Posting, Receiver, a_recovery, a_transition, receiving
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


class FullOutbox(OracleNotifications):
    """Takes what is to be sent, and not what became of it."""

    is_full = True

    def put_notifications(self, notifications: Sequence[Notification]) -> None:
        if self.is_full and any(one.attempts for one in notifications):
            raise Unavailable("the disk is full")
        super().put_notifications(notifications)


def test_what_was_sent_is_not_sent_again_while_the_disk_is_full(receiver: Receiver) -> None:
    store, orgs = FullOutbox(), OracleStore()
    store.put_channel(1, Webhook("oncall", receiver.url))
    posting = Posting(store, store, orgs)
    posting.put(a_transition())

    for _ in range(3):
        posting.send()
    assert posting.deliveries() == [Delivery.WAITING]
    assert not posting.dispatcher._wake.is_set()
    store.is_full = False
    posting.send()

    assert posting.deliveries() == [Delivery.SENT]
    assert len(receiver.posted) == 1


class BrokenSender(ChannelSender):
    def send(self, *_: Any, **__: Any) -> None:
        raise KeyError("a bug")


def test_what_a_bug_keeps_from_being_sent_waits_as_after_any_failure() -> None:
    store, orgs = OracleNotifications(), OracleStore()
    store.put_channel(1, Webhook("oncall", "http://127.0.0.1:1/"))
    posting = Posting(store, store, orgs, sender=BrokenSender(poster=HttpPoster(LOOPBACK)))
    posting.put(a_transition())
    posting.send()
    posting.send()

    (kept,) = posting.kept()
    assert (kept.delivery, kept.attempts) == (Delivery.WAITING, 1)
    assert "KeyError" in kept.error


def test_a_slow_channel_makes_room_after_a_while(receiver: Receiver) -> None:
    store, orgs, seconds = OracleNotifications(), OracleStore(), [0.0]

    class SlowSender(ChannelSender):
        def send(self, *_: Any, **__: Any) -> None:
            seconds[0] += CHANNEL_SECONDS / 2

    store.put_channel(1, Webhook("oncall", receiver.url))
    posting = Posting(store, store, orgs)
    posting.put(*(a_transition(cycle_key=f"c{n}") for n in range(5)))
    sender = SlowSender(poster=HttpPoster(LOOPBACK))
    dispatcher = Dispatcher(store, store, orgs, sender, now=posting.clock, clock=lambda: seconds[0])

    sent = []
    for _ in range(3):
        dispatcher.send_due()
        dispatcher.wait_until_idle()
        sent.append(posting.deliveries().count(Delivery.SENT))
    assert sent == [2, 4, 5]


def test_metrics_name_kinds_of_channels_and_no_channel() -> None:
    with receiving(400, 200) as receiver:
        posting = posting_to(receiver.url)
        posting.put(a_transition())
        posting.send()
        posting.put(a_transition(cycle_key="c2"))
        posting.send()

    counts = posting.dispatcher.counts()
    assert counts == {("webhook", "sent"): 1, ("webhook", "failed"): 1, ("webhook", "given up"): 1}


def test_a_channel_that_failed_and_is_gone_is_forgotten() -> None:
    posting = posting_to("http://127.0.0.1:1/")
    posting.put(a_transition())
    posting.send()
    assert [one.is_failing for one in posting.dispatcher.health().values()] == [True]

    posting.settings.delete_channel(1, "webhook-oncall")
    posting.clock.now += ENDS_SECONDS
    posting.dispatcher.send_due()
    posting.dispatcher.wait_until_idle()
    posting.clock.now += ENDS_SECONDS
    posting.dispatcher.send_due()

    assert posting.dispatcher.health() == {}


def test_channels_that_end_an_alert_by_its_recovery_get_no_digest() -> None:
    channels: list[Channel] = [
        Webhook("a", "https://a.test"),
        PagerDutyChannel("a", "key"),
        AlertmanagerChannel("a", "https://a.test"),
    ]
    rules = OrgRules(channels=channels, downtimes=(), states={}, left=0)
    message = "@webhook-a @pagerduty-a @alertmanager-a"

    planned = plan([a_transition(message=message), a_recovery(message=message)], rules, NOON)

    waiting = [(one.channel, one.is_digest) for one in planned.notifications if one.delivery is Delivery.WAITING]
    assert sorted(waiting) == [
        ("alertmanager-a", False),
        ("alertmanager-a", False),
        ("pagerduty-a", False),
        ("pagerduty-a", False),
        ("webhook-a", True),
    ]


@pytest.mark.parametrize("long", ["", "x" * 150])
def test_a_receiver_that_repeats_a_secret_makes_nobody_read_it(long: str, caplog: pytest.LogCaptureFixture) -> None:
    secret = "t0ps3cret/" + "y" * 60
    headers = json.dumps({"Authorization": "Bearer $TOKEN"})
    store, orgs = OracleNotifications(), OracleStore()
    orgs.put_org(Org(1, "main"))
    answer = f"{long} no such token: {secret} or {quote(secret)}".encode()
    with receiving(400, answer=answer) as receiver:
        store.put_channel(1, Webhook("oncall", f"{receiver.url}/$TOKEN", custom_headers=headers))
        store.put_variable(1, CustomVariable("TOKEN", secret, is_secret=True))
        posting = Posting(store, store, orgs)

        posting.put(a_transition())
        posting.send()

    (kept,) = posting.kept()
    assert receiver.posted[0].headers["authorization"] == f"Bearer {secret}"
    assert "answered 400" in kept.error
    for text in (kept.error, caplog.text, str(posting.dispatcher.health(1))):
        assert "t0ps3cret" not in text
