"""Procession's own API."""
