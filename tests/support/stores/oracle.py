"""The store's contract in plain Python: every sighting is kept, and every question looks at all of them."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence

import msgspec

from procession.accounts.administration import is_lasting_admin
from procession.accounts.hosts import HostNotice, HostTags, TagSource, WatchLease
from procession.accounts.orgs import Key, KeyUse, Org, RemovedOrg
from procession.accounts.sessions import Link, Session
from procession.accounts.users import UnreadableUser, User
from procession.discovery import discovered_tags
from procession.inventory import Inventory, TableSize
from procession.lifecycle.events import ProcessExit, ProcessExits
from procession.packed import AnySnapshot
from procession.paging import Page
from procession.process import (
    Ending,
    ExitFacts,
    LiveSnapshot,
    ProcessDescription,
    ProcessDetail,
    ProcessIdentity,
    ProcessKey,
    ProcessNumbers,
    ProcessSummary,
    Sighting,
    Snapshot,
)
from procession.query import ProcessQuery
from procession.search.evaluation import accepts
from procession.window import Window
from tests.support.stores.containers_oracle import OracleContainers
from tests.support.stores.unpacked import unpack


class OracleStore:
    """All contracts of a store, too simple to be wrong and too slow to be used.

    Of two descriptions of a process in the same second, the greater one counts, in the order of their encodings: so
    it does not matter which was added first, or how often.

    It refuses a test that gives two chunks of one host and moment the same number: of them a store keeps either one.
    """

    is_only_writer = True

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.containers = OracleContainers()
        self._sightings: defaultdict[int, defaultdict[ProcessIdentity, dict[int, ProcessDescription]]]
        self._sightings = defaultdict(lambda: defaultdict(dict))
        self._snapshots: defaultdict[int, list[Snapshot]] = defaultdict(list)
        self._as_kept: defaultdict[int, list[Snapshot]] = defaultdict(list)
        self._exits: defaultdict[tuple[int, str], list[ProcessExit]] = defaultdict(list)
        self._live: defaultdict[int, list[LiveSnapshot]] = defaultdict(list)
        self._chunks: dict[tuple[object, ...], Snapshot | LiveSnapshot] = {}
        self._orgs: dict[int, Org] = {}
        self._keys: dict[str, Key] = {}
        self._key_uses: dict[str, KeyUse] = {}
        self._removed: dict[int, RemovedOrg] = {}
        self._leases: dict[tuple[int, str], WatchLease] = {}
        self._host_tags: dict[tuple[int, str, TagSource], HostTags] = {}
        self._host_tags_version = 0
        self._host_notices: dict[tuple[int, str], HostNotice] = {}
        self._sessions: dict[bytes, Session] = {}
        self._links: dict[bytes, Link] = {}
        self._users: dict[str, User] = {}
        self.unreadable: list[UnreadableUser] = []

    def add(self, snapshots: Sequence[tuple[int, AnySnapshot]]) -> None:
        with self._lock:
            for org_id, any_snapshot in snapshots:
                snapshot = unpack(any_snapshot)
                self._name(org_id, snapshot)
                self._snapshots[org_id].append(snapshot)
                identities = [self._kept(org_id, snapshot, sighting) for sighting in snapshot.sightings]
                sightings = tuple(
                    msgspec.structs.replace(sighting, started_at=identity.started_at)
                    for identity, sighting in zip(identities, snapshot.sightings, strict=True)
                )
                self._as_kept[org_id].append(msgspec.structs.replace(snapshot, sightings=sightings))
                for identity, sighting in zip(identities, snapshot.sightings, strict=True):
                    by_moment = self._sightings[org_id][identity]
                    rival = by_moment.get(snapshot.taken_at, sighting.description)
                    by_moment[snapshot.taken_at] = max(rival, sighting.description, key=msgspec.msgpack.encode)

    def _name(self, org_id: int, chunk: Snapshot | LiveSnapshot) -> None:
        name = type(chunk), org_id, chunk.host, chunk.taken_at, chunk.request_id
        assert self._chunks.setdefault(name, chunk) == chunk, f"two chunks have the same number: {name}"

    def snapshots(self, org_id: int) -> tuple[Snapshot, ...]:
        """With the starts that processes are kept under."""
        with self._lock:
            return tuple(self._as_kept[org_id])

    def exits(self, org_id: int) -> set[tuple[str, ProcessExit]]:
        """Each once, with its host."""
        with self._lock:
            return {(host, one) for (org, host), some in self._exits.items() if org == org_id for one in some}

    def _kept(self, org_id: int, snapshot: Snapshot, sighting: Sighting) -> ProcessIdentity:
        """With the start of the process that the host had under the pid, if that is near and it has not ended."""
        said = ProcessIdentity(snapshot.host, sighting.pid, sighting.started_at)
        near = {
            identity: by_moment
            for identity, by_moment in self._sightings[org_id].items()
            if (identity.host, identity.pid) == (said.host, said.pid)
            and abs(identity.started_at - said.started_at) <= 2
            and by_moment
        }
        if said in near:
            return said
        at = snapshot.taken_at
        living = [
            (max(min(by_moment) - at, at - max(by_moment), 0), identity)
            for identity, by_moment in near.items()
            if not self._has_ended_between(org_id, said, by_moment, at)
        ]
        return min(living)[1] if living else said

    def _has_ended_between(
        self, org_id: int, said: ProcessIdentity, by_moment: dict[int, ProcessDescription], at: int
    ) -> bool:
        first, last = min(by_moment), max(by_moment)
        since, until = (last, at) if at > last else (at, first)
        if first <= at <= last:
            return False
        complete = self._complete(org_id, said.host)
        exits = [one.at for one in self._exits[org_id, said.host] if one.pid == said.pid]
        return any(since < moment < until for moment in complete) or any(since <= moment < until for moment in exits)

    def _complete(self, org_id: int, host: str) -> set[int]:
        """When complete snapshots of a host were taken."""
        groups: defaultdict[tuple[int, int], set[int]] = defaultdict(set)
        sizes: dict[tuple[int, int], int] = {}
        for one in self._snapshots[org_id]:
            if one.host == host:
                group = (one.taken_at, one.split_id)
                groups[group].add(one.request_id)
                sizes[group] = max(one.chunk_count, sizes.get(group, 0))
        return {at for (at, split_id), requests in groups.items() if 0 < sizes[at, split_id] <= len(requests)}

    def has_ended_by(
        self,
        org_id: int,
        identity: ProcessIdentity,
        seen_at: int,
        state: str,
        base: int,
        at: int,
    ) -> bool:
        """Whether it was said up to `at` that this process has ended, which was last seen so; `base`: when the first
        snapshot was taken that counts."""
        if state == "X":
            return True
        since = seen_at if state else max(min(identity.started_at, seen_at), seen_at - 3600)
        with self._lock:
            exits = [one for one in self._exits[org_id, identity.host] if one.pid == identity.pid]
            looks = [
                (live.taken_at, one)
                for live in self._live[org_id]
                if live.host == identity.host
                for one in live.processes
                if one.pid == identity.pid and one.numbers.state == "X"
            ]
        for one in exits:
            if not max(since, base) <= one.at <= at:
                continue
            if one.executed_at and one.executed_at < identity.started_at - 2:
                continue
            return True
        return any(seen_at <= moment <= at and abs(one.started_at - identity.started_at) <= 2 for moment, one in looks)

    def find(self, query: ProcessQuery) -> Page:
        with self._lock:
            org = self._sightings[query.org_id]
            processes = [_newest(identity, by_moment, query.window) for identity, by_moment in org.items()]
        found = [
            process
            for process in processes
            if process is not None
            and accepts(query.search, process)
            and query.tags.accepts(process.tags, discovered_tags(process.description.discovery))
            and (query.after is None or ProcessKey.of(process.identity) > query.after)
            and (query.only is None or ProcessKey.of(process.identity) == query.only)
        ]
        found.sort(key=lambda process: ProcessKey.of(process.identity))
        return Page(tuple(found[: query.limit]))

    def add_live(self, live: Sequence[tuple[int, LiveSnapshot]]) -> None:
        with self._lock:
            for org_id, snapshot in live:
                self._name(org_id, snapshot)
                self._live[org_id].append(snapshot)

    def sightings_of(self, live: Sequence[tuple[int, LiveSnapshot]]) -> tuple[Snapshot, ...]:
        with self._lock:
            return tuple(self._sightings_of(org_id, snapshot) for org_id, snapshot in live)

    def _sightings_of(self, org_id: int, live: LiveSnapshot) -> Snapshot:
        sightings: dict[tuple[int, int], Sighting] = {}
        is_complete = True
        for one in live.processes:
            known = [
                (identity.started_at == one.started_at, at, msgspec.msgpack.encode(description), description)
                for identity, by_moment in self._sightings[org_id].items()
                if (identity.host, identity.pid) == (live.host, one.pid)
                and abs(identity.started_at - one.started_at) <= 2
                for at, description in by_moment.items()
                if live.taken_at - 3600 <= at <= live.taken_at
            ]
            if not known:
                is_complete = False
                continue
            description = max(known, key=lambda item: item[:3])[3]
            if one.numbers.state:
                description = msgspec.structs.replace(description, is_zombie=one.numbers.state == "Z")
            sightings[one.pid, one.started_at] = Sighting(one.pid, one.started_at, description, one.numbers)
        return Snapshot(
            host=live.host,
            taken_at=live.taken_at,
            sightings=tuple(sightings.values()),
            request_id=live.request_id,
            split_id=live.split_id,
            chunk_count=live.chunk_count if is_complete else 0,
        )

    def add_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> None:
        with self._lock:
            for org_id, of_host in exits:
                self._exits[org_id, of_host.host].extend(of_host.exits)

    def unknown_exits(self, exits: Sequence[tuple[int, ProcessExits]]) -> tuple[ProcessExits, ...]:
        reported: defaultdict[tuple[int, str], list[ProcessExit]] = defaultdict(list)
        for org_id, of_host in exits:
            reported[org_id, of_host.host] += of_host.exits
        with self._lock:
            return tuple(
                ProcessExits(
                    of_host.host,
                    tuple(
                        one
                        for one in of_host.exits
                        if not self._is_known(org_id, of_host.host, one, reported[org_id, of_host.host])
                    ),
                )
                for org_id, of_host in exits
            )

    def _is_known(self, org_id: int, host: str, one: ProcessExit, reported: Sequence[ProcessExit]) -> bool:
        """`reported`: of the host, at once with this one."""
        begin = one.executed_at or one.at
        complete = self._complete(org_id, host)
        exits = [other.at for other in (*self._exits[org_id, host], *reported) if other.pid == one.pid]
        newest = [
            (identity.started_at, max(moments))
            for identity, by_moment in self._sightings[org_id].items()
            if (identity.host, identity.pid) == (host, one.pid)
            and (moments := [at for at in by_moment if abs(at - one.at) <= 3600])
        ]
        if any(abs(start - begin) <= 2 for start, _ in newest):
            return True
        seen_at = max((at for start, at in newest if start < begin), default=None)
        return seen_at is not None and not (
            any(seen_at < at < begin for at in complete) or any(seen_at <= at < begin for at in exits)
        )

    def details(self, org_id: int, window: Window, processes: Sequence[ProcessSummary]) -> tuple[ProcessDetail, ...]:
        with self._lock:
            return tuple(self._detail(org_id, window, process) for process in processes)

    def endings(self, org_id: int, until: int, seen: Sequence[tuple[ProcessKey, int]]) -> tuple[Ending, ...]:
        with self._lock:
            identities = {ProcessKey.of(identity): identity for identity in self._sightings[org_id]}
            found = []
            for key, at in seen:
                later = (moment for moment in self._sightings[org_id][identities[key]] if at <= moment <= until)
                summary = ProcessSummary(identities[key], max(later, default=at), ProcessDescription())
                detail = self._detail(org_id, Window(at, until), summary, is_live=False)
                found.append(detail.ending)
        return tuple(found)

    def _detail(self, org_id: int, window: Window, process: ProcessSummary, *, is_live: bool = True) -> ProcessDetail:
        identity = process.identity
        snapshots = [one for one in self._as_kept[org_id] if one.host == identity.host]
        numbers = [
            sighting.numbers
            for one in snapshots
            for sighting in one.sightings
            if (one.taken_at, sighting.pid, sighting.started_at) == (process.seen_at, identity.pid, identity.started_at)
        ]
        numbers.sort(key=lambda one: (one.state != "", one.state == "X"))
        live = [
            (one.taken_at, number, process_.numbers)
            for number, one in enumerate(self._live[org_id])
            if one.host == identity.host and max(process.seen_at, window.to_at - 301) < one.taken_at <= window.to_at
            for process_ in one.processes
            if process_.pid == identity.pid and abs(process_.started_at - identity.started_at) <= 2
        ]
        if live and is_live:
            numbers = [max(live, key=lambda item: item[:2])[2]]
        complete = self._complete(org_id, identity.host)
        missing_at = min((at for at in complete if process.seen_at < at <= window.to_at), default=None)
        state = numbers[-1].state if numbers else ""
        since = process.seen_at
        if state in ("", "X"):
            since = max(min(identity.started_at, since), since - 3600)
        if state == "X":
            missing_at = process.seen_at
        end = window.to_at if missing_at is None else missing_at
        exits = sorted(
            (one.at, one.exit_code, one.facts.oom_killed is None, one.facts.cost is None, repr(one.facts), one.facts)
            for one in self._exits[org_id, identity.host]
            if one.pid == identity.pid
            and since <= one.at <= end
            and (not one.executed_at or one.executed_at >= identity.started_at - 2)
        )
        ended_at, exit_code, *_, facts = exits[0] if exits else (missing_at, None, ExitFacts())
        return ProcessDetail(
            numbers=numbers[-1] if numbers else ProcessNumbers(),
            ended_at=ended_at,
            exit_code=exit_code,
            exit_facts=facts,
        )

    def orgs(self) -> tuple[Org, ...]:
        with self._lock:
            return tuple(org for org in self._orgs.values() if org.id not in self._removed)

    def keys(self) -> tuple[Key, ...]:
        with self._lock:
            return tuple(key for key in self._keys.values() if key.org_id not in self._removed)

    def admin_keys(self) -> tuple[Key, ...]:
        return tuple(key for key in OracleStore.keys(self) if is_lasting_admin(key))

    def put_org(self, org: Org) -> None:
        with self._lock:
            self._orgs[org.id] = org

    def removed_orgs(self) -> tuple[RemovedOrg, ...]:
        return tuple(self._removed.values())

    def put_removed_org(self, org: RemovedOrg) -> None:
        self._removed[org.id] = org

    def rows_of_org(self, org_id: int) -> dict[str, int]:
        with self._lock:
            counts = {
                "host_tags": sum(entry.org_id == org_id for entry in self._host_tags.values()),
                "key_uses": sum(use.org_id == org_id for use in self._key_uses.values()),
                "keys": sum(key.org_id == org_id for key in self._keys.values()),
                "orgs": int(org_id in self._orgs),
                "sessions": sum(session.org_id == org_id for session in self._sessions.values()),
                "snapshots": len(self._snapshots.get(org_id, ())),
                "users": sum(user.org_id == org_id for user in self._users.values()),
            }
        return {table: count for table, count in counts.items() if count}

    def erase_org(self, org_id: int) -> None:
        with self._lock:
            for by_org in (self._orgs, self._sightings, self._snapshots, self._as_kept, self._live):
                by_org.pop(org_id, None)
            self._exits = defaultdict(list, {key: exits for key, exits in self._exits.items() if key[0] != org_id})
            self._chunks = {name: chunk for name, chunk in self._chunks.items() if name[1] != org_id}
            self._keys = {key.id: key for key in self._keys.values() if key.org_id != org_id}
            self._key_uses = {name: use for name, use in self._key_uses.items() if use.org_id != org_id}
            self._leases = {key: lease for key, lease in self._leases.items() if key[0] != org_id}
            self._host_tags = {key: entry for key, entry in self._host_tags.items() if key[0] != org_id}
            self._host_notices = {key: one for key, one in self._host_notices.items() if key[0] != org_id}
            self._sessions = {key: one for key, one in self._sessions.items() if one.org_id != org_id}
            self._links = {key: one for key, one in self._links.items() if one.org_id != org_id}
            self._users = {name: user for name, user in self._users.items() if user.org_id != org_id}

    def put_key(self, key: Key) -> None:
        with self._lock:
            self._keys[key.id] = key

    def key_uses(self) -> dict[str, int]:
        with self._lock:
            return {key_id: use.at for key_id, use in self._key_uses.items()}

    def put_key_uses(self, uses: Sequence[KeyUse]) -> None:
        with self._lock:
            for use in uses:
                self._key_uses[use.key_id] = max(use, self._key_uses.get(use.key_id, use), key=lambda one: one.at)

    def sessions(self, now: int) -> tuple[Session, ...]:
        with self._lock:
            found = [one for one in self._sessions.values() if one.expires_at > now and one.ended_at is None]
        return tuple(sorted(found, key=lambda one: (one.created_at, one.token_hash)))

    def put_session(self, session: Session) -> None:
        with self._lock:
            self._sessions[session.token_hash] = session

    def put_link(self, link: Link) -> None:
        with self._lock:
            self._links[link.token_hash] = link

    def take_link(self, token_hash: bytes, now: int) -> Link | None:
        with self._lock:
            link = self._links.pop(token_hash, None)
        return link if link is not None and link.expires_at > now else None

    def users(self) -> tuple[User, ...]:
        with self._lock:
            found = [user for user in self._users.values() if user.removed_at is None]
        return tuple(sorted((user for user in found if user.org_id not in self._removed), key=lambda user: user.name))

    def removed_users(self) -> tuple[User, ...]:
        with self._lock:
            found = [user for user in self._users.values() if user.removed_at is not None and user.identity is not None]
        return tuple(sorted(found, key=lambda user: user.name))

    def unreadable_users(self) -> tuple[UnreadableUser, ...]:
        return tuple(self.unreadable)

    def admins(self, org_id: int) -> tuple[User, ...]:
        return tuple(user for user in self.users() if user.is_admin_of(org_id))

    def put_user(self, user: User) -> None:
        with self._lock:
            self._users[user.name] = user

    def host_tags(self) -> tuple[HostTags, ...]:
        with self._lock:
            return tuple(entry for entry in self._host_tags.values() if entry.tags)

    def host_tags_version(self) -> int:
        with self._lock:
            return self._host_tags_version

    def put_host_tags(self, *entries: HostTags) -> None:
        with self._lock:
            for entry in entries:
                self._host_tags[entry.org_id, entry.host, entry.source] = entry
                self._host_tags_version += 1

    def host_notices(self, org_id: int) -> tuple[HostNotice, ...]:
        with self._lock:
            return tuple(one for one in self._host_notices.values() if one.org_id == org_id)

    def put_host_notices(self, notices: Sequence[HostNotice]) -> None:
        with self._lock:
            self._host_notices.update(((one.org_id, one.host), one) for one in notices)

    def leases(self, now: int) -> tuple[WatchLease, ...]:
        with self._lock:
            return tuple(lease for lease in self._leases.values() if lease.until > now)

    def put_lease(self, lease: WatchLease) -> None:
        with self._lock:
            rival = self._leases.get((lease.org_id, lease.host), lease)
            self._leases[lease.org_id, lease.host] = max(rival, lease, key=lambda one: one.until)

    def inventory(self) -> Inventory:
        """Of what takes no room."""
        with self._lock:
            moments = [snapshot.taken_at for snapshots in self._snapshots.values() for snapshot in snapshots]
            oldest = min(moments, default=None)
            return Inventory((TableSize("snapshots", len(moments), int(bool(moments)), 0),), 0, oldest, oldest)

    def close(self) -> None:
        """Nothing to give back; the other stores have something."""


def _newest(
    identity: ProcessIdentity, by_moment: dict[int, ProcessDescription], window: Window
) -> ProcessSummary | None:
    """The newest sighting in the window, None if there is none."""
    moments = [moment for moment in by_moment if window.from_at <= moment <= window.to_at]
    return ProcessSummary(identity, max(moments), by_moment[max(moments)]) if moments else None
