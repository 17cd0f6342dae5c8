"""Snapshots and events -> rows."""
