"""Containers of hosts: those of now in memory, and those of every minute in the tables."""
