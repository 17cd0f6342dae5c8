"""Snapshots -> payloads -> servers, over an outbox that may lie on disk."""
