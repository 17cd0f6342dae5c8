"""The threads of a server."""

from __future__ import annotations

from dataclasses import dataclass

from procession.server.runtime.thread_pools import FairThreadPool, ThreadPool

QUERY_THREADS = 8
"""Queries that the store works on at once; the others wait."""


@dataclass(frozen=True, kw_only=True)
class ThreadPools:
    """Every thread on which the server waits for the store, or decodes."""

    queries: FairThreadPool
    keys: ThreadPool
    """What every request needs is on a thread of its own."""
    hosts: ThreadPool
    """And so is what every payload needs."""
    host_tags: FairThreadPool
    details: ThreadPool
    decode: FairThreadPool
    rollup: ThreadPool
    size: ThreadPool
    backup: ThreadPool
    monitors: ThreadPool
    removals: ThreadPool
    passwords: FairThreadPool
    providers: ThreadPool
    """Where sign-ins wait for their provider."""

    @classmethod
    def start(cls) -> ThreadPools:
        return cls(
            queries=FairThreadPool(QUERY_THREADS, "query"),
            keys=ThreadPool(1, "keys"),
            hosts=ThreadPool(1, "hosts"),
            # A fleet may be started at once.
            host_tags=FairThreadPool(1, "tags", items="tags of hosts", max_waiting=2000),
            details=ThreadPool(2, "events"),
            # One: decoding holds the interpreter, so that a second would only slow down the rest. How many bytes may
            # wait is bounded by the quota of the intake.
            decode=FairThreadPool(1, "decode", items="payloads", max_waiting=2000),
            rollup=ThreadPool(1, "roll-up"),
            size=ThreadPool(1, "size"),
            backup=ThreadPool(1, "backup"),
            monitors=ThreadPool(1, "monitors"),
            removals=ThreadPool(1, "removals"),
            # One: each try takes memory and a processor for a while, and whoever tries need not be anybody.
            passwords=FairThreadPool(1, "passwords", items="people who sign in", max_waiting=50),
            providers=ThreadPool(4, "providers"),
        )

    def close(self) -> None:
        """Calls under way finish on their own; those that wait are dropped."""
        for pool in (self.queries, self.decode, self.host_tags, self.passwords):
            pool.close()
        single = (
            self.keys,
            self.hosts,
            self.details,
            self.rollup,
            self.size,
            self.backup,
            self.monitors,
            self.removals,
            self.providers,
        )
        for threads in single:
            threads.close()
