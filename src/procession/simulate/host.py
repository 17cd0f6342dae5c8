"""One host: what runs on it, how that changes, and what its agent says at each snapshot."""

from __future__ import annotations

import heapq
import itertools
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

import numpy as np

from procession.lifecycle.events import ProcessExit
from procession.process import ProcessDescription, Sighting, Snapshot
from procession.simulate.descriptions import Describer
from procession.simulate.exit_facts import KILLED, Ending, ExitFactsMaker
from procession.simulate.motion import Motion, Temper
from procession.simulate.profile import Profile
from procession.simulate.programs import DAEMONS, KUBE_DAEMONS, PAUSE, RARE, SHIM, SHORT_LIVED, Program, Service
from procession.simulate.rollouts import Rollouts
from procession.simulate.shape import FleetShape, Traits

_RARE_SHARE = 0.01
"""The share of hosts on which a command runs that runs nowhere else."""
_RECYCLED_SHARE = 0.2
"""The share of workers among processes that come and go: each is replaced by another. The others live for moments."""
_RETITLED_SHARE = 0.02
"""How many of the processes whose title says what they do have another title at the next snapshot, as a share."""
_ZOMBIE = Program("", Temper(0, 0), comm="sh")
_ZOMBIE_SHARE = 0.002
_MOST_UPTIME = 90 * 86400


@dataclass(frozen=True, slots=True)
class Step:
    """What the agent of a host has to say at one moment."""

    host: Host
    snapshot: Snapshot
    exits: tuple[ProcessExit, ...]
    """Since the snapshot before, of processes that it saw."""


@dataclass(slots=True, eq=False)
class _Unit:
    """A service on this host, or a pod of it: a process, and workers below it."""

    service: Service
    workers: tuple[Program, ...]
    port: int
    describe: Describer
    master_pid: int
    pids: list[int]


class Host:
    """For one thread."""

    def __init__(self, shape: FleetShape, traits: Traits, rollouts: Rollouts, profile: Profile) -> None:
        self.traits = traits
        self._lots = lots = random.Random(f"{shape.seed}/{traits.index}/life")
        self._rng = np.random.default_rng((shape.seed, traits.index))
        self._motion = Motion(profile, self._rng)
        self._profile = profile
        self._rollouts = rollouts
        self._interval = shape.interval_seconds
        self._describe = Describer(
            {"host": traits.name, "env": traits.env, "region": traits.region},
            traits.tags if shape.with_host_tags else (),
            lots,
        )
        self.next_at = shape.begin_at + lots.randrange(shape.interval_seconds)
        """When the next snapshot is taken."""
        self.booted_at = shape.begin_at - 3600 - min(round(lots.lognormvariate(13, 1)), _MOST_UPTIME)
        self.agent_pid = lots.randrange(400, 900)
        self._next_pid = 1
        self._due: list[tuple[float, int, Callable[[float], None]]] = []
        self._order = itertools.count()
        self._begun: list[tuple[int, int, ProcessDescription, Temper]] = []
        self._ended: dict[int, Ending] = {}
        """By pid."""
        self._facts = ExitFactsMaker(f"{shape.seed}/{traits.index}")
        self._units: list[_Unit] = []
        self._titled: dict[int, tuple[ProcessDescription, ...]] = {}
        self._populate(shape.processes, shape.begin_at)
        if shape.churn:
            self._seconds_between = 3600 / (shape.churn * shape.processes)
            self._at(shape.begin_at + lots.expovariate(1 / self._seconds_between), self._come)

    def step(self) -> Step:
        """Live up to the next snapshot, and take it."""
        at = self.next_at
        self.next_at += self._interval
        while self._due and self._due[0][0] <= at:
            moment, _, happen = heapq.heappop(self._due)
            happen(moment)
        ended, self._ended = self._ended, {}
        gone = self._motion.end(set(ended)) if ended else []
        if self._titled:
            self._retitle()
        # A snapshot never comes quite on its second.
        self._motion.move(self._interval + self._lots.gauss(0, 0.002))
        if self._begun:
            # One that has ended already was never seen.
            self._motion.begin([begun for begun in self._begun if begun[0] not in ended])
            self._begun = []
        snapshot = Snapshot(host=self.traits.name, taken_at=at, sightings=tuple(self._motion.sightings))
        return Step(self, snapshot, tuple(self._exit(one, ended[one.pid]) for one in gone))

    # What runs at the beginning

    def _populate(self, processes: int, begin_at: int) -> None:
        daemons = (*DAEMONS, *KUBE_DAEMONS) if self.traits.role.in_containers else DAEMONS
        for program in daemons[: max(1, processes // 2)]:
            self._spawn(program, self._describe, self.booted_at + self._next_pid // 40, ppid=min(self._next_pid - 1, 1))
        if self._lots.random() < _RARE_SHARE:
            self._spawn(self._lots.choice(RARE), self._describe, begin_at - self._lots.randrange(3600))
        # Pids tell the order of starts, so what was started last comes last.
        room = processes - len(self._begun)
        planned: list[tuple[int, Service, tuple[Program, ...], int]] = []
        services = itertools.cycle(self._shuffled(self.traits.role.services))
        for number, service in enumerate(services):
            if room <= 0:
                break
            extra = 3 if self.traits.role.in_containers else 1
            count = 0
            if service.workers:
                most = service.most_workers
                count = max(0, min(room - extra, self._lots.randint(1, most) if extra > 1 else most))
            workers = tuple(itertools.islice(_repeated(service.workers), count))
            since = self._rollouts.version(service.name, self.traits.name, begin_at).since
            started_at = max(self.booted_at + 30 + number, -1 if since is None else since)
            planned.append((started_at, service, workers, service.port + number // len(self.traits.role.services)))
            room -= extra + count
        for started_at, service, workers, port in sorted(planned, key=lambda plan: plan[0]):
            self._start(service, workers, port, started_at, at=begin_at)
        begun = sorted(self._begun, key=lambda entry: entry[0])
        self._motion.begin(begun[:processes])
        kept = {entry[0] for entry in begun[:processes]}
        for unit in self._units:
            unit.pids = [pid for pid in unit.pids if pid in kept]
        self._begun = []

    def _shuffled(self, services: tuple[Service, ...]) -> list[Service]:
        return self._lots.sample(services, len(services))

    # What happens to it

    def _start(
        self, service: Service, workers: tuple[Program, ...], port: int, started_at: int, *, at: float | None = None
    ) -> None:
        """A service, of the version of the day. `at`: when the others look, if that is later."""
        version = self._rollouts.version(service.name, self.traits.name, started_at if at is None else int(at))
        describe, ppid = self._describe.of_service(service, version.name, port), 1
        pids = []
        if self.traits.role.in_containers:
            describe = describe.of_pod()
            ppid = self._spawn(SHIM, self._describe.shim_of(describe), started_at)
            pids = [ppid, self._spawn(PAUSE, describe, started_at, ppid=ppid)]
        master = self._spawn(service.program, describe, started_at, ppid=ppid)
        pids.append(master)
        for number, worker in enumerate(workers):
            # Workers are replaced by and by, so they are younger than their master.
            began = started_at + (0 if at is None else int(self._lots.random() ** 3 * (at - started_at)))
            pids.append(self._spawn(worker, describe, began, ppid=master, number=number))
        unit = _Unit(service, workers, port, describe, master, pids)
        self._units.append(unit)
        if version.until is not None:
            self._at(version.until, partial(self._deploy, unit))

    def _deploy(self, unit: _Unit, at: float) -> None:
        """The next version takes its place."""
        self._units.remove(unit)
        for pid in unit.pids:
            self._end(pid, at, 0 if pid != unit.master_pid else 143, unit.service.name)
        self._start(unit.service, unit.workers, unit.port, int(at))

    def _come(self, at: float) -> None:
        """Somebody comes, to stay for a moment or in the place of another."""
        lots = self._lots
        self._at(at + lots.expovariate(1 / self._seconds_between), self._come)
        unit = lots.choice(self._units) if self._units else None
        if unit is not None and unit.workers and lots.random() < _RECYCLED_SHARE:
            workers = [pid for pid in unit.pids if pid > unit.master_pid]
            if workers:
                pid = lots.choice(workers)
                self._end(pid, at, lots.choices((0, 1, KILLED, 139), (90, 6, 3, 1))[0], unit.service.name)
                number = lots.randrange(len(unit.workers))
                unit.pids.remove(pid)
                unit.pids.append(
                    self._spawn(unit.workers[number], unit.describe, int(at), ppid=unit.master_pid, number=number)
                )
            return
        program = lots.choice((*SHORT_LIVED, *self.traits.role.short_lived * 4))
        if lots.random() < _ZOMBIE_SHARE:
            program = _ZOMBIE
        describe = unit.describe if unit is not None and program.user == "app" else self._describe
        pid = self._spawn(program, describe, int(at), number=lots.randrange(1000))
        seconds = self._profile.lifetimes.one(lots.random()) * self._interval * lots.uniform(0.8, 1.2)
        self._at(at + seconds, lambda moment: self._end(pid, moment, lots.choices((0, 1, 2), (95, 4, 1))[0]))

    def _retitle(self) -> None:
        """Some say in their title what they do now."""
        count = int(self._rng.binomial(len(self._titled), _RETITLED_SHARE))
        if count:
            chosen = self._lots.sample(list(self._titled), count)
            self._motion.redescribe({pid: self._lots.choice(self._titled[pid]) for pid in chosen})

    def _spawn(self, program: Program, describe: Describer, started_at: int, *, ppid: int = 1, number: int = 0) -> int:
        pid = self._next_pid
        self._next_pid += 1 if pid < 2 else self._lots.randint(1, 12)
        description = describe(program, ppid, number)
        self._begun.append((pid, started_at, description, program.temper))
        if program.doing:
            self._titled[pid] = describe.titles(program, description)
        return pid

    def _end(self, pid: int, at: float, code: int, service: str = "") -> None:
        self._ended[pid] = Ending(int(at), code, service)
        self._titled.pop(pid, None)

    def _exit(self, last: Sighting, ending: Ending) -> ProcessExit:
        return ProcessExit(
            pid=last.pid,
            at=ending.at,
            executed_at=last.started_at,
            exit_code=ending.exit_code,
            description=last.description,
            facts=self._facts.make(last, ending),
        )

    def _at(self, moment: float, happen: Callable[[float], None]) -> None:
        heapq.heappush(self._due, (moment, next(self._order), happen))


def _repeated(programs: tuple[Program, ...]) -> Iterable[Program]:
    """Each once, and then the last again and again: helpers come first, workers follow."""
    return itertools.chain(programs, itertools.cycle(programs[-4:]))
