"""CPU in percent of all CPUs of a host, in place of one: what Datadog's queries call normalized."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

CPU_MEASURES: Final = frozenset(("cpu_total_percent", "cpu_user_percent", "cpu_system_percent", "cpu_limit_percent"))
"""Of processes and of containers, those in percent of one CPU."""

CpusOfHosts = Mapping[str, int]
"""By name of a host, how many CPUs it has. A host of which that is not known is left out."""


def over_all_cpus(columns: Mapping[str, Any], hosts: Any, cpus: Any) -> dict[str, Any]:
    """Measures with those of CPU_MEASURES divided. `cpus`: how many each host has, 0 where that is not known; what its
    processes use is not known then either. `hosts`: of each row the place of its host there."""
    divisors = np.asarray(cpus, "i8")[hosts]
    is_known = divisors > 0
    divided = {}
    for name, values in columns.items():
        if name in CPU_MEASURES:
            values = np.where(is_known & (values >= 0), values / np.maximum(divisors, 1), -1.0)
        divided[name] = values
    return divided
