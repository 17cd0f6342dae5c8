"""What downtimes hold back, and what is said when they end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgspec

from procession.accounts.orgs import Org
from procession.monitors.group_state import GroupState
from procession.monitors.transition import State
from procession.notifications.channels import Webhook
from procession.notifications.downtimes.downtime import Downtime, OneTime
from procession.notifications.downtimes.host_mute import host_mute
from procession.notifications.notification import Delivery, NotifiedState
from tests.support.builders import NOON
from tests.support.notifying import Posting, a_recovery, a_transition
from tests.support.stores.monitors_oracle import OracleMonitors
from tests.support.stores.notification_oracle import OracleNotifications
from tests.support.stores.oracle import OracleStore


def a_downtime(**values: Any) -> Downtime:
    downtime = Downtime(
        id="d",
        scope="host:web-1",
        schedule=OneTime(NOON + 10, NOON + 100),
        monitor_id=7,
        monitor_tags=(),
        message=None,
        display_timezone="UTC",
        mute_first_recovery_notification=False,
        notify_end_states=("alert",),
        notify_end_types=("expired",),
        created_at=NOON,
        modified_at=NOON,
    )
    return msgspec.structs.replace(downtime, **values)


def posting_with(*downtimes: Downtime) -> Posting:
    store, orgs = OracleNotifications(), OracleStore()
    orgs.put_org(Org(1, "main"))
    store.put_channel(1, Webhook("oncall", "http://127.0.0.1:1/"))
    for downtime in downtimes:
        store.put_downtime(1, downtime)
    return Posting(store, store, orgs)


def at(posting: Posting, now: int, *transitions: Any) -> list[Delivery]:
    posting.clock.now = now
    posting.put(*(replace(one, at=now, message="@webhook-oncall") for one in transitions))
    return posting.deliveries()


W, M = Delivery.WAITING, Delivery.MUTED


def test_a_downtime_holds_back_its_scope_and_nothing_else() -> None:
    posting = posting_with(a_downtime())

    assert at(posting, NOON + 9, a_transition()) == [W]
    elsewhere = a_transition(group=(("host", "web-2"),), cycle_key="c2")
    assert at(posting, NOON + 20, a_transition(state=State.WARN), elsewhere) == [W, M, W]
    assert at(posting, NOON + 100, a_transition()) == [W, M, W, W]


def test_a_muted_host_is_held_back_in_all_monitors_until_its_end() -> None:
    mute = host_mute("web-1", downtime_id="m", created_by="k", message=None, end=NOON + 100, now=NOON + 10)
    posting = posting_with(mute)

    elsewhere = a_transition(group=(("host", "web-2"),), cycle_key="c2")
    assert at(posting, NOON + 20, a_transition(), elsewhere) == [M, W]
    assert at(posting, NOON + 100, a_transition(cycle_key="c3"))[2:] == [W]


def test_the_first_recovery_is_told_unless_it_is_to_be_muted() -> None:
    for is_muted, expected in ((False, W), (True, M)):
        posting = posting_with(a_downtime(mute_first_recovery_notification=is_muted))
        at(posting, NOON, a_transition())

        assert at(posting, NOON + 20, a_recovery()) == [W, expected]
        # An alert that nobody heard of has no recovery to hear of.
        assert at(posting, NOON + 30, a_transition(cycle_key="c2")) == [W, expected, M]
        assert at(posting, NOON + 40, a_recovery(cycle_key="c2"))[-1] is M


def test_the_end_tells_of_what_is_still_wrong_once() -> None:
    posting = posting_with(a_downtime())
    at(posting, NOON + 20, a_transition(), a_transition(group=(("host", "web-2"),), cycle_key="c2"))
    assert posting.deliveries() == [M, W]

    posting.clock.now = NOON + 101
    posting.notifier.tell_of_ends(1)
    posting.notifier.tell_of_ends(1)

    (told,) = [one for one in posting.kept() if one.created_at == NOON + 101]
    assert (told.delivery, told.transition.group, told.transition.cycle_key) == (W, (("host", "web-1"),), "cycle-1")


def test_the_end_tells_only_of_the_states_and_ends_that_were_asked_for() -> None:
    for values, how, told in (
        ({}, "expired", 1),
        ({}, "canceled", 0),
        ({"notify_end_types": ("canceled",)}, "canceled", 1),
        ({"notify_end_states": ("warn", "no data")}, "expired", 0),
        ({"notify_end_types": ()}, "expired", 0),
    ):
        downtime = a_downtime(**values)
        posting = posting_with(downtime)
        at(posting, NOON + 20, a_transition())
        posting.clock.now = NOON + 200

        posting.notifier.tell_of_end(1, downtime, how, NOON + 100)

        assert len(posting.kept()) == 1 + told, (values, how)


def test_the_end_tells_of_no_group_that_is_gone_or_well_by_now() -> None:
    group = (("host", "web-1"),)

    def forgotten(monitors: OracleMonitors) -> None:
        monitors.drop_groups(1, 7, [group])

    def deleted(monitors: OracleMonitors) -> None:
        monitors.delete_monitor(1, 7)

    def recovered_without_a_word(monitors: OracleMonitors) -> None:
        monitors.put_groups(1, 7, [GroupState(group=group, state=State.OK)])

    for happens in (forgotten, deleted, recovered_without_a_word):
        posting = posting_with(a_downtime())
        assert at(posting, NOON + 20, a_transition(group=group)) == [M]
        happens(posting.monitors)
        posting.clock.now = NOON + 101
        posting.notifier.tell_of_ends(1)

        assert posting.deliveries() == [M], happens


def test_noting_an_end_undoes_no_change_that_was_made_meanwhile() -> None:
    class Canceling(OracleNotifications):
        """Somebody cancels the downtime while its end is told of."""

        def group_states(self, org_id: int) -> tuple[NotifiedState, ...]:
            self.put_downtime(1, msgspec.structs.replace(a_downtime(), canceled_at=NOON + 100))
            return super().group_states(org_id)

    store = Canceling()
    store.put_downtime(1, a_downtime())
    posting = Posting(store, store, OracleStore())
    posting.clock.now = NOON + 101

    posting.notifier.tell_of_ends(1)

    (downtime,) = store.downtimes(1)
    assert (downtime.canceled_at, downtime.ends_seen_at) == (NOON + 100, NOON + 101)
