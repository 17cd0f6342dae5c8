"""Whose data it is, and who may do what: orgs, keys, sessions, tags of hosts, saved views."""
