"""Datadog's own clients, unmodified, against a running server."""
