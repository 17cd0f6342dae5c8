"""Programs that take a password in some option (CLIENTS), and those that start other programs (LAUNCHERS)."""

from procession.scrubbing.programs.client import Client, Word
from procession.scrubbing.programs.launchers import LAUNCHERS, STARTS_NOTHING, Launcher
from procession.scrubbing.programs.shown import SHOWN
from procession.scrubbing.programs.table import CLIENTS, TABLE

__all__ = ["CLIENTS", "LAUNCHERS", "SHOWN", "STARTS_NOTHING", "TABLE", "Client", "Launcher", "Word"]
