"""Channels, downtimes and the outbox, in the tables as in the oracle; and what is left after a kill."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import pytest
from clickhouse_connect.driver.binding import format_bind_value

from procession.notifications.channels import CustomVariable, EmailChannel, SlackChannel, Webhook
from procession.notifications.notification import Delivery, Notification, NotifiedState, group_key, notification_id
from procession.storage import NotificationSettingsStore, OutboxStore
from procession.storage.accounts.tables import AccountTables
from procession.storage.notifications.outbox import DUE_OF_A_CHANNEL, ClickHouseOutbox
from procession.storage.store import ClickHouseStore
from tests.support.builders import NOON
from tests.support.notifying import HOSTILE, a_transition, receiving
from tests.support.stores.folders import quick_folder
from tests.support.stores.notification_oracle import OracleNotifications

STORES = ["oracle", "clickhouse", "cluster_store"]


@pytest.fixture(params=STORES)
def found(request: pytest.FixtureRequest) -> OracleNotifications | ClickHouseStore:
    if request.param == "oracle":
        return OracleNotifications()
    store: ClickHouseStore = request.getfixturevalue(request.param)
    return store


@pytest.fixture
def settings(found: OracleNotifications | ClickHouseStore) -> NotificationSettingsStore:
    return found if isinstance(found, OracleNotifications) else found.notification_settings


@pytest.fixture
def outbox(found: OracleNotifications | ClickHouseStore) -> OutboxStore:
    return found if isinstance(found, OracleNotifications) else found.outbox


def test_settings_are_kept_changed_and_deleted(settings: NotificationSettingsStore, org: int) -> None:
    webhook, slack = Webhook("b", "https://b.test", custom_headers='{"a":"b"}'), SlackChannel("b", "https://s.test")
    for channel in (webhook, slack, EmailChannel("a", ("a@b.test",)), replace_url(webhook)):
        settings.put_channel(org, channel)
    settings.put_channel(org + 10_000, Webhook("theirs", "https://t.test"))
    assert settings.channels(org) == (EmailChannel("a", ("a@b.test",)), slack, replace_url(webhook))

    settings.delete_channel(org, "slack-b")
    assert settings.channels(org) == (EmailChannel("a", ("a@b.test",)), replace_url(webhook))

    settings.put_variable(org, CustomVariable("TOKEN", "'\\\"{}", is_secret=True))
    assert settings.variables(org) == (CustomVariable("TOKEN", "'\\\"{}", is_secret=True),)
    settings.delete_variable(org, "TOKEN")
    assert settings.variables(org) == ()


def replace_url(webhook: Webhook) -> Webhook:
    return Webhook(webhook.name, "https://other.test", custom_headers=webhook.custom_headers)


def test_the_outbox_gives_what_is_due_and_keeps_what_became_of_it(outbox: OutboxStore, org: int) -> None:
    ones = [a_notification(org, n) for n in range(len(HOSTILE))]
    outbox.put_notifications(ones)
    later = replace(ones[0], next_at=NOON + 100)
    outbox.put_notifications([later, replace(ones[1], delivery=Delivery.SENT), replace(ones[2], is_digest=True)])

    due = [one for one in outbox.due_notifications(NOON, 10_000) if one.org_id == org]
    assert {one.id for one in due} == {one.id for one in ones[2:]}
    assert next(one for one in due if one.id == ones[3].id) == ones[3]
    assert [one.id for one in outbox.due_notifications(NOON + 100, 10_000) if one.org_id == org][-1] == later.id
    assert outbox.known_notifications(org, [ones[0].id, "f" * 32], NOON) == {ones[0].id}
    assert outbox.count_notifications(org, NOON) == len(HOSTILE) - 1
    assert len(outbox.notifications(org, NOON, 5)) == 5
    assert outbox.notifications(org + 10_000, 0, 5) == ()


def test_a_channel_with_much_that_is_due_leaves_room_for_others(outbox: OutboxStore, org: int) -> None:
    first = a_notification(org, 0)
    many = [replace(first, id=f"{n:032}", next_at=NOON - 100) for n in range(DUE_OF_A_CHANNEL + 5)]
    other = replace(first, id="f" * 32, channel="webhook-y")
    outbox.put_notifications([*many, other])

    due = [one for one in outbox.due_notifications(NOON, 10_000) if one.org_id == org]

    assert [one.id for one in due] == [one.id for one in many[:DUE_OF_A_CHANNEL]] + [other.id]


def test_the_outbox_says_when_something_is_due(outbox: OutboxStore, org: int) -> None:
    # Other orgs share it: this one is in a time of its own, before all of theirs.
    now = NOON - 10 * 86400
    late = replace(a_notification(org, 0), created_at=now, next_at=now + 50)
    outbox.put_notifications([late, replace(late, id="f" * 32, next_at=now + 20)])
    assert outbox.next_due(now) == now + 20

    outbox.put_notifications([replace(late, id="f" * 32, delivery=Delivery.SENT), replace(late, next_at=now + 60)])
    assert outbox.next_due(now) == now + 60


def test_no_statement_is_longer_than_a_server_takes(org: int) -> None:
    lengths = list[int]()

    class Tables(AccountTables):
        def __init__(self) -> None:
            pass

        def rows(self, text: str, parameters: dict[str, Any] | None = None) -> list[Any]:
            _ = text
            self._note(parameters or {})
            return []

        def change(self, same: str, text: str, parameters: dict[str, Any]) -> None:
            _ = same, text
            self._note(parameters)

        def _note(self, parameters: dict[str, Any]) -> None:
            lengths.extend(len(quote_plus(format_bind_value(value))) for value in parameters.values())

    outbox, hostile = ClickHouseOutbox(Tables()), "\"\\'\u202e" * 200
    ones = [replace(a_notification(org, 3), id=f"{n:032}", error=hostile) for n in range(100)]

    outbox.put_notifications(ones)
    outbox.put_group_states([NotifiedState(replace(one.transition, reason=hostile)) for one in ones])
    outbox.known_notifications(org, [f"{n:032}" for n in range(10_000)], NOON)

    assert max(lengths) <= 128 * 1024
    assert len([length for length in lengths if length > 32 * 1024]) >= 10  # in as few as may be


def a_notification(org: int, n: int) -> Notification:
    transition = a_transition(org_id=org, group=(("host", HOSTILE[n].encode("utf-8", "replace").decode()),))
    return Notification(notification_id(transition, "webhook-x"), org, "webhook-x", NOON, transition, next_at=NOON)


def test_the_newest_state_of_a_group_is_kept(outbox: OutboxStore, org: int) -> None:
    state = NotifiedState(a_transition(org_id=org), "downtime-1")
    other = NotifiedState(a_transition(org_id=org, group=()), "")
    outbox.put_group_states([state, other])
    outbox.put_group_states([replace(state, muted_by="")])

    found = sorted(outbox.group_states(org), key=lambda one: group_key(one.transition))
    assert found == [replace(state, muted_by=""), other]


def test_one_of_several_servers_sends(outbox: OutboxStore) -> None:
    now = int(time.time())  # a lease is not kept for long after its end

    held = [outbox.hold_sending(owner, at, 60) for owner, at in (("a", now), ("b", now + 1), ("a", now + 30))]
    assert held == [True, False, True]
    assert not outbox.hold_sending("b", now + 80, 60)
    assert outbox.hold_sending("b", now + 91, 60)


KILLED = """
import os, signal, sys
from pathlib import Path
from procession.notifications.channels import Webhook
from procession.storage.embedded_store import open_history
from tests.support.notifying import Posting, a_transition
store = open_history(Path(sys.argv[1]), retention_hours=300_000)
store.notification_settings.put_channel(1, Webhook("oncall", sys.argv[2]))
Posting(store.notification_settings, store.outbox, store.keys).put(a_transition())
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_put_is_sent_after_a_kill(tmp_path: Path) -> None:
    with quick_folder(tmp_path) as folder, receiving() as receiver:
        program = [sys.executable, "-c", KILLED, str(folder), receiver.url]
        assert subprocess.run(program, cwd=Path(__file__).parents[3]).returncode == -signal.SIGKILL
        # The engine takes one folder a process, and this one may have had another.
        sent = subprocess.run([sys.executable, "-c", SENDING, str(folder)], cwd=Path(__file__).parents[3])

        assert sent.returncode == 0
        assert [posted.headers["x-procession-cycle-key"] for posted in receiver.posted] == ["cycle-1"]


SENDING = """
import sys
from pathlib import Path
from procession.storage.embedded_store import open_history
from tests.support.notifying import Posting
store = open_history(Path(sys.argv[1]), retention_hours=300_000)
posting = Posting(store.notification_settings, store.outbox, store.keys)
posting.send()
assert posting.deliveries() == ["sent"], posting.kept()
store.close()
"""
