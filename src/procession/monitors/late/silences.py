"""Which hosts of an org were silent, and since when: what they send once they tell again was not there in time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from procession.monitors.group_state import GroupState
from procession.monitors.observing.host_facts import LEAST_SILENT_SECONDS, HostFacts

MAX_SILENT_SECONDS = 86400
"""A host that is silent for longer is forgotten."""


@dataclass(frozen=True, slots=True)
class Silence:
    """Of one host, as it is stored until what came late has been evaluated again."""

    org_id: int
    host: str
    since: int
    """Its last snapshot before."""
    ended_at: int = 0
    """The evaluated minute in which it told again; 0: not yet."""


@dataclass(slots=True)
class Silences:
    """Of one org, from one evaluated moment to the next."""

    _heard: dict[str, int] = field(default_factory=dict)
    """The newest snapshot of each host that tells."""
    _silent: dict[str, int] = field(default_factory=dict)
    """The newest snapshot of each that does not."""

    def unheard(self, facts: HostFacts) -> dict[str, int]:
        """Hosts that do not tell at a moment, each with its last snapshot; also those whose next one is not late."""
        telling, oldest = facts.telling(), facts.at - MAX_SILENT_SECONDS
        known = (self._silent | self._heard).items()
        return {host: since for host, since in known if host not in telling and oldest < since < facts.at}

    def ended(self, facts: HostFacts) -> dict[str, int]:
        """Hosts that tell again at a moment, each with its last snapshot before it was silent."""
        telling = facts.telling()
        return {host: since for host, since in self._silent.items() if host in telling}

    def begun(self, facts: HostFacts) -> dict[str, int]:
        """Hosts that are silent at a moment and were not before."""
        telling = facts.telling()
        quiet = {host: at for host, at in self._heard.items() if host not in telling}
        return {host: at for host, at in quiet.items() if host not in facts.slow_hosts}

    def note(self, facts: HostFacts) -> None:
        """What is known of hosts at a moment, later than those before."""
        telling, oldest = facts.telling(), facts.at - MAX_SILENT_SECONDS
        begun = self.begun(facts)
        waiting = {host: at for host, at in self._heard.items() if host in facts.slow_hosts and host not in telling}
        # What was heard says it better than what is missing.
        silent = (self._silent | begun).items()
        self._silent = {host: since for host, since in silent if host not in telling and since > oldest}
        self._heard = waiting | {host: facts.told_at[host] for host in telling}

    def recall(self, host: str, since: int) -> None:
        """As it is stored."""
        self._silent[host] = since

    def copy(self) -> Silences:
        return Silences(dict(self._heard), dict(self._silent))

    def silent_only(self) -> Silences:
        """Without what was heard of others since."""
        return Silences({}, dict(self._silent))

    def note_missing(self, states: Iterable[GroupState]) -> None:
        """Groups by host that nothing was known of already when this began: their hosts are silent."""
        for state in states:
            host = dict(state.group).get("host")
            if host is not None and state.missing_since is not None:
                since = state.missing_since - LEAST_SILENT_SECONDS
                self._silent[host] = min(since, self._silent.get(host, since))
