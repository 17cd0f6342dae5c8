"""Names, images and tags of the containers of this machine, by the ids that control groups have."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence

from procession.agent.read.container_runtimes import ContainerNames, ContainerRuntimeError
from procession.agent.tag_text import tag_of
from procession.wire.datadog import ContainerInfo

WAIT_SECONDS = 0.25
"""That a snapshot waits for what is asked because of it. A runtime mostly answers in some milliseconds."""

AGAIN_SECONDS = 10.0
"""Between two questions, when there are ids that no runtime knew."""

RENAMED_SECONDS = 300.0
"""Until all is asked anew: a container may have got another name."""

MAX_PAUSE_SECONDS = 300.0
"""Between two tries of a runtime that fails: it doubles with each failure."""

MAX_QUESTIONS = 3
"""For one id: its process may be there before its runtime says that it runs; or it is another runtime's."""

MAX_REMEMBERED = 20_000

CLOSE_SECONDS = 0.3


class ContainerCache:
    """Asks each runtime in a thread of its own, since one may be slow. For the rest, use it in any thread."""

    def __init__(self, runtimes: Sequence[ContainerNames], report: Callable[[str], None]) -> None:
        self._sources = [_Source(runtime, report) for runtime in runtimes]
        self._unknown: dict[str, ContainerInfo] = {}
        """What is said of those that no runtime knows."""
        self._questions: dict[str, int] = {}
        """Id -> how often the runtimes were asked because of it."""
        self._answered = threading.Condition()
        self._closed = False
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        self._threads = [
            threading.Thread(target=self._run, args=(source,), name="containers", daemon=True)
            for source in self._sources
        ]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        self._closed = True
        until = time.monotonic() + CLOSE_SECONDS
        for source in self._sources:
            source.wanted.set()
        for thread in self._threads:
            thread.join(max(0.0, until - time.monotonic()))

    def look_up(self, container_id: str) -> ContainerInfo:
        """As far as it is known; at least its id is."""
        for source in self._sources:
            if (info := source.known.get(container_id)) is not None:
                return info
        info = self._unknown.get(container_id)
        if info is None:
            info = ContainerInfo(container_id=container_id, tags=(tag_of("container_id", container_id),))
            if len(self._unknown) >= MAX_REMEMBERED:
                self._unknown.clear()
            self._unknown[container_id] = info
        return info

    def expect(self, container_ids: Iterable[str]) -> None:
        """There are processes in these. Have the runtimes asked if one is new, or if it is time, and wait for it a
        little, so that a new container has its name from the beginning."""
        if not self._threads:
            return
        now = time.monotonic()
        due = [source for source in self._sources if source.is_due(now)]
        if not due:
            return
        unknown = [one for one in container_ids if not self._is_known(one) and self._may_ask(one)]
        if unknown or any(source.is_old(now) for source in due):
            with self._answered:
                for source in due:
                    source.is_asked = True
                    source.wanted.set()
                if unknown:
                    self._answered.wait_for(
                        lambda: all(map(self._is_known, unknown)) or not any(source.is_asked for source in due),
                        WAIT_SECONDS,
                    )

    def _may_ask(self, container_id: str) -> bool:
        if len(self._questions) >= MAX_REMEMBERED:
            self._questions.clear()
        questions = self._questions.get(container_id, 0)
        self._questions[container_id] = questions + 1
        return questions < MAX_QUESTIONS

    def _is_known(self, container_id: str) -> bool:
        return any(container_id in source.known for source in self._sources)

    def _run(self, source: _Source) -> None:
        while True:
            source.wanted.wait()
            source.wanted.clear()
            if self._closed:
                return
            source.ask()
            with self._answered:
                source.is_asked = False
                self._answered.notify_all()


class _Source:
    """What one runtime says."""

    def __init__(self, runtime: ContainerNames, report: Callable[[str], None]) -> None:
        self.known: dict[str, ContainerInfo] = {}
        self.wanted = threading.Event()
        self.is_asked = False
        """It has not answered yet."""
        self._runtime = runtime
        self._report = report
        self._failures = 0
        self._has_answered = False
        self._next_at = 0.0
        self._old_at = 0.0

    def is_due(self, now: float) -> bool:
        return not self.is_asked and now >= self._next_at

    def is_old(self, now: float) -> bool:
        return now >= self._old_at

    def ask(self) -> None:
        """What it said before holds while it cannot be asked."""
        try:
            known = self._runtime.containers()
        except ContainerRuntimeError as error:
            self._failures += 1
            # A runtime that was never there is the rule, of which nobody wants to hear.
            if self._has_answered and self._failures == 1:
                self._report(f"{self._runtime.name} does not say what its containers are: {error}")
        else:
            self._failures = 0
            self._has_answered = True
            before = self.known
            # The same object where nothing has changed.
            self.known = {one: old if (old := before.get(one)) == new else new for one, new in known.items()}
        now = time.monotonic()
        self._next_at = now + min(AGAIN_SECONDS * 2**self._failures, MAX_PAUSE_SECONDS)
        self._old_at = now + RENAMED_SECONDS
