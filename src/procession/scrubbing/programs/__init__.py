"""Programs that take a password in some option (CLIENTS), and those that start other programs (LAUNCHERS)."""

from procession.scrubbing.programs.accounts import ACCOUNTS
from procession.scrubbing.programs.attacks import ATTACKS
from procession.scrubbing.programs.client import Client, Word
from procession.scrubbing.programs.cloud import CLOUD
from procession.scrubbing.programs.databases import DATABASES
from procession.scrubbing.programs.desktops import DESKTOPS
from procession.scrubbing.programs.files import FILES
from procession.scrubbing.programs.keys import KEYS
from procession.scrubbing.programs.launchers import LAUNCHERS, STARTS_NOTHING, Launcher
from procession.scrubbing.programs.messages import MESSAGES
from procession.scrubbing.programs.networks import NETWORKS
from procession.scrubbing.programs.shown import SHOWN
from procession.scrubbing.programs.transfers import TRANSFERS
from procession.scrubbing.programs.windows import WINDOWS

__all__ = ["CLIENTS", "LAUNCHERS", "SHOWN", "STARTS_NOTHING", "TABLE", "Client", "Launcher", "Word"]

TABLE: tuple[Client, ...] = (
    *DATABASES,
    *ACCOUNTS,
    *FILES,
    *KEYS,
    *TRANSFERS,
    *MESSAGES,
    *NETWORKS,
    *DESKTOPS,
    *CLOUD,
    *ATTACKS,
    *WINDOWS,
)

CLIENTS: dict[str, Client] = {name: client for client in TABLE for name in client.names.split()}
