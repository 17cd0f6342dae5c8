"""Readings -> what the processes are and what they used: a snapshot, scrubbed."""
