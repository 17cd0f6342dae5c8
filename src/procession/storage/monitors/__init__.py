"""Monitors, their states and what happened to them, in the tables."""
