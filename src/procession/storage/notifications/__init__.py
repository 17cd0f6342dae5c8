"""Channels, downtimes and the outbox of notifications in the tables."""
