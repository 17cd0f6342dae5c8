"""Bytes on the network <-> values."""
