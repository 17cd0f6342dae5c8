"""HTTP in front of the store: the query API, the administration of keys, and what operators look at."""

from procession.server.app import create_app

__all__ = ["create_app"]
