"""Monitors: their queries, their states, and when a state changes."""
