"""Two readings of the same processes -> what they are and what they used: a Snapshot, scrubbed."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence

import msgspec

from procession.agent.containers.users import ContainerUsers
from procession.agent.describe.expressions import ProcessFilter, TagRules
from procession.agent.read.container_cache import ContainerCache
from procession.agent.read.exits.ended import Ended
from procession.agent.read.lookups import Lookups
from procession.agent.read.process_reading import ProcessFacts, ProcessReading
from procession.agent.read.users import system_group_name, system_user_name
from procession.agent.tag_text import tag_of
from procession.command_line.arguments import line_of, words_of
from procession.command_line.program_name import command_name
from procession.discovery import MAX_PORTS, Discovery
from procession.lifecycle.events import ProcessEvents, ProcessExec, ProcessExit
from procession.process import ExitCost, ExitFacts, ProcessDescription, ProcessNumbers, Sighting, Snapshot
from procession.text.tags import normal_tags

Scrub = Callable[[tuple[str, ...]], tuple[str, ...]]

_GONE = ProcessNumbers(state="X")
CONTAINER_USER = "container_user"
"""The key of the tag with the name that a container has for a user."""


class _Known(msgspec.Struct, frozen=True):
    """A process at the snapshot before."""

    reading: ProcessReading
    sighting: Sighting
    is_quiet: bool
    """Its rates are what they will be if nothing changes: 0, or not to be known."""


class Collector:
    """Remembers what it has seen, since a rate needs two readings. For one thread.

    A process that has not changed is the same Sighting, the very object, in snapshot after snapshot.
    """

    def __init__(
        self,
        *,
        host: str,
        ticks_per_second: int,
        page_bytes: int,
        scrub: Scrub,
        users: Lookups | None = None,
        groups: Lookups | None = None,
        process_filter: ProcessFilter | None = None,
        tag_rules: TagRules | None = None,
        containers: ContainerCache | None = None,
        container_users: ContainerUsers | None = None,
    ) -> None:
        self._host = host
        self._ticks_per_second = ticks_per_second
        self._page_bytes = page_bytes
        self._scrub = scrub
        self._users = users or Lookups(system_user_name)
        self._groups = groups or Lookups(system_group_name)
        self._container_users = container_users
        self._names_version = (0, 0, 0)
        self._process_filter = process_filter or None
        self._tag_rules = tag_rules or None
        self._containers = containers
        self._left_out: dict[int, tuple[ProcessFacts, str]] = {}
        self._known: dict[int, _Known] = {}
        self._moment: float | None = None

    def fork(self) -> Collector:
        """Another one that has seen the same so far, for looks in between that leave the rates of this one alone."""
        return copy.copy(self)  # what it has seen is replaced at each look, not changed

    def collect(
        self, readings: Sequence[ProcessReading], *, taken_at: int, moment: float, also: Iterable[Sighting] = ()
    ) -> Snapshot:
        """`taken_at` is the time of day; `moment`, in seconds, comes from a clock that nobody sets. `also` are those
        that have come and gone since the last snapshot."""
        elapsed = None if self._moment is None or moment <= self._moment else moment - self._moment
        self._moment = moment
        self._expect_names([reading.facts for reading in readings], moment)
        if self._container_users is not None:
            self._container_users.expect(((reading.pid, reading.facts) for reading in readings), moment)
        self._name_again()
        known = {}
        left_out: dict[int, tuple[ProcessFacts, str]] = {}
        for reading in readings:
            before = self._known.get(reading.pid)
            if before is not None and before.reading is reading and before.is_quiet:
                known[reading.pid] = before
            elif self._process_filter is not None and self._is_left_out(reading, before):
                left_out[reading.pid] = (reading.facts, reading.stat.comm)
            else:
                known[reading.pid] = self._sighted(reading, before, elapsed)
        self._known, self._left_out = known, left_out
        if self._containers is not None:
            self._containers.expect({process.sighting.description.container_id for process in known.values()} - {""})
        sightings = [process.sighting for process in known.values()]
        for sighting in also:
            living = known.get(sighting.pid)
            if living is None or living.sighting.started_at != sighting.started_at:
                sightings.append(sighting)
        return Snapshot(host=self._host, taken_at=taken_at, sightings=tuple(sightings))

    def conclude(self, ended: Sequence[Ended], *, moment: float) -> tuple[ProcessEvents, list[Sighting]]:
        """What is to be said of processes that have ended since the last `collect`: how each began and ended, and a
        sighting of those that no snapshot has seen."""
        events: list[ProcessExec | ProcessExit] = []
        sightings: list[Sighting] = []
        self._expect_names([process.reading.facts for process in ended if process.reading is not None], moment)
        for process in ended:
            ended_at = int(process.ended_at)
            executed_at = None if process.executed_at is None else int(process.executed_at)
            if process.reading is not None:
                if self._process_filter is not None and not self._process_filter.wants(process.reading):
                    continue
                facts = process.facts
                description = self._describe(process.reading)
                started_at = self._started_at(process.reading)
                sightings.append(Sighting(process.pid, started_at, description, _GONE))
                events.append(
                    ProcessExec(
                        pid=process.pid,
                        at=started_at if executed_at is None else executed_at,
                        forked_at=started_at,
                        description=description,
                    )
                )
            elif (known := self._known.get(process.pid)) is not None:
                description = known.sighting.description
                facts = self._with_cost(process.facts, known.reading)
            else:
                continue
            events.append(
                ProcessExit(
                    pid=process.pid,
                    at=ended_at,
                    executed_at=executed_at,
                    exit_code=process.exit_code,
                    description=description,
                    facts=facts,
                )
            )
        return ProcessEvents(self._host, tuple(events)), sightings

    def _with_cost(self, facts: ExitFacts, last: ProcessReading) -> ExitFacts:
        """What it had used by the last snapshot, where the kernel did not tell of the end."""
        if facts.cost is not None and facts.cost.is_final:
            return facts
        cost = ExitCost(
            cpu_user_seconds=self._seconds(last.stat.user_ticks),
            cpu_system_seconds=self._seconds(last.stat.system_ticks),
            peak_rss_bytes=None if facts.cost is None else facts.cost.peak_rss_bytes,
            read_bytes=None if last.io is None else last.io.read_bytes,
            written_bytes=None if last.io is None else last.io.write_bytes,
            is_final=False,
        )
        return msgspec.structs.replace(facts, cost=cost)

    def _seconds(self, ticks: int | None) -> float | None:
        return None if ticks is None else ticks / self._ticks_per_second

    def _started_at(self, reading: ProcessReading) -> int:
        # As the kernel counts, so that a process has one start wherever it is read.
        return reading.boot_time + reading.stat.start_ticks // self._ticks_per_second

    def _is_left_out(self, reading: ProcessReading, before: _Known | None) -> bool:
        """One that was sent goes on, whatever it becomes: otherwise it would look as if it had ended."""
        if before is not None and before.reading.stat.start_ticks == reading.stat.start_ticks:
            return False
        facts, comm = self._left_out.get(reading.pid, (None, ""))
        if facts is reading.facts and comm == reading.stat.comm:
            return True
        return self._process_filter is not None and not self._process_filter.wants(reading)

    def _sighted(self, reading: ProcessReading, before: _Known | None, elapsed: float | None) -> _Known:
        stat = reading.stat
        if before is not None and before.reading.stat.start_ticks != stat.start_ticks:
            before = None  # another process with its pid
        description = None if before is None else before.sighting.description
        if description is None or before is None or not _is_same(reading, before.reading):
            description = self._describe_again(reading, description)
        numbers = self._numbers(reading, None if before is None else before.reading, elapsed)
        is_quiet = before is not None and not (
            numbers.cpu_total_percent
            or numbers.read_operations_per_second
            or numbers.write_operations_per_second
            or numbers.read_bytes_per_second
            or numbers.write_bytes_per_second
        )
        return _Known(reading, Sighting(reading.pid, self._started_at(reading), description, numbers), is_quiet)

    def _describe_again(self, reading: ProcessReading, before: ProcessDescription | None) -> ProcessDescription:
        if before is None or self._process_filter is None or self._process_filter.wants(reading):
            return self._describe(reading)
        # It was sent, and has become what is not to be sent: that it lives is all that is said from now on.
        stat = reading.stat
        return msgspec.structs.replace(before, ppid=stat.ppid, nice=stat.nice, is_zombie=stat.state == "Z")

    def _describe(self, reading: ProcessReading) -> ProcessDescription:
        stat, facts = reading.stat, reading.facts
        arguments = self._scrub(facts.arguments)
        cmdline = line_of(arguments)
        tags = facts.service_tags
        if self._tag_rules is not None:
            tags = (*tags, *self._tag_rules.tags_of(cmdline))
        if container_user := self._container_user(facts):
            tags = (*tags, container_user)
        return ProcessDescription(
            cmdline=cmdline,
            argument_words=words_of(arguments),
            exe=facts.exe,
            cwd=facts.cwd,
            root=facts.root,
            comm=stat.comm,
            command=command_name(arguments, facts.exe, stat.comm),
            user=self._user(facts.uid),
            uid=facts.uid,
            gid=facts.gid,
            group_name=self._group(facts.gid),
            ppid=stat.ppid,
            namespace_pid=facts.namespace_pid,
            nice=stat.nice,
            container_id=facts.container_id,
            is_zombie=stat.state == "Z",
            tags=normal_tags(tags) if tags else (),
            discovery=_discovery_of(facts),
        )

    def _user(self, uid: int | None) -> str:
        return "" if uid is None else self._users.get(uid) or f"uid:{uid}"

    def _container_user(self, facts: ProcessFacts) -> str:
        """As a tag; what a container says of itself never stands in place of the user."""
        return "" if self._container_users is None else tag_of(CONTAINER_USER, self._container_users.get(facts))

    def _group(self, gid: int | None) -> str:
        return "" if gid is None else self._groups.get(gid)

    def _expect_names(self, facts: Sequence[ProcessFacts], moment: float) -> None:
        self._users.expect({number for one in facts if (number := one.uid) is not None}, moment)
        self._groups.expect({number for one in facts if (number := one.gid) is not None}, moment)

    def _name_again(self) -> None:
        """Names that have come since are those of processes that were seen before, too."""
        of_containers = 0 if self._container_users is None else self._container_users.version
        version = (self._users.version, self._groups.version, of_containers)
        if version != self._names_version:
            self._names_version = version
            self._known = {pid: self._named(known) for pid, known in self._known.items()}

    def _named(self, known: _Known) -> _Known:
        description = known.sighting.description
        user, group = self._user(description.uid), self._group(description.gid)
        tags = description.tags
        if container_user := self._container_user(known.reading.facts):
            others = (tag for tag in tags if not tag.startswith(f"{CONTAINER_USER}:"))
            tags = normal_tags((*others, container_user))
        if (user, group, tags) == (description.user, description.group_name, description.tags):
            return known
        description = msgspec.structs.replace(description, user=user, group_name=group, tags=tags)
        return msgspec.structs.replace(known, sighting=msgspec.structs.replace(known.sighting, description=description))

    def _numbers(self, reading: ProcessReading, before: ProcessReading | None, elapsed: float | None) -> ProcessNumbers:
        stat, io, status = reading.stat, reading.io, reading.status
        traffic = reading.traffic
        user = system = total = None
        reads = writes = read_bytes = write_bytes = None
        if before is not None and elapsed is not None:
            percent = 100.0 / self._ticks_per_second / elapsed
            user = _increase(before.stat.user_ticks, stat.user_ticks, percent)
            system = _increase(before.stat.system_ticks, stat.system_ticks, percent)
            total = None if user is None or system is None else user + system
            if io is not None and before.io is not None:
                each = 1 / elapsed
                reads = _increase(before.io.read_operations, io.read_operations, each)
                writes = _increase(before.io.write_operations, io.write_operations, each)
                read_bytes = _increase(before.io.read_bytes, io.read_bytes, each)
                write_bytes = _increase(before.io.write_bytes, io.write_bytes, each)
        return ProcessNumbers(
            cpu_total_percent=total,
            cpu_user_percent=user,
            cpu_system_percent=system,
            rss_bytes=None if stat.rss_pages is None else stat.rss_pages * self._page_bytes,
            vms_bytes=stat.vms_bytes,
            shared_bytes=status.shared_bytes,
            swap_bytes=status.swap_bytes,
            threads=stat.threads,
            open_files=reading.open_files,
            read_bytes_per_second=read_bytes,
            write_bytes_per_second=write_bytes,
            read_operations_per_second=reads,
            write_operations_per_second=writes,
            voluntary_switches=status.voluntary_switches,
            involuntary_switches=status.involuntary_switches,
            net_received_bytes_per_second=None if traffic is None else traffic.received_bytes_per_second,
            net_sent_bytes_per_second=None if traffic is None else traffic.sent_bytes_per_second,
            connections=None if traffic is None else traffic.connections,
            state=stat.state,
        )


def _discovery_of(facts: ProcessFacts) -> Discovery | None:
    ports = facts.ports
    if ports is None:
        return Discovery(language=facts.language) if facts.language else None
    return Discovery(language=facts.language, tcp_ports=ports.tcp[:MAX_PORTS], udp_ports=ports.udp[:MAX_PORTS])


def _increase(before: int | None, now: int | None, each: float) -> float | None:
    # The kernel splits CPU time anew at each reading, so that either part may run backwards by a little.
    return None if before is None or now is None else max(0, now - before) * each


def _is_same(one: ProcessReading, other: ProcessReading) -> bool:
    """Whether the two have one description."""
    return (
        one.facts is other.facts
        and one.stat.comm == other.stat.comm
        and one.stat.ppid == other.stat.ppid
        and one.stat.nice == other.stat.nice
        and (one.stat.state == "Z") == (other.stat.state == "Z")
    )
