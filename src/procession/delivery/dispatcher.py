"""Sends what is due in the outbox, channel by channel, and writes down what became of it."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from procession.delivery.channel_sender import ChannelSender
from procession.errors import Unavailable
from procession.log_throttle import LogThrottle
from procession.notifications.channels import secrets_of
from procession.notifications.escaping import without_secrets
from procession.notifications.message import title
from procession.notifications.notification import Delivery, Notification
from procession.notifications.planning import RATE_SECONDS, channel_named, digest_transition
from procession.notifications.retries import NotSent, most_attempts, wait_seconds
from procession.storage import KeyStore, NotificationSettingsStore, OutboxStore

_log = logging.getLogger(__name__)

POLL_SECONDS = 5.0
"""Besides being woken: what is tried again, and what another server put there."""
CHANNEL_SECONDS = 30.0
"""After so long a channel makes room for others, and is taken up again."""
LEASE_SECONDS = 60
ENDS_SECONDS = 20
"""How often it is looked for downtimes that have ended."""
BATCH = 500
THREADS = 16
MAX_CHANNELS_OF_AN_ORG = 4
"""At once, so that receivers that are slow hold up nobody else."""
UNWRITTEN_SECONDS = 2 * 86400
"""So long it is remembered what the store did not take."""


@dataclass(frozen=True, slots=True)
class ChannelHealth:
    """What this server has seen of a channel since it started."""

    sent: int = 0
    failed_attempts: int = 0
    given_up: int = 0
    is_failing: bool = False
    """Whether its newest attempt failed."""
    error: str = ""
    changed_at: int = 0


class Dispatcher:
    """Its own thread, and some that send. What is under way when the server ends is sent again by the next one."""

    def __init__(
        self,
        outbox: OutboxStore,
        settings: NotificationSettingsStore,
        orgs: KeyStore,
        sender: ChannelSender,
        *,
        now: Callable[[], int],
        tell_of_ends: Callable[[int], None] = lambda _: None,
        poll_seconds: float = POLL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tell_of_ends`: sees to the downtimes of an org that have ended."""
        self._outbox = outbox
        self._settings = settings
        self._orgs = orgs
        self._sender = sender
        self._now = now
        self._tell_of_ends = tell_of_ends
        self._ends_told_at = 0
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._owner = secrets.token_hex(8)
        self._wake = threading.Event()
        self._is_stopped = False
        self._busy: set[tuple[int, str]] = set()
        self._lock = threading.Condition()
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="notify")
        self._thread = threading.Thread(target=self._run, name="notify", daemon=True)
        self._throttle = LogThrottle(time.monotonic)
        self._health: dict[tuple[int, str], ChannelHealth] = {}
        self._counts = Counter[tuple[str, ...]]()
        self._unwritten: dict[str, Notification] = {}
        """By id, what became of those of which the store knows nothing yet: they are due there still."""

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._is_stopped = True
        self._wake.set()
        self._thread.join(1)
        self._executor.shutdown(wait=False, cancel_futures=True)

    def wake(self) -> None:
        self._wake.set()

    def health(self, org_id: int | None = None) -> dict[tuple[int, str], ChannelHealth]:
        """By org and channel; of all orgs where none is given."""
        with self._lock:
            return {key: one for key, one in self._health.items() if org_id in (None, key[0])}

    def counts(self) -> dict[tuple[str, ...], float]:
        """For metrics: by kind of channel and result. No org sees there what channels another has."""
        with self._lock:
            return dict(self._counts)

    def _run(self) -> None:
        while not self._is_stopped:
            self._wake.clear()
            try:
                self.send_due()
            except Unavailable as error:
                self._complain(str(error))
            except Exception:
                _log.exception("cannot look through the outbox; trying again", {"event": "outbox-failed"})
            self._wake.wait(self._poll_seconds)

    def send_due(self) -> None:
        """Hand what is due to the threads that send. Raises Unavailable."""
        now = self._now()
        if not self._orgs.is_only_writer and not self._outbox.hold_sending(self._owner, now, LEASE_SECONDS):
            return
        if now >= self._ends_told_at + ENDS_SECONDS:
            self._ends_told_at = now
            for org in self._orgs.orgs():
                self._tell_of_ends(org.id)
            self._forget(now)
        due: defaultdict[tuple[int, str], list[Notification]] = defaultdict(list)
        for one in self._outbox.due_notifications(now, BATCH):
            due[one.org_id, one.channel].append(one)
        for key, those in due.items():
            if self._takes(key):
                try:
                    self._executor.submit(self._send_all, key, those)
                except RuntimeError:  # it is being stopped
                    self._gives_back(key)

    def _forget(self, now: int) -> None:
        """Channels that failed and are gone, and results that nobody asks for any more."""
        for org_id, handle in [key for key, one in self.health().items() if one.is_failing]:
            if channel_named(handle, self._settings.channels(org_id)) is None:
                with self._lock:
                    self._health.pop((org_id, handle), None)
        for one in list(self._unwritten.values()):
            if one.created_at < now - UNWRITTEN_SECONDS:
                self._unwritten.pop(one.id, None)

    def _takes(self, key: tuple[int, str]) -> bool:
        """One at a time of a channel, in their order, and some channels of an org."""
        with self._lock:
            of_org = Counter(org_id for org_id, _ in self._busy)[key[0]]
            if key in self._busy or of_org >= MAX_CHANNELS_OF_AN_ORG:
                return False
            self._busy.add(key)
            return True

    def _gives_back(self, key: tuple[int, str]) -> None:
        with self._lock:
            self._busy.discard(key)
            self._lock.notify_all()

    def wait_until_idle(self) -> None:
        """Until nothing is being sent."""
        with self._lock:
            self._lock.wait_for(lambda: not self._busy)

    def _send_all(self, key: tuple[int, str], notifications: Sequence[Notification]) -> None:
        until, is_well = self._clock() + CHANNEL_SECONDS, False
        try:
            for one in notifications:
                if self._is_stopped or self._clock() >= until:
                    break
                self._write(self._unwritten.get(one.id) or self._sent(one))
            is_well = True
        except Unavailable as error:
            self._complain(str(error))  # it is due still
        except Exception:
            _log.exception("cannot send notifications; trying again", {"event": "notify-failed"})
        finally:
            self._gives_back(key)
            if is_well:  # else it would come at once, again and again
                self._wake.set()

    def _write(self, result: Notification) -> None:
        """Where the store does not take it, it is written later, and not sent again."""
        self._unwritten[result.id] = result
        self._outbox.put_notifications([result])
        del self._unwritten[result.id]

    def _sent(self, one: Notification) -> Notification:
        """Try it, and say what became of it."""
        try:
            self._send(one)
        except NotSent as error:
            return self._failed(one, error)
        except Unavailable:
            raise  # nothing was sent
        except Exception as error:
            _log.exception("cannot send a notification; trying again", {"event": "notify-failed"})
            return self._failed(one, NotSent(f"a fault of this server: {type(error).__name__}"))
        self._note(one, is_sent=True)
        now = self._now()
        return replace(one, delivery=Delivery.SENT, attempts=one.attempts + 1, changed_at=now, error="")

    def _send(self, one: Notification) -> None:
        channel = channel_named(one.channel, self._settings.channels(one.org_id))
        if channel is None:
            raise NotSent("the channel is gone", is_final=True)
        if one.is_digest:
            one = self._filled(one)
        variables = self._settings.variables(one.org_id)
        custom = {variable.name: variable.value for variable in variables}
        name = next((org.name for org in self._orgs.orgs() if org.id == one.org_id), "")
        try:
            self._sender.send(one, channel, custom, name)
        except NotSent as error:  # which is kept, shown and logged
            reason = without_secrets(error.reason, secrets_of(channel, variables))
            raise NotSent(reason, is_final=error.is_final) from None

    def _filled(self, digest: Notification) -> Notification:
        since = digest.created_at // RATE_SECONDS * RATE_SECONDS
        those = [
            one
            for one in self._outbox.notifications(digest.org_id, since, 10_000)
            if one.delivery is Delivery.DIGESTED
            and one.channel == digest.channel
            and one.created_at < since + RATE_SECONDS
        ]
        titles = [title(one.transition) for one in reversed(those)]
        return replace(digest, transition=digest_transition(digest, titles, len(those)))

    def _failed(self, one: Notification, error: NotSent) -> Notification:
        now, attempts = self._now(), one.attempts + 1
        is_over = error.is_final or attempts >= most_attempts(one.channel)
        self._note(one, is_sent=False, is_given_up=is_over, error=str(error))
        fields = {"event": "not-notified", "org_id": one.org_id, "channel": one.channel, "reason": str(error)}
        if self._throttle.admits((one.org_id, one.channel)):
            _log.warning("cannot send to %(channel)s of org %(org_id)d: %(reason)s", fields)
        return replace(
            one,
            delivery=Delivery.FAILED if is_over else Delivery.WAITING,
            attempts=attempts,
            next_at=now + wait_seconds(attempts),
            changed_at=now,
            error=str(error),
        )

    def _note(self, one: Notification, *, is_sent: bool, is_given_up: bool = False, error: str = "") -> None:
        key = (one.org_id, one.channel)
        with self._lock:
            for result, count in (("sent", is_sent), ("given up", is_given_up), ("failed", not is_sent)):
                self._counts[_kind(one.channel), result] += count
            before = self._health.get(key, ChannelHealth())
            self._health[key] = ChannelHealth(
                before.sent + is_sent,
                before.failed_attempts + (not is_sent),
                before.given_up + is_given_up,
                not is_sent,
                error,
                self._now(),
            )

    def _complain(self, reason: str) -> None:
        if self._throttle.admits("outbox"):
            fields = {"event": "outbox-failed", "reason": reason}
            _log.warning("cannot look through the outbox: %(reason)s; trying again", fields)


def _kind(channel: str) -> str:
    """`webhook` of `webhook-oncall`; an address of mail has no name."""
    return "email" if "@" in channel else channel.partition("-")[0]
