"""What everything that takes posts of agents has in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request

from procession.config import ServerSettings
from procession.scrubbing import Scrubber
from procession.server.access.key_cache import KeyCache
from procession.server.intake.agents import Agents
from procession.server.intake.body import api_key_of
from procession.server.intake.quota import MemoryQuota
from procession.server.intake.refusal_log import RefusalLog
from procession.server.runtime.host_tag_cache import HostTagCache
from procession.server.runtime.hosts.host_notices import HostNotices
from procession.server.runtime.metrics import Counter, Sink
from procession.server.runtime.thread_pools import FairThreadPool, ThreadPool
from procession.server.runtime.watch_cache import WatchCache
from procession.storage import ContainerStore, DetailStore, ExitSink
from procession.wire.datadog import Limits


@dataclass(frozen=True, kw_only=True)
class Intake:
    settings: ServerSettings
    now: Callable[[], int]
    keys: KeyCache
    agents: Agents
    host_tags: HostTagCache
    notices: HostNotices
    watches: WatchCache
    """Tells whether somebody watches a host live."""
    quota: MemoryQuota
    decode_threads: FairThreadPool
    sink: Sink
    """Takes the snapshots."""
    exits: ExitSink | None = None
    """Takes exits, where nobody has to wait for the store; else it does."""
    store: DetailStore
    """Takes all else of processes, on one of `store_threads`."""
    containers: ContainerStore
    """And so does this of containers."""
    store_threads: ThreadPool
    dropped: Counter
    """Counts sightings that were acknowledged and not stored, by reason."""
    refusal_log: RefusalLog

    async def org_of(self, request: Request, headers: Mapping[str, str] | None = None) -> int:
        """The org that an agent posts for. `headers`: of the request, where they were read already. Raises Forbidden,
        and logs it."""
        with self.refusal_log.refusals_of(request):
            return await self.keys.org_of_api_key(api_key_of(request, request.headers if headers is None else headers))

    @property
    def limits(self) -> Limits:
        return Limits(
            processes=self.settings.max_message_processes,
            process_bytes=self.settings.max_process_bytes,
            tags=self.settings.max_process_tags,
        )

    def oldest_kept(self) -> int:
        """The moment before which nothing is kept."""
        return self.now() - self.settings.retention_hours * 3600

    def scrub(self) -> Callable[[Sequence[str]], Sequence[str]] | None:
        """Hides secrets in command lines once more, where the settings ask for it."""
        return Scrubber().scrub if self.settings.scrub_again else None
