"""Orgs, for those who hold an admin key."""
