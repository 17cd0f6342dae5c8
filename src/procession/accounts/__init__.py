"""Whose data it is, and who may do what: orgs, keys, sessions, what is set for hosts, saved views."""
