"""Reads the machine: /proc, the process connector, users, containers."""
