"""HTTP in front of the store: the query API, the administration of keys, and what operators look at."""

from procession.server.app import create_app
from procession.server.stores import Stores

__all__ = ["Stores", "create_app"]
