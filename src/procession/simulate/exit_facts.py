"""What the agents of hosts that do not exist know of how processes ended: what each used in all, and OOM kills."""

from __future__ import annotations

import random
from dataclasses import dataclass

from procession.process import ExitCost, ExitFacts, Sighting

KILLED = 137
"""128 and SIGKILL, as a shell has it."""

_SHARE_TOLD = 0.75
"""Of hosts whose agents may read the kernel's messages and its taskstats."""
_OOM_SHARE = 0.6
"""Of processes that are killed, those that the kernel kills for want of memory."""
_SHORT_SECONDS = 120
"""Who lives for less does something all the time."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a process ended."""

    at: int
    exit_code: int
    service: str = ""
    """Whose it was, if any."""


class ExitFactsMaker:
    """Of one host. It draws lots of its own, so that its processes are the same with and without."""

    def __init__(self, seed: str) -> None:
        self._lots = lots = random.Random(f"{seed}/endings")
        self._is_told = lots.random() < _SHARE_TOLD

    def make(self, last: Sighting, ending: Ending) -> ExitFacts:
        """`last`: where it was seen last."""
        if not self._is_told or last.description.is_zombie:
            return ExitFacts()
        is_oom = ending.exit_code == KILLED and bool(ending.service) and self._lots.random() < _OOM_SHARE
        cgroup = _cgroup_of(last, ending.service) if is_oom else ""
        return ExitFacts(is_oom, cgroup, self._cost(last, ending))

    def _cost(self, last: Sighting, ending: Ending) -> ExitCost:
        lots, numbers = self._lots, last.numbers
        lived = max(ending.at - last.started_at, 1)
        seconds = lived * (lots.uniform(0.05, 0.9) if lived < _SHORT_SECONDS else lots.betavariate(1, 40))
        user = round(seconds * lots.uniform(0.5, 0.95), 2)
        peak = int((numbers.rss_bytes or 0) * lots.uniform(1, 1.6)) // 4096 * 4096
        return ExitCost(
            cpu_user_seconds=user,
            cpu_system_seconds=round(seconds - user, 2),
            peak_rss_bytes=peak,
            read_bytes=int(lots.lognormvariate(12, 2)) // 4096 * 4096,
            written_bytes=int(lots.lognormvariate(11, 2)) // 4096 * 4096,
            # The kernel tells it whole only of a process that never had a second thread.
            is_final=(numbers.threads or 1) == 1,
        )


def _cgroup_of(last: Sighting, service: str) -> str:
    container_id = last.description.container_id
    if container_id:
        return f"/kubepods.slice/kubepods-burstable.slice/cri-containerd-{container_id}.scope"
    return f"/system.slice/{service}.service"
