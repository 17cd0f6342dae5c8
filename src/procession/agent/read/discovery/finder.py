"""Finds out about processes what their reader does not read each time."""

from __future__ import annotations

import time
from collections.abc import Callable

from procession.agent.read.discovery.languages import CompiledLanguages, interpreted_language, number_of
from procession.agent.read.discovery.listening_ports import ListeningPorts
from procession.agent.read.network.moves import NetworkMoves
from procession.agent.read.network.traffic_reader import TrafficReader
from procession.agent.read.process_handle import ProcessHandle
from procession.agent.read.process_reading import ProcessFacts, ProcessReading

_LOOKS = 30
"""For so many it is waited for the language of a program."""


class Finder:
    """Of the processes of one reader. For one thread."""

    def __init__(
        self, root: str, *, traffic: TrafficReader | None = None, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._ports = ListeningPorts(root)
        self._traffic = traffic
        self._moves = NetworkMoves()
        self._languages = CompiledLanguages(root)
        self._handles: dict[int, ProcessHandle] = {}
        self._unnamed: dict[int, tuple[ProcessHandle, int]] = {}
        """By number: those whose language is asked for, and up to which look."""
        self._new: list[ProcessHandle] = []

    @property
    def look_number(self) -> int:
        return self._ports.look_number

    def note(self, handle: ProcessHandle) -> None:
        """A process is new, or has become another program."""
        if self._handles.get(handle.pid) is not handle:
            self._moves.note(handle)
            if self._traffic is not None:
                self._traffic.note(handle)
        self._handles[handle.pid] = handle
        self._ports.note(handle)
        self._new.append(handle)

    def see(self, handle: ProcessHandle, before: ProcessFacts, *, has_run: bool) -> None:
        """A process that is known was read again; `before`: its facts at the time before."""
        if has_run:
            handle.ran_at = self._ports.look_number
            self._moves.see(handle)
        facts = handle.reading.facts
        if facts is not before and (facts.exe, facts.arguments) != (before.exe, before.arguments):
            self.note(handle)

    def forget(self, handle: ProcessHandle) -> None:
        if self._handles.get(handle.pid) is handle:
            del self._handles[handle.pid]
            self._ports.forget(handle.pid)
            self._moves.forget(handle.pid)
            if self._traffic is not None:
                self._traffic.forget(handle.pid)

    def look(self, spare_seconds: float | None = None) -> dict[int, ProcessReading]:
        """By pid, the new readings of those of which something new was found out. `spare_seconds` of CPU are there for
        what is left out first [no limit]."""
        changed: dict[int, ProcessReading] = {}
        number = self.look_number
        for handle in self._named():
            changed[handle.pid] = handle.reading
        for handle in self._moves.look():
            self._ports.forget(handle.pid)
            self._ports.note(handle)
            if self._traffic is not None:
                self._traffic.note(handle)
        for pid, ports in self._ports.look().items():
            handle = self._handles[pid]
            if handle.reading.facts.ports != ports:
                handle.learn(ports=ports)
                changed[pid] = handle.reading
        for pid, traffic in () if self._traffic is None else self._traffic.look(number, spare_seconds).items():
            handle = self._handles[pid]
            handle.take_traffic(traffic)
            changed[pid] = handle.reading
        return changed

    def _named(self) -> list[ProcessHandle]:
        """Those whose language is known now, and was not."""
        named: list[ProcessHandle] = []
        asked: list[int] = []
        for handle in self._new:
            reading = handle.reading
            if self._handles.get(handle.pid) is not handle:
                continue
            if language := interpreted_language(reading.facts.exe, reading.stat.comm):
                if language != reading.facts.language:
                    handle.learn(language=language)
                    named.append(handle)
            elif reading.facts.exe:
                number = number_of(handle.pid, reading.stat.start_ticks)
                self._unnamed[number] = handle, self.look_number + _LOOKS
                asked.append(number)
        self._new = []
        if asked:
            self._languages.ask(asked, self._monotonic())
        for number, (handle, last) in list(self._unnamed.items()):
            language = self._languages.get(number)
            is_there = self._handles.get(handle.pid) is handle
            if language and is_there:
                handle.learn(language=language)
                named.append(handle)
            if language or not is_there or self.look_number > last:
                del self._unnamed[number]
        return named
