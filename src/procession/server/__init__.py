"""HTTP in front of the store: the query API, the administration of keys, and what operators look at."""

from procession.server.app import Stores, create_app

__all__ = ["Stores", "create_app"]
