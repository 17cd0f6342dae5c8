"""What the screen wants to know, asked on a thread of its own, so that keys are obeyed while a server thinks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from procession.cli.analysis import Analysis, Filters, Item
from procession.cli.terminal.tree_drawing import branches, relatives_of, strokes_of_output
from procession.errors import ProcessionError

SUMS = ("cpu_total_percent", "rss_bytes", "threads")
LEASE_SECONDS = 5.0
"""The lease is renewed so often; it holds twice as long."""


@dataclass(frozen=True)
class Question:
    """`at` None: now."""

    filters: Filters
    order: str
    offset: int
    limit: int
    at: int | None = None
    is_live: bool = False
    """Whether agents shall hear that somebody watches."""
    process_id: str | None = None
    tree_host: str | None = None
    """Where it is given, the whole tree of this host, in its own order."""


@dataclass(frozen=True)
class Summary:
    processes: int
    hosts: int
    states: dict[str, int]
    sums: dict[str, float | None]
    greatest_rss: float | None = None
    """Of any of the processes."""


@dataclass(frozen=True)
class Details:
    """What is shown of one process; `family` is None where it was not there at that moment."""

    item: Item
    family: dict[str, Any] | None


@dataclass(frozen=True)
class Answer:
    at: int
    total: int
    offset: int
    items: list[Item]
    summary: Summary
    details: Details | None = None
    details_error: str = ""
    """Why there are no details."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What the API says of the page as a whole."""
    branches: tuple[str, ...] = ()
    """What a tree draws before each of the items."""


class ApiReader:
    """Asks a server. Sums are asked for once for each moment and filter."""

    def __init__(self, analysis: Analysis) -> None:
        self._analysis = analysis
        self._watched_at = float("-inf")
        self._summary: tuple[tuple[int, Filters], Summary] | None = None

    def ask(self, question: Question) -> Answer:
        """Raises ProcessionError."""
        if question.is_live and time.monotonic() - self._watched_at >= LEASE_SECONDS:
            self._analysis.watch(question.tree_host or question.filters.host)
            self._watched_at = time.monotonic()
        filters = question.filters
        if question.tree_host is None:
            page = self._analysis.processes(
                filters, at=question.at, sort=question.order, offset=question.offset, limit=question.limit
            )
        else:
            page = self._tree(filters, question.tree_host, question.at)
            filters = filters.with_host(question.tree_host)
        items = page["data"]
        drawn = branches([item["depth"] for item in items], strokes_of_output()) if question.tree_host else []
        at = int(page["meta"]["at"])
        if self._summary is None or self._summary[0] != (at, filters):
            self._summary = (at, filters), self._summarize(filters, at)
        details, details_error = None, ""
        if question.process_id is not None:
            try:
                details = self._details(question.process_id, at, question.is_live)
            except ProcessionError as error:
                details_error = str(error)
        total = int(page["meta"]["total"])
        offset = question.offset if question.tree_host is None else 0
        summary = self._summary[1]
        return Answer(at, total, offset, items, summary, details, details_error, page["meta"], tuple(drawn))

    def _tree(self, filters: Filters, host: str, at: int | None) -> dict[str, Any]:
        """All of a host, or what the filters find there with all that it descends from and that descends from it."""
        answer = self._analysis.host_tree(host, at=at)
        items, meta = answer["data"], answer["meta"]
        left_out = int(meta["total"]) - len(items)
        if filters != Filters():
            found = self._analysis.every_process(filters.with_host(host), at=int(meta["at"]), sort="host")
            items = relatives_of(items, frozenset(item["id"] for item in found))
        return {"data": items, "meta": {**meta, "total": len(items), "left_out": left_out}}

    def _summarize(self, filters: Filters, at: int) -> Summary:
        # By state, since each process has one of a few: their sums are those of all.
        answer = self._analysis.groups(filters, at=at, by="state", measures=",".join(SUMS))
        sums: dict[str, float | None] = {}
        for name in SUMS:
            known = [group["numbers"][name]["sum"] for group in answer["data"]]
            known = [value for value in known if value is not None]
            sums[name] = sum(known) if known else None
        states = {group["value"] or "?": group["count"] for group in answer["data"]}
        greatest = [group["numbers"]["rss_bytes"]["max"] or 0 for group in answer["data"]]
        hosts = int(self._analysis.hosts(filters, at=at, limit=1)["meta"]["total"])
        return Summary(int(answer["meta"]["total"]), hosts, states, sums, max(greatest, default=None))

    def _details(self, process_id: str, at: int, is_live: bool) -> Details:
        # Live, how it ended is of interest too, and that is after any moment at which it was there.
        item = self._analysis.process(process_id, at=None if is_live else at)
        try:
            return Details(item, self._analysis.family(process_id, at=at))
        except ProcessionError:
            return Details(item, None)


class Questions:
    """One at a time; of those that come meanwhile, the newest is next. `on_answer` is called from the thread."""

    def __init__(self, reader: ApiReader, on_answer: Callable[[], None]) -> None:
        self._reader = reader
        self._on_answer = on_answer
        self._changed = threading.Condition()
        self._next: Question | None = None
        self._is_asking = False
        self._answered: list[tuple[Question, Answer | ProcessionError]] = []
        # A server that does not answer must not keep anybody from leaving.
        threading.Thread(target=self._work, daemon=True).start()

    def put(self, question: Question) -> None:
        with self._changed:
            self._next = question
            self._changed.notify()

    @property
    def is_busy(self) -> bool:
        with self._changed:
            return self._is_asking or self._next is not None

    def take(self) -> list[tuple[Question, Answer | ProcessionError]]:
        """What was answered since the last time."""
        with self._changed:
            answered, self._answered = self._answered, []
        return answered

    def _work(self) -> None:
        while True:
            with self._changed:
                while self._next is None:
                    self._changed.wait()
                question, self._next = self._next, None
                self._is_asking = True
            answer: Answer | ProcessionError
            try:
                answer = self._reader.ask(question)
            except ProcessionError as error:
                answer = error
            except (LookupError, TypeError, ValueError) as error:
                answer = ProcessionError(f"the answer makes no sense: {error!r}")
            with self._changed:
                self._is_asking = False
                self._answered.append((question, answer))
            self._on_answer()
