"""Procession keeps every process of every host of a fleet: what it is, when it ran, what it used."""

__version__ = "0.1.0"
