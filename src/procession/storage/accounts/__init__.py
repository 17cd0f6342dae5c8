"""Orgs, keys, sessions and views in the tables."""
