"""Procession's API."""
