"""All clients, by the name that they are started by."""

from __future__ import annotations

from procession.scrubbing.programs.accounts import ACCOUNTS
from procession.scrubbing.programs.attacks import ATTACKS
from procession.scrubbing.programs.client import Client
from procession.scrubbing.programs.cloud import CLOUD
from procession.scrubbing.programs.databases import DATABASES
from procession.scrubbing.programs.desktops import DESKTOPS
from procession.scrubbing.programs.files import FILES
from procession.scrubbing.programs.keys import KEYS
from procession.scrubbing.programs.messages import MESSAGES
from procession.scrubbing.programs.networks import NETWORKS
from procession.scrubbing.programs.transfers import TRANSFERS
from procession.scrubbing.programs.windows import WINDOWS

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
