"""How sightings, keys and orgs are kept and found."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from procession.accounts.change import Change, ChangeKind
from procession.accounts.hosts import HostNotice, HostTags, WatchLease
from procession.accounts.orgs import Key, KeyUse, Org, RemovedOrg
from procession.accounts.saved_view import SavedView
from procession.accounts.sessions import Link, Session
from procession.accounts.users import UnreadableUser, User
from procession.analysis import (
    Comparison,
    Every,
    Facets,
    Family,
    Groups,
    History,
    Hosts,
    HostTree,
    InstantPage,
    InstantPin,
    Match,
    Order,
    Points,
    Run,
    Selection,
    Side,
    TagCompletion,
    TimeSeries,
    Trends,
    Turnover,
    WindowPage,
)
from procession.analysis.all_cpus import CpusOfHosts
from procession.containers.container import ContainerSnapshot, ContainerStats
from procession.containers.history import ContainerHistory, GroupOf
from procession.containers.presence import FoundContainer
from procession.errors import Unavailable
from procession.inventory import FrozenStore, Inventory
from procession.lifecycle.events import ProcessExits
from procession.monitors.group_state import Group, GroupState
from procession.monitors.late.silences import Silence
from procession.monitors.lease import EvaluationLease
from procession.monitors.monitor import Monitor
from procession.monitors.transition import Transition
from procession.notifications.channels import Channel, CustomVariable
from procession.notifications.downtimes.downtime import Downtime
from procession.notifications.notification import Notification, NotifiedState
from procession.packed import AnySnapshot
from procession.paging import Page
from procession.process import Ending, LiveSnapshot, ProcessDetail, ProcessKey, ProcessSummary, Snapshot
from procession.query import ProcessQuery
from procession.search.tag_filter import EVERYTHING, TagFilter
from procession.window import Window

__all__ = [
    "AccountsAtHand",
    "AnalysisStore",
    "BackupStore",
    "ChangeStore",
    "ContainerStore",
    "DetailStore",
    "ErasureStore",
    "ExitSink",
    "HostStore",
    "KeyStore",
    "MonitorStore",
    "NotAllStored",
    "NotificationSettingsStore",
    "OutboxStore",
    "ProcessStore",
    "ReadStore",
    "RollupStore",
    "SessionStore",
    "SizedStore",
    "UserStore",
    "ViewStore",
]


class NotAllStored(Unavailable):
    """Some of the chunks that were to be added are not safe. The others are."""

    def __init__(self, error: Unavailable, failed_indexes: frozenset[int]) -> None:
        """`failed_indexes`: which of the chunks are not, counted from 0."""
        super().__init__(*error.messages)
        self.failed_indexes = failed_indexes


class ProcessStore(Protocol):
    """The contract. All calls block, and may come from any number of threads at once.

    Any of them raises Unavailable where the store cannot do it now.
    """

    def add(self, snapshots: Sequence[tuple[int, AnySnapshot]]) -> None:
        """Keep these chunks of (org id, snapshot) as one batch; what this returns from is safe on disk.

        The same chunk again changes nothing. A start up to two seconds off that of the process that the host had
        under the same pid is the start stored first, unless that process has ended in between: by an exit, or by a
        complete snapshot without it.
        """

    def find(self, query: ProcessQuery) -> Page:
        """The search does not compare. The page right after `query.after`, full unless it is the last."""


class DetailStore(Protocol):
    """How processes end, and their numbers."""

    def add_live(self, live: Sequence[tuple[int, LiveSnapshot]]) -> None:
        """Keep numbers for a day. They are no sightings, and are not safe on disk: the next come in two seconds."""

    def sightings_of(self, live: Sequence[tuple[int, LiveSnapshot]]) -> tuple[Snapshot, ...]:
        """What each of these chunks of (org id, live numbers) is as a snapshot, to be added as any other: for agents
        that list every process of their host.

        A process is what it was at its newest sighting, up to that moment and no more than an hour before. One that has
        none is left out, and its chunk then says of no process that it has ended. A start may be two seconds off.
        """

    def add_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> None:
        """Keep how hosts reported that their processes ended, each with its org id. The same again changes nothing."""

    def unknown_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> tuple[ProcessExits, ...]:
        """One for each, with the exits in it that are those of no process that is known: none that was seen under the
        pid within an hour began when it did, or had begun before and not ended by then."""

    def details(self, org_id: int, window: Window, processes: Sequence[ProcessSummary]) -> tuple[ProcessDetail, ...]:
        """One for each process of a page that was found in this window.

        A process has ended by an exit event, or by the first complete snapshot of its host after its newest sighting:
        it would be in it. A snapshot of which chunks are missing, or that tells of some processes only, ends nothing.
        """

    def endings(self, org_id: int, until: int, seen: Sequence[tuple[ProcessKey, int]]) -> tuple[Ending, ...]:
        """The same of processes and their newest sightings that are known, without their numbers. `until`: up to when
        it is looked for how they ended."""


class ExitSink(Protocol):
    """Takes exits on an event loop, and never keeps that waiting."""

    async def add_exits(self, org_id: int, exits: ProcessExits) -> None:
        """Returns once they are safe on disk. Raises Unavailable."""

    def unknown_at_once(self, org_id: int, exits: ProcessExits) -> ProcessExits | None:
        """As `DetailStore.unknown_exits`, of one host. None where one has to wait for that."""


class ContainerStore(Protocol):
    """Containers of hosts: those of now, and those of each minute."""

    def add(self, snapshots: Sequence[tuple[int, ContainerSnapshot]]) -> None:
        """Keep these, each with its org id; safe on disk once this returns. The same again changes nothing."""

    def add_stats(self, stats: Sequence[tuple[int, ContainerStats]]) -> None:
        """What containers use right now, of those that were told of. They need not be kept."""

    def present(self, org_id: int, at: int) -> tuple[FoundContainer, ...]:
        """By their keys: see `procession.containers.presence`. An instant that is over is as its minute ended. Raises
        InvalidRequest where there are too many."""

    def history(
        self,
        org_id: int,
        host: str,
        container_id: str,
        window: Window,
        step_seconds: int,
        tags: TagFilter = EVERYTHING,
    ) -> ContainerHistory:
        """By steps of `step_seconds`, whole minutes: the mean of what is known, of minutes in which it had these
        tags."""

    def timeseries(
        self,
        org_id: int,
        times: Sequence[int],
        measures: Sequence[str],
        rank: str,
        limit: int,
        group_of: GroupOf,
        cpus: CpusOfHosts | None = None,
    ) -> TimeSeries:
        """At instants in even steps of whole minutes, or at fewer of them where there are too many containers: what was
        told in the last minute that was over then. The sum of a group, or the greatest of a measure of GREATEST; for
        the `limit` groups that have the most of `rank`, and the rest. With `cpus`, CPU is in percent of all CPUs of a
        host. Raises InvalidRequest where there are more containers than can be looked at."""


class KeyStore(Protocol):
    """Orgs and keys. Few, so that readers may take all at once and keep them for seconds."""

    @property
    def is_only_writer(self) -> bool:
        """Whether nobody else writes to the same tables."""

    def orgs(self) -> tuple[Org, ...]: ...

    def keys(self) -> tuple[Key, ...]:
        """Revoked ones too."""

    def admin_keys(self) -> tuple[Key, ...]:
        """Those that do not expire and were not revoked. Whatever any server has put before is in it, which `keys` may
        learn a little later. Raises Unavailable also if only a part of the store is away."""

    def put_org(self, org: Org) -> None:
        """Add it, or rename the one with this id."""

    def removed_orgs(self) -> tuple[RemovedOrg, ...]: ...

    def put_removed_org(self, org: RemovedOrg) -> None:
        """From now on neither the org nor its keys are among the others; it is replaced where it is known."""

    def put_key(self, key: Key) -> None:
        """Add it, or replace the one with this id."""

    def key_uses(self) -> Mapping[str, int]:
        """By the ids of keys, when each was used last; of those that were."""

    def put_key_uses(self, uses: Sequence[KeyUse]) -> None:
        """Of two uses of a key the later one holds."""


class SessionStore(Protocol):
    """Who is signed in to the page. Readers take all at once and keep them for seconds."""

    def sessions(self, now: int) -> tuple[Session, ...]:
        """Those that have neither expired nor ended, the oldest first."""

    def put_session(self, session: Session) -> None:
        """Add it, or replace the one with this token."""

    def put_link(self, link: Link) -> None: ...

    def take_link(self, token_hash: bytes, now: int) -> Link | None:
        """The link, once: None to whoever asks again, to those who ask at the same moment, and after its time."""


class UserStore(Protocol):
    """Who may sign in. Few, so that readers may take all at once and keep them for seconds."""

    def users(self) -> tuple[User, ...]:
        """By name, without those that were removed, or whose org was."""

    def removed_users(self) -> tuple[User, ...]:
        """By name, those that were removed and have an identity."""

    def unreadable_users(self) -> tuple[UnreadableUser, ...]:
        """By name, those that a newer version wrote so that this one cannot tell what they may do, be they removed.
        Nobody else gives them."""

    def admins(self, org_id: int) -> tuple[User, ...]:
        """By name. Whatever any server has put before is in it, which `users` may learn a little later. Raises
        Unavailable also if only a part of the store is away."""

    def put_user(self, user: User) -> None:
        """Add it, or replace the one with this name."""


class HostStore(Protocol):
    """What is said of hosts, besides their processes. Little, so that readers may take all of it every few seconds."""

    def host_tags(self) -> tuple[HostTags, ...]:
        """Of all orgs; entries without tags are left out."""

    def host_tags_version(self) -> int:
        """Another number whenever `host_tags` may give something else than before, whoever changed it. Costs little."""

    def put_host_tags(self, *entries: HostTags) -> None:
        """Each replaces what its source said of its host before, be it another of these. Many cost hardly more than
        one."""

    def host_notices(self, org_id: int) -> tuple[HostNotice, ...]:
        """The newest of each host that gave one."""

    def put_host_notices(self, notices: Sequence[HostNotice]) -> None: ...

    def leases(self, now: int) -> tuple[WatchLease, ...]:
        """Those of all orgs that still hold, one for each host."""

    def put_lease(self, lease: WatchLease) -> None:
        """Of two leases of a host the longer one holds."""


class AccountsAtHand(Protocol):
    """What a store remembers of what it was asked before and nobody else can have changed. It gives that at once, and
    None where it has to read."""

    def keys(self) -> tuple[Key, ...] | None:
        """As `KeyStore.keys`; the same object as it gave."""

    def host_tags_version(self) -> int | None: ...

    def leases(self, now: int) -> tuple[WatchLease, ...] | None: ...


class SizedStore(Protocol):
    def inventory(self) -> Inventory:
        """Costs some milliseconds for each server of the store."""


class ReadStore(ProcessStore, DetailStore, SizedStore, Protocol):
    """Finds processes, and knows their details and its own size."""


class AnalysisStore(Protocol):
    """Questions about many processes at once, or one over time: see `procession.analysis`. Searches may compare.

    Raises InvalidRequest for what is too much for one answer.
    """

    def is_known(self, selection: Selection, window: Window) -> bool:
        """Whether any host that the selection names told of its processes in the window; to the hour where the
        snapshots are kept no longer."""

    def instant_page(
        self,
        selection: Selection,
        at: int,
        order: Order,
        offset: int,
        limit: int,
        after: ProcessKey | None = None,
        pin: InstantPin | None = None,
    ) -> InstantPage:
        """`after`: the last process of the page before, from which `offset` counts. `pin`: that of the page before."""

    def window_page(self, selection: Selection, window: Window, order: Order, offset: int, limit: int) -> WindowPage:
        """All that were seen in the window, by any of WINDOW_SORT_COLUMNS, or by a tag."""

    def points(self, selection: Selection, at: int, x: str, y: str, by: str | None, limit: int) -> Points:
        """Two measures of each process that has both, those with the greatest `x` first."""

    def facets(
        self, selection: Selection, when: Window | int, keys: Sequence[str], limit: int, prefix: str = ""
    ) -> Facets:
        """Counts by the values of these tag keys; of those that begin with `prefix`, in any case, where `*` is a
        wildcard. Of a window also by ENDING_KEYS."""

    def complete_tag(self, org_id: int, window: Window, prefix: str, limit: int) -> TagCompletion:
        """Keys, or after a colon values, that begin so."""

    def groups(
        self,
        selection: Selection,
        at: int,
        by: str,
        measures: Sequence[str],
        order: Order,
        limit: int,
        *,
        second: str | None = None,
        has_percentiles: bool = False,
    ) -> Groups:
        """By a tag key or an attribute, or by two; ordered by `count`, `value`, `second` or `STATISTIC:MEASURE`. By a
        percentile only with percentiles."""

    def hosts(
        self, selection: Selection, at: int, measures: Sequence[str], order: Order, offset: int, limit: int
    ) -> Hosts:
        """Ordered by `host`, `processes`, `sum:MEASURE` or `max:MEASURE`."""

    def hosts_told(self, org_id: int, window: Window) -> Mapping[str, int]:
        """By name, hosts that told of their processes in the window, and when they did so last."""

    def timeseries(
        self,
        selection: Selection,
        window: Window,
        by: str | None,
        measures: Sequence[str],
        rank: str,
        limit: int,
        points: int,
        cpus: CpusOfHosts | None = None,
    ) -> TimeSeries:
        """At instants from the end of the window back; for the `limit` groups that have the most of `rank`. With
        `cpus`, CPU is in percent of all CPUs of a host."""

    def trends(
        self,
        selection: Selection,
        window: Window,
        by: str | None,
        measures: Sequence[str],
        rank: str,
        limit: int,
        points: int,
    ) -> Trends:
        """The same by steps of whole minutes, with the least, the mean and the greatest of each. `measures` are of
        TREND_MEASURES. Of a short window, and where there is too much to look at, these are instants."""

    def turnover(self, selection: Selection, window: Window, points: int) -> Turnover:
        """By steps as those of `trends`: how many processes began, and how those ended that agents told of. Of a part
        of the processes, an exit is that of the last one that had begun under its pid."""

    def oldest_sighting(self, org_id: int) -> int | None:
        """When the first snapshot was taken of those that are kept; None where there is none."""

    def history(self, org_id: int, key: ProcessKey, window: Window, every: Every) -> History: ...

    def last_seen(self, org_id: int, key: ProcessKey) -> int | None:
        """As far back as there are minutes; None where nothing of the process is rolled up yet."""

    def host_tree(self, org_id: int, host: str, at: int) -> HostTree: ...

    def family(self, org_id: int, key: ProcessKey, at: int) -> Family | None:
        """None where the process is not there at this instant."""

    def runs(
        self, org_id: int, process: ProcessSummary, window: Window, limit: int, *, without_arguments: bool = False
    ) -> tuple[Run, ...]:
        """Other processes of the same program on its host that were seen in the window, the newest start first. What
        they were given does not count where it is `without_arguments`."""

    def compare(
        self, left: Side, right: Side, match: Match, limit: int, *, without_arguments: bool = False
    ) -> Comparison:
        """`without_arguments`: processes that differ in nothing else are the same."""


class ViewStore(Protocol):
    """Views of the page that orgs have saved."""

    def views(self, org_id: int) -> tuple[SavedView, ...]:
        """By name."""

    def put_view(self, org_id: int, view: SavedView) -> None:
        """Add it, or replace the one with this name."""

    def delete_view(self, org_id: int, name: str) -> None:
        """Whether there is one or not."""


class MonitorStore(Protocol):
    """Monitors, the states of their groups, and what happened to them."""

    def monitors(self, org_id: int | None = None) -> tuple[Monitor, ...]:
        """Of an org, or of all; by id."""

    def put_monitor(self, monitor: Monitor) -> None:
        """Add it, or replace the one with its id."""

    def delete_monitor(self, org_id: int, monitor_id: int) -> None:
        """With the states of its groups. What happened to it stays."""

    def groups_by_monitor(
        self, org_id: int | None = None, monitor_id: int | None = None
    ) -> dict[tuple[int, int], tuple[GroupState, ...]]:
        """By org and monitor."""

    def put_groups(self, org_id: int, monitor_id: int, states: Sequence[GroupState]) -> None:
        """Each is one record, with the transitions in it: it is there as a whole, or not at all."""

    def drop_groups(self, org_id: int, monitor_id: int, groups: Sequence[Group]) -> None: ...

    def put_transitions(self, transitions: Sequence[Transition]) -> None:
        """The same again changes nothing."""

    def transitions(
        self,
        org_id: int,
        window: Window,
        limit: int,
        monitor_id: int | None = None,
        *,
        among: Collection[int] | None = None,
    ) -> tuple[Transition, ...]:
        """The newest first. `among`: only of monitors with these ids."""

    def silences(self) -> tuple[Silence, ...]:
        """Of all orgs, but those that are dropped."""

    def put_silences(self, silences: Sequence[Silence]) -> None:
        """Each replaces the one that began at the same moment."""

    def drop_silences(self, silences: Sequence[Silence]) -> None: ...

    def leases(self) -> tuple[EvaluationLease, ...]:
        """Those of the last day, also those that hold no longer."""

    def put_lease(self, lease: EvaluationLease) -> None:
        """Replaces the one of its owner."""


class ChangeStore(Protocol):
    """Who changed what of an org."""

    def put_change(self, change: Change) -> None:
        """Safe on disk once this returns. The same again changes nothing."""

    def changes(
        self, org_id: int, window: Window, limit: int, kind: ChangeKind | None = None, subject: str | None = None
    ) -> tuple[Change, ...]:
        """The newest first."""


class BackupStore(Protocol):
    """Lets what is kept be copied while more comes."""

    def freeze(self) -> FrozenStore:
        """All that was acknowledged by now, of every table of a backup, at one moment. What was frozen before is
        released. Raises Unavailable."""

    def release(self, name: str) -> None:
        """Of what was frozen; whether it is still there or not."""


class ErasureStore(Protocol):
    """Erases orgs that were removed."""

    def rows_of_org(self, org_id: int) -> Mapping[str, int]:
        """Tables that have anything of the org -> how many rows."""

    def erase_org(self, org_id: int) -> None:
        """Everything of the org, wherever it is kept; of others nothing. May be done again. Raises Unavailable where
        something is left."""


class RollupStore(Protocol):
    """Keeps minutes of what is older than every sighting is kept."""

    def roll_up(self, orgs: Sequence[int]) -> int:
        """Make minutes out of the sightings of hours that are over; gives how many hours of hosts that was.

        To be called every few minutes, by any number of servers.
        """


class NotificationSettingsStore(Protocol):
    """Where an org's notifications go, and when they do not."""

    def channels(self, org_id: int) -> tuple[Channel, ...]:
        """By name."""

    def put_channel(self, org_id: int, channel: Channel) -> None:
        """Add it, or replace the one with its kind and name."""

    def delete_channel(self, org_id: int, handle: str) -> None:
        """`webhook-oncall`, whether there is one or not."""

    def variables(self, org_id: int) -> tuple[CustomVariable, ...]:
        """With their secrets: for who sends."""

    def put_variable(self, org_id: int, variable: CustomVariable) -> None: ...

    def delete_variable(self, org_id: int, name: str) -> None: ...

    def downtimes(self, org_id: int) -> tuple[Downtime, ...]:
        """Those that are over, too."""

    def put_downtime(self, org_id: int, downtime: Downtime) -> None:
        """Add it, or replace the one with its id."""


class OutboxStore(Protocol):
    """Notifications: those to be sent, and what became of them."""

    def put_notifications(self, notifications: Sequence[Notification]) -> None:
        """Add them, or replace those with their ids; safe on disk once this returns."""

    def known_notifications(self, org_id: int, ids: Sequence[str], since: int) -> frozenset[str]:
        """Which of these ids there are, made since then."""

    def due_notifications(self, now: int, limit: int) -> tuple[Notification, ...]:
        """Of all orgs: those that wait and are to be tried by now, the longest due first, and some of each channel."""

    def next_due(self, now: int) -> int | None:
        """When the first of those that wait is to be tried, be it over or to come; None where none waits."""

    def notifications(self, org_id: int, since: int, limit: int) -> tuple[Notification, ...]:
        """Those made since then, the newest first."""

    def count_notifications(self, org_id: int, since: int) -> int:
        """How many were made since then to be sent one by one."""

    def group_states(self, org_id: int) -> tuple[NotifiedState, ...]: ...

    def put_group_states(self, states: Sequence[NotifiedState]) -> None:
        """Each replaces that of the same monitor and group."""

    def hold_sending(self, owner: str, now: int, seconds: int) -> bool:
        """Whether `owner` is who sends, of several servers, and then so for this many seconds."""
