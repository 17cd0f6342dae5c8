from __future__ import annotations

from dataclasses import replace

from procession.notifications.notification import LONGEST_WAIT_SECONDS, Delivery, Notification, as_of
from tests.support.builders import NOON
from tests.support.notifying import a_transition


def test_what_waited_for_longer_than_it_is_looked_for_is_given_up_and_says_so() -> None:
    waiting = Notification("a" * 32, 1, "email-ops", NOON, a_transition(), error="refused")
    end = NOON + LONGEST_WAIT_SECONDS

    assert as_of(waiting, end) == waiting
    given_up = as_of(waiting, end + 1)
    assert (given_up.delivery, given_up.error) == (
        Delivery.FAILED,
        "given up: it was not sent within two days; refused",
    )
    sent = replace(waiting, delivery=Delivery.SENT)
    assert as_of(sent, end + 1) == sent
