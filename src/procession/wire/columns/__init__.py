"""Snapshots of our own agents on the wire, as columns: docs/agent-protocol.md describes them.

An agent imports `encoder` and `as_datadog`, which need no NumPy; a server imports `decoder`.
"""
