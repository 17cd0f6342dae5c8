"""What runs on the hosts of the fleet: programs as people run them, with the same command lines on many hosts."""

from procession.simulate.programs.program import UIDS, Program, Role, Service
from procession.simulate.programs.roles import ROLES
from procession.simulate.programs.system import DAEMONS, KUBE_DAEMONS, PAUSE, RARE, SHIM, SHORT_LIVED

__all__ = [
    "DAEMONS",
    "KUBE_DAEMONS",
    "PAUSE",
    "RARE",
    "ROLES",
    "SHIM",
    "SHORT_LIVED",
    "UIDS",
    "Program",
    "Role",
    "Service",
]
