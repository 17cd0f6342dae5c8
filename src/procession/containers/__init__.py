"""Containers of hosts: what they are, what they use, and which of them are there at an instant."""
